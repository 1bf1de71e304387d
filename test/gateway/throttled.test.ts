/** The answers that lower the rate of queries. */
import { expect, it } from 'vitest';
import { isThrottled } from '../../gateway/oppwa/search-answer.js';

const answered = (httpStatus: number, body: string) => ({ kind: 'answered', httpStatus, body }) as const;
const withCode = (code: string) => JSON.stringify({ result: { code, description: 'as tests say it' } });

it.each([
  ['429 without a body', answered(429, ''), true],
  ['429 with a page', answered(429, '<html>'), true],
  ['400 with the code', answered(400, withCode('800.120.100')), true],
  ['200 with the code', answered(200, withCode('800.120.100')), true],
  ['another limit', answered(400, withCode('800.120.101')), false],
  ['not found', answered(404, withCode('700.400.580')), false],
  ['no JSON', answered(200, '800.120.100'), false],
  ['no answer', { kind: 'no_answer', why: 'timeout' }, false],
] as const)('%s', (_what, exchange, isSo) => {
  expect(isThrottled(exchange)).toBe(isSo);
});
