/** Why a refund needs an operator, and the safe next step. Shared by the queue and the refund page. */
import type { Refund } from './data/shapes.js';
import { capital, meaning, texts } from './text.js';

export interface Need {
  readonly why: string;
  readonly nextStep: string;
}

/** Rewrites the effect of an action for the page of this refund: omits the refund's id and replaces codes by sentences. */
export const effectHere = (effect: string, { id }: Refund): string =>
  effect
    .replaceAll(`refund ${id}`, 'this refund')
    .replaceAll(
      /\(([a-z_]+(?:, [a-z_]+)*)\)/gu,
      (_, codes: string) => `(${codes.split(', ').map(meaning).join('; ')})`,
    );

/** Returns the most urgent need: a proposal, then an approval, then the review, then another open case. */
export function needOf(refund: Refund): Need {
  const { proposal, approval, review } = refund;
  if (proposal !== null)
    return {
      why: `${proposal.by} proposed a correction: ${effectHere(proposal.effect, refund)}`,
      nextStep: 'A second approver approves or rejects it.',
    };
  if (approval !== null)
    return {
      why: `A credit of ${approval.amount} ${approval.currency} needs a second approver: ${approval.why.map(meaning).join('; ')}.`,
      nextStep: 'Check the decline and the destination, then approve or reject.',
    };
  if (review !== null) return review;
  const [first] = refund.cases;
  if (first !== undefined) return { why: first.text, nextStep: first.nextStep };
  return { why: capital(texts(refund.state)), nextStep: 'Open the refund for details.' };
}
