/** A word is answered once: whoever carries it out again, late or a second time, gives the answer that was given and changes nothing. */
import { hash } from 'node:crypto';
import type { Tx } from './database.js';
import type { Answered, Answers, Refused, Said } from './people.js';
import { currentPosition } from './records.js';

/** Under the refund's lock, so that of two who carry out one word the second finds what the first has answered. */
export async function answerOnce<Kind extends keyof Answers>(
  tx: Tx,
  refundId: string,
  kind: Kind,
  said: Pick<Said, 'by' | 'wordId'>,
  answer: () => Promise<Answers[Kind]>,
): Promise<Answered<Kind>> {
  const given = await onRecord(tx, refundId, kind, said, answer);
  return { ...given, position: await currentPosition(tx, refundId) };
}

/** `by`: who has said it, or said otherwise, before. */
export function refused<Why>(why: Why, by?: string): Refused<Why> {
  return by === undefined ? { kind: 'refused', why } : { kind: 'refused', why, by };
}

async function onRecord<Kind extends keyof Answers>(
  tx: Tx,
  refundId: string,
  kind: Kind,
  { by, wordId }: Pick<Said, 'by' | 'wordId'>,
  answer: () => Promise<Answers[Kind]>,
): Promise<Answers[Kind]> {
  if (wordId === undefined) return answer();
  const word = hash('sha256', JSON.stringify([kind, by, wordId])).slice(0, 32);
  const before = await tx
    .selectFrom('answers')
    .select('answer')
    .where('refund_id', '=', refundId)
    .where('word', '=', word)
    .executeTakeFirst();
  const known = before?.answer[kind];
  if (known !== undefined) return known;
  const given = await answer();
  await tx
    .insertInto('answers')
    .values({ refund_id: refundId, word, answer: JSON.stringify({ [kind]: given }) })
    .execute();
  return given;
}
