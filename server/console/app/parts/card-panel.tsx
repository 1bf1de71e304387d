/** Panel about the sealed card of a refund: when it is destroyed, its CVV, what else it is used for, and its two commands. */
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { isFinal } from '../../../../domain/refund/states.js';
import { useCard, useMe } from '../data/queries.js';
import type { Card } from '../data/shapes.js';
import { shortId, texts } from '../text.js';
import { Button, Fact, Id, Moment, Panel } from './basics.js';
import { StateBadge } from './badges.js';
import { CvvDialog, DestroyCardDialog } from './card-dialogs.js';
import { Loaded } from './page.js';

/** Fields of its card that the refund shows. */
interface ShownCard {
  readonly cardRef: string;
  readonly brand: string;
  readonly last4: string;
  readonly initials: string;
}

export function CardPanel({ refundId, shown }: { readonly refundId: string; readonly shown: ShownCard }) {
  const card = useCard(shown.cardRef);
  return (
    <Panel title="Card">
      <Loaded query={card}>{(loaded) => <Details refundId={refundId} shown={shown} card={loaded} />}</Loaded>
    </Panel>
  );
}

const CVV: Readonly<Record<Card['cvv'], string>> = {
  ready: 'Sealed, for one credit',
  used: 'Used or older than 24 hours: the next credit needs a new one',
  none: 'Sealed without a CVV',
};

const ENDS: Readonly<Record<string, string>> = {
  used: 'its refunds were final',
  expired: 'its time was over',
  registered: 'it became a registration at the gateway',
  by_operator: 'an operator destroyed it',
  key_lost: 'its key was lost',
};

function Details({
  refundId,
  shown,
  card,
}: {
  readonly refundId: string;
  readonly shown: ShownCard;
  readonly card: Card;
}) {
  const { data: me } = useMe();
  const [dialog, setDialog] = useState<'cvv' | 'destroy' | null>(null);
  const [done, setDone] = useState<string | null>(null);
  const others = card.refunds.filter(({ id }) => id !== refundId);
  const { destroyed } = card;
  const mayAct = me?.roles.includes('operate') === true && destroyed === null;
  const close = (text?: string): void => {
    setDialog(null);
    if (text !== undefined) setDone(text);
  };
  return (
    <>
      <dl className="py-1.5">
        <Fact name="Brand">{shown.brand}</Fact>
        <Fact name="Last digits">…{shown.last4}</Fact>
        <Fact name="Holder’s initials">{shown.initials}</Fact>
        <Fact name="Reference">
          <Id id={card.cardRef} what="the reference of the card" short />
        </Fact>
        {destroyed === null ? (
          <>
            <Fact name="CVV">{CVV[card.cvv]}</Fact>
            <Fact name="Destroyed">
              Some days after its last refund is final, <Moment at={card.expiresAt} /> at the latest
            </Fact>
          </>
        ) : (
          <Fact name="Destroyed">
            <Moment at={destroyed.at} /> by {destroyed.by}: {ENDS[destroyed.why] ?? texts(destroyed.why)}
          </Fact>
        )}
        <Fact name="Also used for">
          {others.length === 0 ? (
            'No other refund'
          ) : (
            <ul>
              {others.map(({ id, state }) => (
                <li key={id}>
                  <Link to="/refunds/$refundId" params={{ refundId: id }} className="text-accent underline">
                    {shortId(id)}
                  </Link>{' '}
                  <StateBadge state={state} />
                </li>
              ))}
            </ul>
          )}
        </Fact>
      </dl>
      <div role="status">
        {done === null ? null : (
          <p className="m-4 mt-0 rounded-md bg-good-soft px-3 py-2 text-sm text-good">{done}</p>
        )}
      </div>
      {mayAct ? (
        <div className="flex flex-wrap gap-2 border-t border-line px-4 py-3">
          <Button
            onClick={() => {
              setDone(null);
              setDialog('cvv');
            }}
          >
            Give a new CVV
          </Button>
          <Button
            onClick={() => {
              setDone(null);
              setDialog('destroy');
            }}
          >
            Destroy card
          </Button>
        </div>
      ) : null}
      <CvvDialog open={dialog === 'cvv'} card={card} shown={shown} onClose={close} />
      <DestroyCardDialog
        open={dialog === 'destroy'}
        card={card}
        shown={shown}
        openRefunds={card.refunds.filter(({ state }) => !isFinal(state)).length}
        onClose={close}
      />
    </>
  );
}
