/** Calls the gateway simulator over HTTP, as the first entity of the tests. */
import { request } from 'undici';
import { z } from 'zod';
import { ENTITY } from './gateway-harness.js';

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

const json = z.record(z.string(), z.unknown());
const authorization = `Bearer ${ENTITY.token}`;

export async function send(
  method: 'GET' | 'POST' | 'DELETE' | 'PUT',
  url: string,
  body?: string,
): Promise<HttpAnswer> {
  const answer = await request(url, {
    method,
    headers: { authorization, 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' },
    ...(body === undefined ? {} : { body }),
  });
  return {
    status: answer.statusCode,
    contentType: String(answer.headers['content-type']),
    text: await answer.body.text(),
  };
}

/** Sends a write request to the gateway's API; adds `entityId`. */
export function postForm(url: string, fields: Readonly<Record<string, string>>): Promise<HttpAnswer> {
  return send('POST', url, new URLSearchParams({ entityId: ENTITY.id, ...fields }).toString());
}

/** Returns the JSON object that the control API answers, or throws an error with its message. */
export async function postControl(url: string, body: object): Promise<Readonly<Record<string, unknown>>> {
  const { status, text } = await send('POST', url, JSON.stringify(body));
  if (status !== 200) throw new Error(`${status} ${text}`);
  return json.parse(JSON.parse(text));
}

export async function getJson(url: string): Promise<unknown> {
  return JSON.parse((await send('GET', url)).text);
}
