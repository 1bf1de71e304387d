/** Panel that shows why a refund needs an operator: proposal, approval, review, other cases and credit blocks, with the safe next step. */
import type { ReactNode } from 'react';
import type { OpenCase, Refund } from '../data/shapes.js';
import { effectHere } from '../operator-need.js';
import { capital, meaning } from '../text.js';
import { CreditLimitsFact } from './credit-limits.js';
import { Age, Amount, Fact, Id, Panel } from './basics.js';
import { Destination } from './destination.js';

export function NeedsOperator({ refund }: { readonly refund: Refund }) {
  const { approval, proposal, review, blocks, cases } = refund;
  // The review is a summary of the newest open case, so that case is not repeated.
  const others = cases.filter(({ text }) => text !== review?.why);
  const [reviewed] = cases.filter(({ text }) => text === review?.why);
  if (approval === null && proposal === null && review === null && blocks.length === 0 && cases.length === 0)
    return null;
  return (
    <Panel title="Needs an operator">
      <div className="divide-y divide-line">
        {proposal === null ? null : (
          <Part title="A correction needs a second approver">
            <p className="break-words">{capital(effectHere(proposal.effect, refund))}.</p>
            <dl className="-mx-4 mt-1">
              <Fact name="Proposed by">
                {proposal.by} · <Age at={proposal.at} />
              </Fact>
              <Fact name="Reason">{proposal.reason}</Fact>
              {proposal.ticket === null ? null : <Fact name="Ticket">{proposal.ticket}</Fact>}
              <Fact name="Instruction">
                <Id id={proposal.instruction} what="the instruction" short />
              </Fact>
            </dl>
            <Next>A second approver approves or rejects it under Actions.</Next>
          </Part>
        )}
        {approval === null ? null : (
          <Part title="A credit needs a second approver">
            <dl className="-mx-4">
              <Fact name="Credit">
                <Amount amount={approval.amount} currency={approval.currency} strong />
              </Fact>
              <Fact name="Destination">
                <Destination destination={approval.destination} />
              </Fact>
              <Fact name="Reason">{capital(approval.why.map(meaning).join('; '))}</Fact>
              <CreditLimitsFact refund={refund} destination={approval.destination} />
              <Fact name="Instruction">
                <Id id={approval.instruction} what="the instruction" short />
              </Fact>
            </dl>
            <Next>Check the decline below and the destination, then approve or reject under Actions.</Next>
          </Part>
        )}
        {review === null ? null : (
          <Part title={review.why}>
            {reviewed === undefined ? null : <CaseDetails one={reviewed} />}
            <Next>{review.nextStep}</Next>
          </Part>
        )}
        {others.map((one) => (
          <Part key={`${one.why}-${one.openedAt}`} title={one.text}>
            <CaseDetails one={one} />
            <Next>{one.nextStep}</Next>
          </Part>
        ))}
        {blocks.length === 0 ? null : (
          <Part title="Why no credit is possible">
            <ul className="list-disc pl-5">
              {blocks.map((block) => (
                <li key={block}>{meaning(block)}</li>
              ))}
            </ul>
          </Part>
        )}
      </div>
    </Panel>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <div className="px-4 py-3 text-sm">
      <h3 className="mb-1 text-base font-medium break-words">{title}</h3>
      {children}
    </div>
  );
}

function CaseDetails({ one }: { readonly one: OpenCase }) {
  const details = Object.entries(one.details).filter(([, value]) => value !== null && value !== '');
  return (
    <p className="text-quiet">
      Opened <Age at={one.openedAt} />
      {details.map(([name, value]) => (
        <span key={name}>
          {' '}
          · {name}{' '}
          <code className="text-xs break-all">
            {typeof value === 'string' ? value : JSON.stringify(value)}
          </code>
        </span>
      ))}
    </p>
  );
}

function Next({ children }: { readonly children: string }) {
  return (
    <p className="mt-1.5 rounded-md bg-info-soft px-3 py-2 text-info">
      <span className="font-semibold">Safe next step: </span>
      {children}
    </p>
  );
}
