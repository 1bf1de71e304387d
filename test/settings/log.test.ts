import { describe, expect, it } from 'vitest';
import { createLog } from '../../settings/log.js';

const CARD = '4200000000000000';

function lines(work: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] {
  const written: string[] = [];
  work(createLog({ role: 'test', to: { write: (line) => void written.push(line) } }));
  return written.map((line) => {
    const value: unknown = JSON.parse(line);
    return Object.fromEntries(Object.entries(value ?? {}));
  });
}

describe('A log line', () => {
  it('is one JSON object with the event and the ids that it is about', () => {
    const [line] = lines((log) => {
      log.info('refund.accepted', { refundId: 'r-1', workflowId: 'refund-r-1', status: 202 });
    });
    expect(line).toMatchObject({
      event: 'refund.accepted',
      role: 'test',
      refundId: 'r-1',
      workflowId: 'refund-r-1',
      status: 202,
    });
  });

  it('leaves out any value without a field, also if it is spread in', () => {
    const more = { refundId: 'r-1', card: { number: CARD }, number: CARD };
    const [line] = lines((log) => {
      log.info('refund.accepted', { ...more });
    });
    expect(line).toMatchObject({ refundId: 'r-1' });
    expect(JSON.stringify(line)).not.toContain(CARD);
  });

  it('contains the name, the code and the frames of an error, and not its message', () => {
    const [line] = lines((log) => {
      log.error('activity.failed', {}, Object.assign(new TypeError(`bad value ${CARD}`), { code: '22P02' }));
    });
    expect(line).toMatchObject({ error: 'TypeError', code: '22P02' });
    expect(line).toHaveProperty('stack');
    expect(JSON.stringify(line)).not.toContain(CARD);
  });
});
