/** API calls about sealed cards. Card data goes straight into the request: the cache of React Query keeps what its mutations send. */
import type { CardEntry } from '../card-entry.js';
import { ApiProblem, request } from './request.js';
import type { Card, SealedCard } from './shapes.js';

/** Sends `entry` to be sealed. Errors repeat no part of it. */
export const sealCard = (key: string, entry: CardEntry): Promise<SealedCard> =>
  withoutRepeating(entry, () => request<SealedCard>('/v1/cards', { key, body: { ...entry } }));

/** Replaces the CVV of a sealed card. */
export const giveCvv = (key: string, cardRef: string, cvv: string): Promise<Card> =>
  withoutRepeating({ cvv }, () => request<Card>(`${cardPath(cardRef)}/cvv`, { key, body: { cvv } }));

/** Destroys the keys of a card. */
export const destroyCard = (key: string, cardRef: string): Promise<Card> =>
  request<Card>(cardPath(cardRef), { key, method: 'DELETE' });

export const cardPath = (cardRef: string): string => `/v1/cards/${encodeURIComponent(cardRef)}`;

/** Replaces every error text that repeats card data. The API writes none; a proxy in between may. */
async function withoutRepeating<T>({ number, cvv }: CardEntry, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    const repeats = (text: string): boolean =>
      [number, cvv].some((secret) => secret !== undefined && text.includes(secret));
    throw new ApiProblem(
      error.status,
      error.code,
      repeats(error.message) ? 'The card was not accepted.' : error.message,
      error.problems.map((one) => (repeats(one.message) ? { ...one, message: 'is not accepted' } : one)),
    );
  }
}
