/** Serves the operators' console under `/console/`: files only, made by Vite, with a policy that lets nothing else in. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { Problem } from './problems.js';

export interface ConsoleOptions {
  /** Where the built files are: `consoleFolder()`. */
  readonly folder: string;
  /** Address of Temporal's own pages, for links to a refund's workflow; absent: no links. */
  readonly temporalUi?: string | undefined;
  readonly namespace: string;
}

/** Everything comes from here, nothing is inline, and no text can become markup that runs. */
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

/** A file's name holds the hash of what is in it. */
const HASHED = /\/assets\//u;

/**
 * The files of the console: in the build beside the program; running from source, built first into `dataDir` where its sources have
 * changed (about two seconds).
 */
export async function consoleFolder(dataDir: string): Promise<string> {
  const shipped = fileURLToPath(new URL('../../console', import.meta.url));
  if (!import.meta.url.endsWith('.ts') && existsSync(shipped)) return shipped;
  const { builtConsole } = await import('../console/build.js');
  return builtConsole(`${dataDir}/console`);
}

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
      // The page finds its way by itself: every address without a file's ending is the same page.
      scope.setNotFoundHandler((request, reply) => {
        const [path = ''] = request.url.split('?');
        const isPage = /^\/console\/(?!assets\/)[^.]*$/u.test(path);
        if (isPage && (request.method === 'GET' || request.method === 'HEAD'))
          return reply.code(200).sendFile('index.html');
        throw new Problem('not_found', 'there is nothing at this address; the console is at /console/');
      });
    },
    { prefix: '/console' },
  );
}
