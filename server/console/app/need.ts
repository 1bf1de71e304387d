/** Why a refund is with a person, and what that person can safely do next, in one place for the queue and the refund's page. */
import type { Refund } from './data/shapes.js';
import { capital, meaning, words } from './text.js';

export interface Need {
  readonly why: string;
  readonly nextStep: string;
}

/** What an action does, on a page that is about this refund: its id would only be in the way, and codes are said in words. */
export const effectHere = (effect: string, { id }: Refund): string =>
  effect
    .replaceAll(`refund ${id}`, 'this refund')
    .replaceAll(
      /\(([a-z_]+(?:, [a-z_]+)*)\)/gu,
      (_, codes: string) => `(${codes.split(', ').map(meaning).join('; ')})`,
    );

/** The most pressing first: a second person's word, then the review, then other open cases. */
export function needOf(refund: Refund): Need {
  const { proposal, approval, review } = refund;
  if (proposal !== null)
    return {
      why: `${proposal.by} proposes to correct it: ${effectHere(proposal.effect, refund)}`,
      nextStep: 'A second person approves or rejects the proposal.',
    };
  if (approval !== null)
    return {
      why: `A credit of ${approval.amount} ${approval.currency} waits for a second person: ${approval.why.map(meaning).join('; ')}.`,
      nextStep: 'Check the refusal and the destination, then approve or reject.',
    };
  if (review !== null) return review;
  const [first] = refund.cases;
  if (first !== undefined) return { why: first.text, nextStep: first.nextStep };
  return { why: capital(words(refund.state)), nextStep: 'Open it to see where it stands.' };
}
