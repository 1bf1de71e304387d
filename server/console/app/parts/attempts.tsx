/** Table of attempts: one row for each request to the gateway, with its response. */
import type { Refund } from '../data/shapes.js';
import { texts } from '../text.js';
import { Amount, Empty, Id, Moment } from './basics.js';
import { Badge, StateBadge } from './badges.js';

type Attempt = Refund['attempts'][number];

const TYPES = { RF: 'refund', RV: 'reversal', CD: 'credit' } as const;

export function Attempts({
  attempts,
  currency,
}: {
  readonly attempts: Refund['attempts'];
  readonly currency: string;
}) {
  if (attempts.length === 0) return <Empty>Nothing was submitted to the gateway.</Empty>;
  return (
    // Focusable, so that a table that is wider than the screen can be scrolled by keyboard.
    <div role="region" aria-label="Attempts" tabIndex={0} className="overflow-x-auto">
      <table className="w-full text-left text-sm">
        <thead>
          <tr className="text-quiet [&>th]:px-3 [&>th]:first:pl-4 [&>th]:py-2 [&>th]:font-medium [&>th]:whitespace-nowrap">
            <th scope="col">Type</th>
            <th scope="col" className="text-right">
              Amount
            </th>
            <th scope="col">State</th>
            <th scope="col">Reference / gateway id</th>
            <th scope="col">Response</th>
            <th scope="col">Sent / answered</th>
          </tr>
        </thead>
        <tbody>
          {attempts.map((attempt) => (
            <tr
              key={attempt.merchantTransactionId}
              className="border-t border-line align-top [&>td]:px-3 [&>td]:first:pl-4 [&>td]:py-2.5"
            >
              <td className="whitespace-nowrap">
                <abbr title={TYPES[attempt.type]} className="font-mono font-medium no-underline">
                  {attempt.type}
                </abbr>
              </td>
              <td className="text-right">
                <Amount amount={attempt.amount} currency={currency} />
              </td>
              <td>
                <StateBadge state={attempt.state} />
              </td>
              <td className="min-w-40">
                <p>
                  <Id id={attempt.merchantTransactionId} what="the reference" short />
                </p>
                <p>
                  {attempt.gatewayId === null ? (
                    <span className="text-quiet">No gateway id</span>
                  ) : (
                    <Id id={attempt.gatewayId} what="the gateway id" short />
                  )}
                </p>
              </td>
              <td className="min-w-48">
                {attempt.resultCode === null ? (
                  <span className="text-quiet">None yet</span>
                ) : (
                  <>
                    <code className="text-[0.8125rem]">{attempt.resultCode}</code>{' '}
                    <span className="break-words">{attempt.resultDescription}</span>
                  </>
                )}
                {attempt.class === null ? null : (
                  <p className="text-quiet">Decline class: {texts(attempt.class)}</p>
                )}
                {attempt.otherLast4 === null ? null : (
                  <p className="mt-1">
                    <Badge tone="warn">{`gateway shows …${attempt.otherLast4}`}</Badge>{' '}
                    <span className="text-quiet">
                      The last digits differ from those of the sealed card: compare them in settlement.
                    </span>
                  </p>
                )}
                {attempt.settlement === null ? null : <Settlement settlement={attempt.settlement} />}
              </td>
              <td className="whitespace-nowrap">
                <p>
                  <Moment at={attempt.sentAt} />
                </p>
                <p>
                  <Moment at={attempt.answeredAt} />
                </p>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const SETTLEMENT_FIELDS = [
  ['reconciliationId', 'Reconciliation id'],
  ['acquirerResponse', 'Acquirer response'],
  ['clearingInstituteName', 'Clearing institute'],
  ['shortId', 'Short id'],
  ['descriptor', 'Descriptor'],
] as const;

/** Ids and texts of the response by which settlement files name the transaction. */
function Settlement({ settlement }: { readonly settlement: NonNullable<Attempt['settlement']> }) {
  const { connectorTxIds = {}, ...own } = settlement;
  const shown: readonly (readonly [string, string])[] = [
    ...SETTLEMENT_FIELDS.flatMap(([name, label]) => {
      const value = own[name];
      return value === undefined ? [] : [[label, value] as const];
    }),
    ...Object.entries(connectorTxIds),
  ];
  if (shown.length === 0) return null;
  return (
    <details className="mt-1">
      <summary className="cursor-pointer text-quiet">Settlement details</summary>
      <dl className="mt-1 grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-0.5 text-xs">
        {shown.map(([label, value]) => (
          <div key={label} className="contents">
            <dt className="text-quiet">{label}</dt>
            <dd className="font-mono break-all">{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
