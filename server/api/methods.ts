/** Looks up the methods that a path supports, for 404 and 405 responses. */
import type { FastifyInstance } from 'fastify';

/**
 * Collects the routes that are registered after the call. Returns a function from a path to its methods (empty: no route). A static path
 * (`/v1/refunds/replay`) hides one with a parameter (`/v1/refunds/:id`), as in the router.
 */
export function methodsOf(app: FastifyInstance): (path: string) => readonly string[] {
  const fixed = new Map<string, Set<string>>();
  const routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    const methods = [method].flat();
    if (!/[:*]/.test(url)) {
      fixed.set(url, new Set([...(fixed.get(url) ?? []), ...methods]));
      return;
    }
    const segments = url.split('/').map((segment) => {
      if (segment.startsWith(':')) return '[^/]+';
      return segment === '*' ? '.*' : segment.replaceAll(/[^\w-]/g, String.raw`\$&`);
    });
    routes.push({ pattern: new RegExp(`^${segments.join('/')}$`), methods });
  });
  return (path) => [
    ...(fixed.get(path) ??
      new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))),
  ];
}
