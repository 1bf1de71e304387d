/**
 * Parses JSON bodies strictly: UTF-8 only, and no duplicate field names at any depth. Parsers disagree on which of two equal names counts.
 */
import type { FastifyInstance } from 'fastify';
import { showsAllOnce } from '../../gateway/http/json.js';
import { Problem } from './problems.js';

export function readJsonBodies(app: FastifyInstance): void {
  // `error`: refuses `__proto__` and `constructor.prototype`.
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const text = textOf(body);
    if (text === undefined) {
      done(new Problem('bad_request', 'the body is not valid UTF-8'));
      return;
    }
    void parse(request, text, (error, value) => {
      if (error === null && !showsAllOnce(text, value))
        done(new Problem('bad_request', 'the body contains a field twice; send each field once'));
      else done(error, value);
    });
  });
}

function textOf(body: string | Buffer): string | undefined {
  try {
    return typeof body === 'string' ? body : new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}
