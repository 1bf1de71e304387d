/** Starts the Chromium of this machine for tests of the console. Nothing is downloaded, and its background requests are off. */
import { existsSync } from 'node:fs';
import { chromium, type BrowserContext } from 'playwright-core';

const USUAL = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** `CHROMIUM_PATH`, or the usual place of a Chromium. Undefined if there is none. */
export const CHROMIUM: string | undefined = [process.env['CHROMIUM_PATH'], ...USUAL].find(
  (path) => path !== undefined && path !== '' && existsSync(path),
);

export const HOW_TO_GET_CHROMIUM = 'apt-get install chromium, or set CHROMIUM_PATH to a Chrome';

export interface Theme {
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: 'light' | 'dark';
  readonly deviceScaleFactor?: number;
}

export interface Chromium {
  /** Opens a fresh profile. Locale and time zone are fixed, so screenshots and texts are the same on every machine. */
  open(theme?: Theme): Promise<BrowserContext>;
  /** Closes the browser with all profiles. */
  close(): Promise<void>;
}

const LAUNCH = {
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
};
const FIXED = { locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce' } as const;

/** Starts a browser with a profile that it keeps in `folder`. Closing the context ends the browser. */
export const openProfile = (folder: string): Promise<BrowserContext> =>
  chromium.launchPersistentContext(folder, { ...LAUNCH, ...FIXED, executablePath: installed() });

function installed(): string {
  if (CHROMIUM === undefined) throw new Error(`no Chromium on this machine: ${HOW_TO_GET_CHROMIUM}`);
  return CHROMIUM;
}

export async function startChromium(): Promise<Chromium> {
  const browser = await chromium.launch({ ...LAUNCH, executablePath: installed() });
  return {
    open: (theme) => browser.newContext({ ...FIXED, ...theme }),
    close: () => browser.close(),
  };
}
