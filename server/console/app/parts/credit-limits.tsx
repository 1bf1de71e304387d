/** Limits of credits without an approval that a credit counts towards, and what other credits have used of them. */
import type { ReactNode } from 'react';
import { useLimits } from '../data/queries.js';
import type { CreditLimits, Refund } from '../data/shapes.js';
import { Amount, Fact } from './basics.js';

const SUMS = [
  ['payment', 'this payment'],
  ['destination', 'this destination'],
  ['requester', 'this requester'],
  ['entity', 'this entity'],
] as const satisfies readonly (readonly [keyof CreditLimits, string])[];

export function CreditLimitsFact({
  refund,
  destination,
}: {
  readonly refund: Refund;
  readonly destination: { readonly registrationId: string } | { readonly cardRef: string };
}) {
  const { data } = useLimits(refund, destination);
  if (data === undefined) return null;
  const [limits] = data.data;
  if (limits === undefined)
    return <Fact name="Limits">None in {refund.currency}: every credit needs an approver.</Fact>;
  const { currency } = refund;
  return (
    <Fact name="Limits">
      <ul>
        <Line of="One credit">
          up to <Amount amount={limits.single} currency={currency} />
        </Line>
        {SUMS.map(([by, name]) => {
          const { limit, used, windowHours } = limits[by];
          return limit === null || used === null ? null : (
            <Line key={by} of={`Credits of ${name}`}>
              <Amount amount={used} currency={currency} /> of <Amount amount={limit} currency={currency} />{' '}
              used{windowHours === null ? '' : ` within ${windowHours} hours`}
            </Line>
          );
        })}
      </ul>
    </Fact>
  );
}

function Line({ of, children }: { readonly of: string; readonly children: ReactNode }) {
  return (
    <li>
      {of}: {children}
    </li>
  );
}
