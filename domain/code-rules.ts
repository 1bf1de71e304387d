/** Which result code is which refusal, for each way to pay: data, in the vendor's notation. */
import type { RefusalClass } from './refusal-classes.js';
import type { ResultGroupName } from './result-codes.js';
import type { Way } from './way.js';

/** Why a code that is neither a success nor pending proves no refusal either. */
export type CodeDoubt =
  /** Not three times three digits. */
  | 'malformed_code'
  /** In none of the lists, and its group does not say that it is a refusal. */
  | 'unlisted_code'
  /** The gateway lost its own line to the acquirer: executed or not, nobody has said. */
  | 'communication'
  /** The gateway itself failed. */
  | 'system'
  /** Reads like a success and is none: a person must look. */
  | 'manual_code'
  /** The answer to something else: a query, a checkout, an account update. */
  | 'not_a_result'
  /** A live host answered with a success of the test system. */
  | 'test_success_on_live'
  /** There is one already under this reference: that one tells the outcome. */
  | 'duplicate'
  /** It is being executed at this moment, perhaps by an earlier sending of the same order. */
  | 'already_processing';

export type CodeVerdict =
  | { readonly kind: 'refused'; readonly class: RefusalClass }
  | { readonly kind: 'unknown'; readonly why: CodeDoubt };

/** `100.400.000/001` names two codes; `100.380.*` and `800.2*` all that begin so. The longest match within one table counts. */
type Codes = string;
export type Rules<T extends string> = readonly (readonly [T, readonly Codes[]])[];

/** Answers after which nobody knows whether money moved: look the reference up, and believe nothing before. The same for every way. */
export const DOUBTS: Rules<CodeDoubt> = [
  [
    'communication',
    [
      '900.100.100/200/201/203/204/205/300/400/500/700',
      // "Timed out. It was reversed": a claim about money that has to be seen, not believed.
      '900.100.301',
      '900.200.100',
      '900.300.600',
      '900.400.100',
      '100.395.501/502',
      '100.396.103/104',
    ],
  ],
  ['system', ['600.1*', '999.*']],
  ['duplicate', ['800.110.100', '800.130.100', '200.200.106', '200.300.405']],
  ['already_processing', ['800.600.100', '800.120.402']],
  ['manual_code', ['000.100.105/106/211/212', '000.400.030/050', '000.500.*']],
  [
    'not_a_result',
    ['000.000.100', '000.200.100/101/102/999', '000.300.100/101/102/103', '000.310.*', '000.400.110/120'],
  ],
];

/** What a code says whatever was sent, unless the table of the way names it too. */
export const ANY_WAY: Rules<RefusalClass> = [
  ['already_given_back', ['700.300.300', '700.400.300']],
  ['disputed', ['700.300.500/600', '700.400.400/402/410/411/420', '000.100.2*']],
  ['repaid_by_bank', ['800.100.206/207']],
  ['not_owed', ['700.300.200', '100.350.100', '700.500.002/003']],
  ['our_data_wrong', ['700.100.300', '100.550.301', '100.550.701/702']],
  [
    'risk',
    [
      '800.2*',
      '800.3*',
      '100.400.0*',
      '100.400.1*',
      '100.400.2*',
      '100.400.3*',
      '100.380.*',
      '800.100.154/158',
      '800.140.*',
      '800.150.*',
      '800.160.*',
      // "Suspecting fraud, this card may not be processed": older editions of the vendor's groups have it under blacklist.
      '100.100.701',
    ],
  ],
  [
    'configuration',
    [
      '700.100.100/400/500/600/700/701/710',
      // Not found: a right id under a wrong entity is answered so too.
      '700.400.580',
      '700.400.700',
      '700.450.001',
      // What a refund of an unknown id is answered with.
      '600.200.500',
      '600.200.100/200/201/300/600/700/701/800/810',
      '600.300.*',
      '500.100.*',
      '500.200.*',
      '800.121.*',
      '800.900.*',
      '200.100.*',
      '200.300.403/404/406/407',
      '100.300.*',
      '100.500.*',
      '100.550.300/303/312/400/401',
      '100.600.500',
      '100.900.500',
      '800.100.156/173/174/175/177/190',
    ],
  ],
  [
    'wait',
    [
      '700.400.570',
      '800.100.155/161/162/163/164/176/178/179/191',
      '100.550.310/311',
      '800.120.1*',
      '800.120.2*',
      '800.120.401',
      '800.700.100',
      // Never sent to the acquirer, and acquirer down: the two of their family that are certain.
      '900.100.310/600',
      '800.800.400/800/801',
      '700.600.*',
    ],
  ],
  ['card_unusable', ['800.100.151/157/159/160/165/168/171/172/202', '800.310.200/210/211', '700.601.003']],
  [
    'unlisted',
    ['700.400.000', '100.350.101', '100.395.101/102', '100.396.101/102/106/201', '100.397.101/102'],
  ],
];

/** Codes about captures, receipts, chargebacks and the like; none of them answers an order of ours. */
const OF_OTHER_OPERATIONS = '700.400.100/101/510/540/550/560/561/562/565/590/600';

/** A refund (RF). Only here do refusals exist that may open the way to a credit. */
const REFUND: Rules<RefusalClass> = [
  ['not_linkable', ['700.500.001/004', '100.350.101', '700.300.100', '800.100.150/167', '100.397.102']],
  ['issuer_declined', ['800.100.100/152/170']],
  // In the communication group, and certain all the same.
  ['not_settled_yet', ['900.100.202']],
  ['partial_not_supported', ['700.100.200']],
  ['refund_not_enabled', ['600.200.202/310/400']],
  ['ambiguous', ['700.400.200']],
  ['not_captured', ['700.400.520']],
  ['other_operation', ['700.300.400/700/800', '700.400.530', OF_OTHER_OPERATIONS]],
];

/**
 * A reversal (RV). What would open the way to a credit after a refund does not here: an authorisation that cannot be reversed is
 * followed by a refund of what was captured, or lapses by itself.
 */
const REVERSAL: Rules<RefusalClass> = [
  // 700.300.100, "invalid type": a debit is refunded, not reversed.
  ['reversal_too_late', ['700.300.100/700/800', '700.400.530']],
  ['configuration', ['600.200.202/310/400']],
  [
    'unlisted',
    ['900.100.202', '800.100.151/157/159/160/165/168/171/172/202', '800.310.200/210/211', '700.601.003'],
  ],
  ['other_operation', ['700.300.400', '700.400.200/520', OF_OTHER_OPERATIONS]],
];

/** A credit (CD). It refers to nothing, so what codes say about an original is no answer to it. */
const CREDIT: Rules<RefusalClass> = [
  ['card_unusable', ['100.100.*', '100.150.*']],
  // About the request, the merchant or its terminal, whoever the customer is.
  [
    'configuration',
    [
      '100.100.104/500/501',
      '100.150.100/101',
      '500.*',
      '600.200.701',
      '700.400.580/700',
      '700.450.001',
      '800.100.156/173/174/175/177/190/305/316/325',
    ],
  ],
  // The merchant's own limits and the acquirer's state pass; a credit is never sent again by the program all the same.
  ['wait', ['800.100.164/191/327']],
  // The bank of the card did not take it. That is final, also where a refund would be tried again later.
  ['issuer_declined', ['800.100.*']],
  ['risk', ['100.100.701', '800.100.154/158']],
  ['credit_not_enabled', ['600.2*']],
  ['other_operation', ['700.3*', '700.4*', '700.5*']],
  ['unlisted', ['900.100.202', '000.100.2*']],
];

export const OF_WAY: Readonly<Record<Way, Rules<RefusalClass>>> = {
  refund: REFUND,
  reversal: REVERSAL,
  credit: CREDIT,
};

/** What a code means that no table names, by the vendor's group. */
export const BY_GROUP: Readonly<Record<ResultGroupName, CodeVerdict>> = {
  success: unknown('unlisted_code'),
  success_review: unknown('unlisted_code'),
  pending_short: unknown('unlisted_code'),
  pending_long: unknown('unlisted_code'),
  three_ds_or_intercard_risk: refused('risk'),
  bank: refused('unlisted'),
  communication: unknown('communication'),
  system: unknown('system'),
  // Half of the codes known are timeouts, so a new one may be another.
  asynchronous: unknown('unlisted_code'),
  soft_decline: refused('unlisted'),
  external_risk: refused('risk'),
  address_verification: refused('risk'),
  three_d_secure: refused('unlisted'),
  blacklist: refused('risk'),
  risk_validation: refused('risk'),
  configuration: refused('configuration'),
  registration: refused('configuration'),
  job: refused('configuration'),
  reference: refused('unlisted'),
  mac_control: refused('unlisted'),
  format: refused('configuration'),
  address: refused('configuration'),
  contact: refused('configuration'),
  account: refused('configuration'),
  amount: refused('configuration'),
  risk_management: refused('risk'),
  chargeback: refused('disputed'),
};

function refused(refusal: RefusalClass): CodeVerdict {
  return { kind: 'refused', class: refusal };
}

function unknown(why: CodeDoubt): CodeVerdict {
  return { kind: 'unknown', why };
}
