/** The command `limits`: limits of credits without an approval, and what is used of them now. */
import { SUMMED_BY, type SummedBy } from '../../domain/refund/credit-limits.js';
import type { CreditLimitsView, LimitedSum } from '../credit-limits.js';
import { EXIT, WrongUse, type ExitCode } from './exit.js';
import type { Screen } from './screen.js';
import { printError, run, type OutputOptions } from './session.js';
import { table, type Column } from './table.js';
import { shortIds } from './text.js';

export interface LimitsOptions extends OutputOptions {
  readonly entity?: string | undefined;
  readonly currency?: string | undefined;
  readonly payment?: string | undefined;
  readonly registration?: string | undefined;
  readonly card?: string | undefined;
  readonly requester?: string | undefined;
}

export async function limits(options: LimitsOptions): Promise<ExitCode> {
  const { entity, currency, payment, registration, card, requester } = options;
  if (registration !== undefined && card !== undefined)
    return printError(
      options.json === true,
      new WrongUse([
        {
          field: '--registration',
          code: 'invalid',
          message: 'and --card: only one destination can be given',
        },
      ]),
    );
  return run(options, async (session) => {
    const views = await session.limits({
      ...{ entityId: entity, currency, paymentId: payment, registrationId: registration },
      ...{ cardRef: card, requester },
    });
    session.print(views, () => limitsText(views, session.screen));
    return EXIT.done;
  });
}

interface Row {
  readonly entityId: string;
  readonly currency: string;
  readonly of: 'single credit' | SummedBy;
  readonly sum: LimitedSum;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'entity', text: ({ entityId }) => entityId, shorter: shortIds },
  { title: 'credits', text: ({ of }) => (of === 'single credit' ? of : `for each ${of}`) },
  { title: 'used', text: ({ sum }) => sum.used ?? '', align: 'right' },
  { title: 'limit', text: ({ sum }) => sum.limit ?? 'none', align: 'right' },
  { title: '', text: ({ currency }) => currency },
  {
    title: 'within',
    text: ({ of, sum }) =>
      of === 'single credit' ? '' : sum.windowHours === null ? 'all time' : `${sum.windowHours} hours`,
  },
];

const rowsOf = (view: CreditLimitsView): readonly Row[] => [
  { ...view, of: 'single credit', sum: { limit: view.single, used: null, windowHours: null } },
  ...SUMMED_BY.map((of) => ({ ...view, of, sum: view[of] })),
];

export const limitsText = (views: readonly CreditLimitsView[], screen: Screen): string =>
  views.length === 0
    ? 'no limits: every credit needs an approver'
    : table(COLUMNS, views.flatMap(rowsOf), screen, { hint: false });
