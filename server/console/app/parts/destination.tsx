/** Destination of a credit: a registration by its id, a card by what may be shown of it. */
import type { Refund } from '../data/shapes.js';
import { cardText } from '../destination.js';
import { Id } from './basics.js';

export function Destination({ destination }: { readonly destination: NonNullable<Refund['destination']> }) {
  return 'cardRef' in destination ? (
    <>{cardText(destination)} (sealed card)</>
  ) : (
    <Id id={destination.registrationId} what="the registration" short />
  );
}
