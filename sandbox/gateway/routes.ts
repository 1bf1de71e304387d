/** Maps a method and path to an endpoint. An empty id is the create endpoint, as on the real gateway. */
import type { QueryEndpoint, WriteEndpoint } from './types.js';

export type Route =
  | { readonly kind: 'write'; readonly endpoint: WriteEndpoint }
  | { readonly kind: 'query'; readonly endpoint: QueryEndpoint }
  | { readonly kind: 'wrong_method' }
  | { readonly kind: 'unknown' };

function postTo(path: readonly string[]): WriteEndpoint | null {
  const [first, id, last] = path;
  if (first === 'payments' && path.length <= 2) {
    return id === undefined || id === '' ? { kind: 'create' } : { kind: 'backoffice', id };
  }
  if (first !== 'registrations') return null;
  if (path.length === 1) return { kind: 'register' };
  if (path.length === 3 && last === 'payments' && id !== undefined) {
    return { kind: 'pay_registration', registrationId: id };
  }
  return null;
}

function deleteAt([first, registrationId, ...more]: readonly string[]): WriteEndpoint | null {
  const isRegistration = first === 'registrations' && more.length === 0;
  return isRegistration && registrationId !== undefined && registrationId !== ''
    ? { kind: 'deregister', registrationId }
    : null;
}

function getFrom(version: string, path: readonly string[]): QueryEndpoint | null {
  const [first, id = ''] = path;
  if (path.length > 2) return null;
  if (version === 'v3') {
    if (first !== 'query') return null;
    return id === '' ? { kind: 'v3_search' } : { kind: 'v3_query', id };
  }
  switch (first) {
    case 'payments':
      return id === '' ? { kind: 'v1_search' } : { kind: 'v1_payment', id };
    case 'query':
      return id === '' ? { kind: 'v1_search' } : { kind: 'v1_query', id };
    case 'resultcodes':
      return { kind: 'result_codes' };
    case undefined:
    default:
      return null;
  }
}

/** `path` has no query string, for example `/v1/payments/8ac7…`. */
export function route(method: string, path: string): Route {
  const [, version = '', ...rest] = path.split('/');
  if (version !== 'v1' && version !== 'v3') return { kind: 'unknown' };
  const write = version === 'v1' ? postTo(rest) : null;
  const removal = version === 'v1' ? deleteAt(rest) : null;
  const query = getFrom(version, rest);
  if (method === 'POST' && write !== null) return { kind: 'write', endpoint: write };
  if (method === 'DELETE' && removal !== null) return { kind: 'write', endpoint: removal };
  if (method === 'GET' && query !== null) return { kind: 'query', endpoint: query };
  return write === null && removal === null && query === null
    ? { kind: 'unknown' }
    : { kind: 'wrong_method' };
}
