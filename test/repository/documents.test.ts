/** Checks the documents: links and paths exist, decisions have their form, and the tables of contents are complete. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createProgram } from '../../client/cli/program.js';
import { policyShape } from '../../settings/policy.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(ROOT, path)));
const documents = files.filter((path) => path.endsWith('.md'));
const sources = files.filter((path) => /\.(ts|tsx|mjs|cjs|js|sql|sh)$/.test(path) || path === 'Dockerfile');
/** The top-level folders. A code span that begins with one of them is a path. */
const folders = new Set(files.filter((path) => path.includes('/')).map((path) => path.split('/')[0]));

const withoutFences = (text: string): string => text.replace(/```.*?```/gs, '');

/** Returns the anchor that GitHub makes of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
const anchorsOf = (path: string): string[] =>
  [...withoutFences(read(path)).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));

function brokenLinks(path: string): string[] {
  const links = [...withoutFences(read(path)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [target = '', anchor] = link.split('#');
    const file = target === '' ? path : normalize(join(dirname(path), target));
    if (!existsSync(join(ROOT, file))) return true;
    return anchor !== undefined && !anchorsOf(file).includes(anchor);
  });
}

/** Returns code spans that name a file or folder, or the beginning of a name: `test/ledger/concurrency`. */
function brokenPaths(path: string): string[] {
  const spans = [...withoutFences(read(path)).matchAll(/`([\w.-]+\/[\w./-]*)`/g)].map(
    ([, span = '']) => span,
  );
  return spans.filter(
    (span) => folders.has(span.split('/')[0]) && !files.some((file) => `${file}/`.startsWith(span)),
  );
}

describe('each document', () => {
  it.each(documents)('%s has links and anchors that exist', (path) => {
    expect(brokenLinks(path)).toEqual([]);
  });

  it.each(documents)('%s names files and folders that exist', (path) => {
    expect(brokenPaths(path)).toEqual([]);
  });

  it.each(documents)('%s names scripts of package.json', (path) => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(read('package.json')));
    const named = [...read(path).matchAll(/npm run (?:-s )?([a-z][\w:-]*)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  it('is named by the sources under a path that exists', () => {
    const broken = sources.flatMap((path) =>
      [...read(path).matchAll(/docs\/[\w/-]+(?:\.md)?/g)]
        .map(([name]) => name)
        .filter((name) => !files.some((file) => file.startsWith(name)))
        .map((name) => `${path}: ${name}`),
    );
    expect(broken).toEqual([]);
  });

  it('is in the table of contents', () => {
    const contents = read('docs/README.md');
    const listed = documents.filter(
      (path) => /^docs\/[^/]+\/[^/]+\.md$/.test(path) && !/\/\d{3}-/.test(path),
    );
    expect(listed.filter((path) => !contents.includes(`](${path.slice('docs/'.length)})`))).toEqual([]);
  });
});

describe('decisions', () => {
  const decisions = documents.filter((path) => /^docs\/decisions\/\d/.test(path)).sort();
  const index = read('docs/decisions/README.md');

  it('are numbered without a gap', () => {
    expect(decisions.map((path) => path.slice('docs/decisions/'.length).split('-')[0])).toEqual(
      decisions.map((_, at) => String(at + 1).padStart(3, '0')),
    );
  });

  it.each(decisions)('%s has number, status, date, context and decision, and is listed', (path) => {
    const name = path.slice('docs/decisions/'.length);
    const form =
      /^# (\d{3}): (.+)\n\n- Status: (accepted|replaced by \d{3})\n- Date: \d{4}-\d{2}-\d{2}\n\n## Context\n.+\n## Decision\n/s;
    const [, number = '', title = '', status = ''] = form.exec(read(path)) ?? [];
    expect(name.split('-')[0]).toBe(number);
    const row = index.split('\n').find((line) => line.startsWith(`| [${number}](${name})`));
    expect(row?.split('|').map((cell) => cell.trim())).toEqual([
      '',
      `[${number}](${name})`,
      title,
      status,
      '',
    ]);
  });
});

describe('docs/architecture/architecture.md', () => {
  /** Rows of the form `| … | [path](link) | code span, code span | … |`. */
  const steps = [
    ...read('docs/architecture/architecture.md').matchAll(/^\|[^|]*\| \[`[^`]+`\]\(([^)]+)\) +\|([^|]*)\|/gm),
  ].map(([, link = '', names = '']) => ({
    file: normalize(join('docs/architecture', link)),
    names: [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
  }));

  it('follows one refund through the files', () => {
    expect(steps.length).toBeGreaterThan(10);
  });

  it.each(steps)('$file has $names', ({ file, names }) => {
    expect(names).not.toEqual([]);
    const text = read(file);
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
  });
});

describe('docs/reference', () => {
  it.each(Object.keys(policyShape.shape))('settings.md has the policy %s', (name) => {
    expect(read('docs/reference/settings.md')).toMatch(new RegExp(`^\\| \`${name}\` `, 'm'));
  });

  it.each(createProgram(() => undefined).commands.map((command) => command.name()))(
    'command-line.md has the command %s',
    (name) => {
      expect(read('docs/reference/command-line.md')).toContain(`\`${name}`);
    },
  );
});
