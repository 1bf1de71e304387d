/** Serves the operator console under `/console/`: static files built by Vite, under a strict Content-Security-Policy. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { Problem } from './problems.js';

export interface ConsoleOptions {
  /** Folder with the built files, from `consoleFolder()`. */
  readonly folder: string;
  /** URL of the Temporal UI, for links to a refund's workflow. Absent: no links. */
  readonly temporalUi?: string | undefined;
  readonly namespace: string;
}

/** Allows scripts, styles and requests from this origin only, nothing inline, and no text that becomes markup. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Matches files whose name contains a hash of their content. They are cached forever. */
const HASHED = /\/assets\//u;

/**
 * Returns the folder with the built console. A production build ships it. When the program runs from source, the console is built into
 * `dataDir` if its sources have changed (about two seconds).
 */
export async function consoleFolder(dataDir: string): Promise<string> {
  const shipped = fileURLToPath(new URL('../../console', import.meta.url));
  if (!import.meta.url.endsWith('.ts') && existsSync(shipped)) return shipped;
  const { builtConsole } = await import('../console/build.js');
  return builtConsole(`${dataDir}/console`);
}

/** Registers the console's routes, with the policy on every response below `/console/`. */
export async function serveConsole(app: FastifyInstance, options: ConsoleOptions): Promise<void> {
  app.get('/console', (_request, reply) => reply.redirect('/console/', 308));
  await app.register(
    async (scope) => {
      scope.addHook('onRequest', async (_request, reply) => {
        void reply.header('content-security-policy', POLICY);
      });
      await scope.register(fastifyStatic, {
        root: options.folder,
        index: false,
        preCompressed: true,
        cacheControl: false,
        setHeaders: (reply, path) => {
          void reply.headers({
            'cache-control': HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
            vary: 'accept-encoding',
          });
        },
      });
      scope.get('/config.json', () => ({
        temporalUi: options.temporalUi ?? null,
        namespace: options.namespace,
      }));
      scope.get('/', { prefixTrailingSlash: 'slash' }, (_request, reply) => reply.sendFile('index.html'));
      // The router runs in the browser: each path without a file extension gets the same page.
      scope.setNotFoundHandler((request, reply) => {
        const [path = ''] = request.url.split('?');
        const isPage = /^\/console\/(?!assets\/)[^.]*$/u.test(path);
        if (isPage && (request.method === 'GET' || request.method === 'HEAD'))
          return reply.code(200).sendFile('index.html');
        throw new Problem('not_found', 'not found; the console is at /console/');
      });
    },
    { prefix: '/console' },
  );
}
