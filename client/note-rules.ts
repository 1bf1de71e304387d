/** Rules for the texts of an operator's note. They are stored in the clear and shown to other operators. */
import { looksLikeCard } from '../domain/card/card-number.js';
import { NAME_RULE, readName } from '../domain/names.js';
import type { OperatorNote } from '../domain/refund/operator-note.js';
import type { InputProblem } from '../domain/refund/request.js';
import { invalid } from './errors.js';

const LONGEST_TOKEN = 500;
const LONGEST_EVIDENCE = 2_000;

/** Throws `invalid_request` with every problem: the `known` ones, and each text that cannot be stored. */
export function checkNote(
  { by, reason, ticket }: OperatorNote,
  known: readonly InputProblem[] = [],
  evidence?: readonly [field: string, text: string],
): void {
  const texts: readonly (readonly [field: string, text: string, longest: number])[] = [
    ['reason', reason, LONGEST_TOKEN],
    ...(ticket === undefined ? [] : ([['ticket', ticket, LONGEST_TOKEN]] as const)),
    ...(evidence === undefined ? [] : ([[...evidence, LONGEST_EVIDENCE]] as const)),
  ];
  const name =
    readName(by) === undefined
      ? [{ field: 'by', code: 'invalid', message: NAME_RULE }]
      : looksLikeCard(by)
        ? [{ field: 'by', code: 'card_number', message: 'must not hold a card number' }]
        : [];
  const problems = [
    ...known,
    ...name,
    ...texts.flatMap(([field, text, longest]) => problemsOf(field, text, longest)),
  ];
  if (problems.length > 0) throw invalid(problems);
}

/** Rules for each text of an operator, besides its length. The HTTP API applies the same ones. */
export const NOTE_RULES: readonly {
  readonly code: string;
  readonly message: string;
  readonly fits: (text: string) => boolean;
}[] = [
  { code: 'invalid', message: 'must not be empty', fits: (text) => text.trim() !== '' },
  {
    code: 'invalid',
    message: 'must not contain control characters',
    // eslint-disable-next-line no-control-regex -- control characters are what is refused
    fits: (text) => !/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text),
  },
  { code: 'invalid', message: 'must be well-formed Unicode', fits: (text) => !/\p{Surrogate}/u.test(text) },
  {
    code: 'card_number',
    message: 'must not hold a card number: it is stored in the clear',
    fits: (text) => !looksLikeCard(text),
  },
];

function problemsOf(field: string, text: string, longest: number): InputProblem[] {
  const tooLong = { code: 'invalid', message: `must be at most ${longest} characters` };
  return [...NOTE_RULES.filter(({ fits }) => !fits(text)), ...(text.length > longest ? [tooLong] : [])].map(
    ({ code, message }) => ({ field, code, message }),
  );
}
