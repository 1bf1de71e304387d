/** A real Chromium of this machine, for the console: nothing is downloaded, and it talks to nobody by itself. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext } from 'playwright-core';

const USUAL = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** `CHROMIUM_PATH`, else where systems put it; undefined where there is none. */
export const CHROMIUM: string | undefined = [process.env['CHROMIUM_PATH'], ...USUAL].find(
  (path) => path !== undefined && path !== '' && existsSync(path),
);

export const HOW_TO_GET_CHROMIUM = 'apt-get install chromium, or set CHROMIUM_PATH to a Chrome';

export interface Browser {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

/** With a profile of its own, which is gone afterwards. `locale` and zone are fixed: pictures and texts are the same everywhere. */
export async function openChromium(
  options: {
    readonly viewport?: { readonly width: number; readonly height: number };
    readonly colorScheme?: 'light' | 'dark';
    readonly deviceScaleFactor?: number;
  } = {},
): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error(`no Chromium on this machine: ${HOW_TO_GET_CHROMIUM}`);
  const profile = await mkdtemp(join(tmpdir(), 'refunds-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
    ],
    locale: 'en-GB',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
    ...options,
  });
  return {
    context,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
