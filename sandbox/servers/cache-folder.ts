/** The user's cache folder for downloaded or built programs. All clones of this repository share it. */
import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Returns a folder in `$XDG_CACHE_HOME` or in the system's cache folder; if that is not writable, in the temporary folder. */
export async function cacheFolder(env: NodeJS.ProcessEnv): Promise<string> {
  const home = env['HOME'] ?? homedir();
  const system = {
    darwin: join(home, 'Library', 'Caches'),
    win32: env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'),
  };
  const place = process.platform === 'darwin' || process.platform === 'win32' ? process.platform : undefined;
  const base = env['XDG_CACHE_HOME'] ?? (place === undefined ? join(home, '.cache') : system[place]);
  const folder = join(base, 'oppwa-refunds');
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
    return folder;
  } catch {
    const fallback = join(tmpdir(), `oppwa-refunds-${process.getuid?.() ?? 'cache'}`);
    await mkdir(fallback, { recursive: true, mode: 0o700 });
    return fallback;
  }
}
