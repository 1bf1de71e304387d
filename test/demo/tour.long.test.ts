/** Runs the tour of docs/start/getting-started.md and the README's commands for a card, in a shell and in a browser, with a real `npm start`. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatewayControl } from '../../sandbox/control-client.js';
import { freePort } from '../../sandbox/servers/free-port.js';
import { CHROMIUM, HOW_TO_GET_CHROMIUM, startChromium } from '../support/chromium.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MINUTES = 60_000;

/** Returns the code blocks of a section of a document, in their order. */
async function blocksOf(document: string, title: string): Promise<readonly string[]> {
  const page = await readFile(join(ROOT, document), 'utf8');
  const section = new RegExp(`^## ${title}$(.*?)^## `, 'msu').exec(page)?.[1] ?? '';
  return [...section.matchAll(/^```sh\n(.*?)^```$/gmsu)].map((match) => match[1] ?? '');
}

describe('the tour of docs/start/getting-started.md', () => {
  let dataDir: string;
  let sandbox: ChildProcess;
  let shell: Shell;
  let blocks: readonly string[];

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'refunds-tour-'));
    // Under root, PostgreSQL runs as another user, which must be able to pass through this folder.
    await chmod(dataDir, 0o711);
    const env = { ...process.env, REFUNDS_DATA_DIR: dataDir, REFUNDS_PORT: String(await freePort()) };
    for (const name of ['DATABASE_URL', 'TEMPORAL_ADDRESS', 'OPPWA_BASE_URL'])
      Reflect.deleteProperty(env, name);
    sandbox = spawn(process.execPath, ['sandbox/bootstrap.mjs', 'sandbox/main.ts', '--no-demo'], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await ready(sandbox);
    shell = openShell(env);
    blocks = await blocksOf('docs/start/getting-started.md', 'A tour');
  }, 10 * MINUTES);

  afterAll(async () => {
    shell.close();
    const gone = new Promise((resolve) => sandbox.once('exit', resolve));
    sandbox.kill('SIGTERM');
    await gone;
    await rm(dataDir, { recursive: true, force: true });
  }, 5 * MINUTES);

  const run = (block = 'false'): Promise<Answer> => shell.run(block.replaceAll('.data/', `${dataDir}/`));
  const step = (index: number): Promise<Answer> => run(blocks[index]);
  const value = async (text: string): Promise<string> => (await shell.run(`echo "${text}"`)).output.trim();

  it('has the steps that are tested here', () => {
    expect(blocks).toHaveLength(8);
  });

  it('creates a payment at the sandbox gateway', async () => {
    expect(await step(0)).toMatchObject({ code: 0 });
    expect(await value('$PAYMENT')).toMatch(/^[a-f0-9]{32}$/u);
  });

  it('requests a refund with curl', async () => {
    expect(await step(1)).toMatchObject({ code: 0 });
    expect(await value('$REFUND')).toMatch(/^[a-f0-9-]{36}$/u);
  });

  it('watches the refund succeed', { timeout: 5 * MINUTES }, async () => {
    const { output } = await step(2);
    expect(output.trim().split('\n').at(-1)).toBe('succeeded');
  });

  it('requests a refund whose answer is lost', async () => {
    expect(await step(3)).toMatchObject({ code: 0 });
    expect(await value('$LOST')).toMatch(/^[a-f0-9-]{36}$/u);
  });

  it(
    'finds the refund with the lost answer among those that need an operator',
    { timeout: 5 * MINUTES },
    async () => {
      const { output } = await step(4);
      expect(output).toContain('manual_review');
      expect(output).toContain(await value('$LOST'));
    },
  );

  it.skipIf(CHROMIUM === undefined)(
    `finds it in the console too, with its reason and the action to take (needs Chromium: ${HOW_TO_GET_CHROMIUM})`,
    { timeout: 5 * MINUTES },
    async () => {
      const browser = await startChromium();
      try {
        const page = await (await browser.open()).newPage();
        await page.goto(await value('$CONSOLE'));
        await page.getByLabel('API key or token').fill(await value('$OPERATE'));
        await page.getByRole('button', { name: 'Sign in' }).click();
        await page.getByRole('heading', { name: 'Queue' }).waitFor();
        await page.getByText('45.00').first().waitFor();
        await page.goto(`${await value('$CONSOLE')}refunds/${await value('$LOST')}`);
        await page.getByRole('button', { name: 'Check with gateway' }).waitFor();
      } finally {
        await browser.close();
      }
    },
  );

  it('queries the gateway: the refund was paid once', { timeout: 5 * MINUTES }, async () => {
    const { output } = await step(5);
    expect(output).toMatch(/^succeeded$/mu);
    const paid = await shell.run(
      `curl -s "$GATEWAY/_control/books?paymentId=$PAYMENT" | field refunded; npm run -s cli -- show $LOST --json`,
    );
    expect(paid.output).toMatch(/^75\.00$/mu);
    expect(paid.output.match(/"merchantTransactionId":/gu)).toHaveLength(1);
  });

  /** Returns the gateway's ids of the credits to the card of the sample. */
  const creditsAtGateway = async (): Promise<readonly string[]> => {
    const all = await gatewayControl(await value('$GATEWAY')).transactions();
    return all.filter((one) => one.type === 'CD' && one.amount === '100.00').map((one) => one.id);
  };

  it(
    'seals a card and requests a credit to it, which waits for an approver',
    { timeout: 5 * MINUTES },
    async () => {
      const { output } = await step(6);
      expect(await value('$CARD')).toMatch(/^[a-f0-9-]{36}$/u);
      expect(output.trim().split('\n').at(-1)).toContain('awaiting_approval');
      expect(await creditsAtGateway()).toEqual([]);
    },
  );

  it('approves the credit and prints its id at the gateway', { timeout: 5 * MINUTES }, async () => {
    const { code, output } = await step(7);
    const ids = await creditsAtGateway();
    expect(ids).toHaveLength(1);
    expect(output.split('\n')).toContain(ids[0]);
    expect(output).toMatch(/used/u);
    expect(code).toBe(0);
  });

  it("pays to a card with the README's commands too", { timeout: 5 * MINUTES }, async () => {
    const [block, ...others] = await blocksOf('README.md', 'Pay to a card');
    expect(others).toEqual([]);
    const { code, output } = await run(block);
    const ids = await creditsAtGateway();
    expect(ids).toHaveLength(2);
    expect(ids).toContain(output.trim().split('\n').at(-1));
    expect(code).toBe(0);
  });
});

interface Answer {
  readonly code: number;
  readonly output: string;
}

interface Shell {
  run(text: string): Promise<Answer>;
  close(): void;
}

/** Opens one shell for all steps: a variable that one block sets is available in the next. */
function openShell(env: NodeJS.ProcessEnv): Shell {
  const bash = spawn('bash', ['--noprofile', '--norc'], {
    cwd: ROOT,
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  let ended: ((answer: Answer) => void) | undefined;
  createInterface({ input: bash.stdout }).on('line', (line) => {
    const end = /^--- step ended: (\d+)$/u.exec(line);
    if (end === null) lines.push(line);
    else ended?.({ code: Number(end[1]), output: lines.splice(0).join('\n') });
  });
  return {
    run: (text) =>
      new Promise((resolve) => {
        ended = resolve;
        bash.stdin.write(`${text}\ncode=$?; echo; echo "--- step ended: $code"\n`);
      }),
    close: () => {
      bash.stdin.end();
    },
  };
}

/** Resolves when the sandbox has printed its addresses. */
function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const answer: string[] = [];
    if (child.stderr !== null)
      createInterface({ input: child.stderr }).on('line', (line) => answer.push(line));
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on('line', (line) => {
        answer.push(line);
        if (line.startsWith('{"ready":true')) resolve();
      });
    child.once('exit', (code) => {
      reject(new Error(`npm start ended with ${String(code)}:\n${answer.slice(-20).join('\n')}`));
    });
  });
}
