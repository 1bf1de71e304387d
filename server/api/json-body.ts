/** Reads JSON bodies: UTF-8, and no field named twice, at any depth. Of two fields with one name, readers disagree which one counts. */
import type { FastifyInstance } from 'fastify';
import { saysAllOnce } from '../../gateway/http/json.js';
import { Problem } from './problems.js';

export function readJsonBodies(app: FastifyInstance): void {
  // Refuses names that reach an object's prototype.
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const text = textOf(body);
    if (text === undefined) {
      done(new Problem('bad_request', 'the body is not UTF-8'));
      return;
    }
    void parse(request, text, (error, value) => {
      if (error === null && !saysAllOnce(text, value))
        done(new Problem('bad_request', 'the body names a field twice; name each field once'));
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
