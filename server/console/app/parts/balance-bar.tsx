/** Bar and figures that show how the captured amount is divided. */
import type { Payment } from '../data/shapes.js';
import { minor } from '../text.js';
import { Amount } from './basics.js';

interface Share {
  readonly name: string;
  readonly means: string;
  readonly amount: string;
  readonly fill: string;
}

const sharesOf = (payment: Payment): readonly Share[] => [
  {
    name: 'Refunded',
    means: 'by refund or reversal',
    amount: payment.refunded,
    fill: 'fill-fill-refunded',
  },
  { name: 'Credited', means: 'by credit', amount: payment.credited, fill: 'fill-fill-credited' },
  {
    name: 'Reserved',
    means: 'for refunds in progress',
    amount: payment.reserved,
    fill: 'fill-fill-reserved',
  },
  { name: 'Disputed', means: 'lost to chargebacks', amount: payment.disputed, fill: 'fill-fill-disputed' },
  { name: 'Refundable', means: 'available for refunds', amount: payment.refundable, fill: 'fill-fill-left' },
];

export function MoneyBar({ payment }: { readonly payment: Payment }) {
  const shares = sharesOf(payment);
  const widths = widthsOf(payment, shares);
  const { currency } = payment;
  let from = 0;
  return (
    <div className="p-4">
      <svg
        className="block h-5 w-full overflow-hidden rounded"
        role="img"
        aria-label={`Of ${payment.captured} ${currency}: ${shares.map(({ name, amount }) => `${amount} ${name.toLowerCase()}`).join(', ')}`}
      >
        {shares.map(({ name, fill }, index) => {
          const width = widths[index] ?? 0;
          const x = from;
          from += width;
          return width === 0 ? null : (
            <rect
              key={name}
              x={`${x}%`}
              width={`${width}%`}
              height="100%"
              className={`${fill} stroke-panel`}
              strokeWidth="1"
            />
          );
        })}
      </svg>
      <dl className="mt-3 grid grid-cols-1 gap-x-8 sm:grid-cols-2 lg:grid-cols-3">
        <Figure
          name="Captured"
          amount={payment.captured}
          currency={currency}
          means="collected from the customer"
        />
        {shares.map((share) => (
          <Figure key={share.name} {...share} currency={currency} />
        ))}
        {minor(payment.excess) === 0n ? null : (
          <Figure
            name="Excess"
            amount={payment.excess}
            currency={currency}
            means="paid back beyond the limit, outside of this system"
          />
        )}
        {minor(payment.returned) === 0n ? null : (
          <Figure
            name="Returned"
            amount={payment.returned}
            currency={currency}
            means="paid back, then returned"
          />
        )}
      </dl>
    </div>
  );
}

/** Returns each share in percent of the bar. A returned amount is refundable again, so it is not also shown as refunded. */
function widthsOf(payment: Payment, shares: readonly Share[]): readonly number[] {
  let returned = minor(payment.returned);
  const parts = shares.map(({ amount }) => {
    const part = minor(amount);
    const back = part < returned ? part : returned;
    returned -= back;
    return part - back;
  });
  const total = parts.reduce((sum, part) => sum + part, 0n);
  return parts.map((part) => (total === 0n ? 0 : Number((part * 100_000n) / total) / 1_000));
}

function Figure({
  name,
  amount,
  currency,
  means,
  fill,
}: Omit<Share, 'fill'> & { readonly fill?: string; readonly currency: string }) {
  return (
    <div className="flex items-baseline justify-between gap-3 border-b border-line py-1.5 text-sm">
      <dt className="flex min-w-0 items-baseline gap-2">
        <svg viewBox="0 0 10 10" className="size-2.5 shrink-0" aria-hidden="true">
          {fill === undefined ? null : <rect width="10" height="10" rx="2" className={fill} />}
        </svg>
        <span className="min-w-0">
          {name} <span className="text-xs text-quiet">{means}</span>
        </span>
      </dt>
      <dd>
        <Amount amount={amount} currency={currency} strong />
      </dd>
    </div>
  );
}
