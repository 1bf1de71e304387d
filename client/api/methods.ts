/** Which methods an address has: for whoever asks with another one. */
import type { FastifyInstance } from 'fastify';

/** Collects routes from now on; answers the methods of the address, none where there is nothing at it. */
export function methodsOf(app: FastifyInstance): (path: string) => readonly string[] {
  const routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    const segments = url.split('/').map((segment) => {
      if (segment.startsWith(':')) return '[^/]+';
      return segment === '*' ? '.*' : segment.replaceAll(/[^\w-]/g, String.raw`\$&`);
    });
    routes.push({ pattern: new RegExp(`^${segments.join('/')}$`), methods: [method].flat() });
  });
  return (path) => [
    ...new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods)),
  ];
}
