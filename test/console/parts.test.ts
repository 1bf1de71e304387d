/** Functions of the console: parsing server-sent events, and formatting amounts and durations. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEvents, type ServerEvent } from '../../server/console/app/data/event-stream.js';
import { grouped, minor, span } from '../../server/console/app/text.js';

async function eventsOf(chunks: readonly Uint8Array[]): Promise<(ServerEvent | null)[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const events: (ServerEvent | null)[] = [];
  for await (const event of readEvents(body)) events.push(event);
  return events;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('a stream of events', () => {
  it('yields each event with its id and name, and null for a heartbeat', async () => {
    const text =
      ': listening\n\nid: 17\nevent: change\ndata: {"a":1}\n\ndata: one\ndata: two\n\nid: 18\n\nevent: none\n\n';
    expect(await eventsOf([bytes(text)])).toEqual([
      null,
      { id: '17', event: 'change', data: '{"a":1}' },
      { id: '17', event: 'message', data: 'one\ntwo' },
    ]);
  });

  it('is parsed correctly however it is split into chunks, also within a character, with any line ending', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.array(fc.nat(80), { maxLength: 8 }),
        async (end, cuts) => {
          const whole = bytes(
            [': hello', '', 'id: 5', 'event: change', 'data: Größe €', 'data: 2', '', ''].join(end),
          );
          const at = [0, ...cuts.map((cut) => cut % whole.length), whole.length].sort((a, b) => a - b);
          const chunks = at.slice(1).map((to, index) => whole.slice(at[index], to));
          expect(await eventsOf(chunks)).toEqual([null, { id: '5', event: 'change', data: 'Größe €\n2' }]);
        },
      ),
    );
  });

  it('yields no incomplete event', async () => {
    expect(await eventsOf([bytes('id: 1\nevent: change\ndata: x\n')])).toEqual([]);
  });
});

describe('an amount', () => {
  it.each([
    ['0.00', '0.00'],
    ['999.99', '999.99'],
    ['1000.00', '1\u202f000.00'],
    ['12345678.123', '12\u202f345\u202f678.123'],
    ['1500', '1\u202f500'],
    ['-1249.00', '-1\u202f249.00'],
  ])('%s is shown as %s', (amount, shown) => {
    expect(grouped(amount)).toBe(shown);
  });

  it('is converted to its smallest unit without rounding', () => {
    expect(minor('90071992547409.93')).toBe(9007199254740993n);
    expect(minor('-0.05')).toBe(-5n);
  });
});

describe('a duration', () => {
  it.each([
    [-3, '0 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [3_599, '59 min'],
    [3_600, '1 h'],
    [11_520, '3 h 12 min'],
    [86_400, '1 d'],
    [106_200, '1 d 5 h'],
  ])('of %d seconds is shown as %s', (seconds, text) => {
    expect(span(seconds)).toBe(text);
  });
});
