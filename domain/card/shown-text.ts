/** Text of a caller that is repeated in an error message: only where it cannot be a card number. */
import { looksLikeCard } from './card-number.js';

/** The name of a field, or `(name hidden)`: a card number may stand in the place of a name. */
export const shownName = (name: string): string =>
  /^[\w-]{1,40}$/.test(name) && !/(?:\d[_-]*){10}/.test(name) && !looksLikeCard(name)
    ? name
    : '(name hidden)';

/** The message, or a text that says why it is not shown. */
export const shownMessage = (message: string): string =>
  looksLikeCard(message) ? '(the message is hidden: it repeats what may be a card number)' : message;
