/** HTTP redirects: a 307 is followed once, to an allowed host. Any other redirect leaves the outcome unknown. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Gateway } from '../../gateway/gateway.js';
import { gatewayAt, limits, PAYMENT, refunded, refundOrder, shown, TOKEN } from './orders.js';
import { answer, startRawServer, type RawServer } from './raw-server.js';

let first: RawServer;
let second: RawServer;
let gateway: Gateway;

beforeEach(async () => {
  first = await startRawServer();
  second = await startRawServer((socket) => socket.write(answer(200, JSON.stringify(refunded))));
  gateway = gatewayAt(first.url, { allowedHosts: [first.host, second.host] });
});

afterEach(async () => {
  await gateway.close();
  await first.close();
  await second.close();
});

function redirectTo(location: string | undefined, status = 307): void {
  const header = location === undefined ? 'x-none: 1' : `location: ${location}`;
  first.reply = (socket) => socket.write(answer(status, '', header));
}

const PATH = `/v1/payments/${PAYMENT}`;
const inDoubt = (httpStatus: number) => ({ kind: 'no_answer', why: 'destination_changed', httpStatus });

describe('a refund that is redirected with 307', () => {
  it('goes on to an allowed host with the same method, body and token', async () => {
    redirectTo(`${second.url}${PATH}`);
    expect(await gateway.refund(refundOrder())).toMatchObject({
      kind: 'answered',
      transaction: shown(refunded),
    });
    expect(second.requests).toHaveLength(1);
    const [asked] = first.requests;
    const [went] = second.requests;
    expect(went?.method).toBe('POST');
    expect(went?.path).toBe(PATH);
    expect(went?.body).toBe(asked?.body);
    expect(went?.headers.get('authorization')).toBe(`Bearer ${TOKEN}`);
    expect(went?.headers.get('content-type')).toBe(asked?.headers.get('content-type'));
  });

  it('never goes to another host, nor does its token', async () => {
    const strict = gatewayAt(first.url);
    redirectTo(`${second.url}${PATH}`);
    expect(await strict.refund(refundOrder())).toEqual(inDoubt(307));
    expect(first.requests).toHaveLength(1);
    expect(second.connections()).toBe(0);
    await strict.close();
  });

  it.each([
    ['without an address', () => undefined],
    ['to no address', () => 'http://['],
    ['without encryption over the network', () => 'http://eu-test.oppwa.com/v1/payments'],
    ['with a user in the address', () => `http://u:p@${second.host}${PATH}`],
    ['by another protocol', () => `ftp://${second.host}${PATH}`],
    ['to where it already was', () => `${first.url}${PATH}`],
    ['to its own address, as a relative path', () => PATH],
    ['to where it already was, with a mark on it', () => `${PATH}#again`],
  ])('stops %s', async (_how, location) => {
    const lax = gatewayAt(first.url, { allowedHosts: [first.host, second.host, 'eu-test.oppwa.com'] });
    redirectTo(location());
    expect(await lax.refund(refundOrder())).toEqual(inDoubt(307));
    expect(first.requests).toHaveLength(1);
    expect(second.connections()).toBe(0);
    await lax.close();
  });

  it('stops if it is redirected back', async () => {
    redirectTo(`${second.url}${PATH}`);
    second.reply = (socket) => socket.write(answer(307, '', `location: ${first.url}${PATH}`));
    expect(await gateway.refund(refundOrder())).toEqual(inDoubt(307));
    expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
  });

  it('was not sent if the second host cannot be reached: the first one has not acted', async () => {
    redirectTo(`${second.url}${PATH}`);
    await second.close();
    expect(await gateway.refund(refundOrder())).toEqual({ kind: 'not_sent', why: 'refused' });
  });

  it('is unknown if the second host breaks off', async () => {
    redirectTo(`${second.url}${PATH}`);
    second.reply = (socket) => socket.destroy();
    expect(await gateway.refund(refundOrder())).toEqual({ kind: 'no_answer', why: 'connection_lost' });
  });

  it('does not go on after its deadline', async () => {
    first.reply = (socket) =>
      setTimeout(() => socket.write(answer(307, '', `location: ${second.url}${PATH}`)), 80);
    const result = await gateway.refund(refundOrder({ limits: limits(5_000, 40) }));
    expect(result).toEqual({ kind: 'not_sent', why: 'deadline_passed' });
    expect(second.connections()).toBe(0);
  });
});

describe('a refund that is redirected with another status', () => {
  it.each([300, 301, 302, 303, 304, 308])('stops at %d', async (status) => {
    redirectTo(`${second.url}${PATH}`, status);
    expect(await gateway.refund(refundOrder())).toEqual(inDoubt(status));
    expect(second.connections()).toBe(0);
  });
});
