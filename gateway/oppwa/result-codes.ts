/** Table of the gateway's result codes: each code or prefix once, with its meanings. */
import type { DeclineClass } from '../../domain/decline-class.js';
import type { ResultDoubt } from '../../domain/transaction.js';

/**
 * Meaning of a code for a refund, reversal or credit. `done`: executed. `done_in_test`: executed by the test system (integrator, validator,
 * connector test mode); on a live host no money moved. `flagged`: executed, and the gateway asks for a manual review. `pending`: accepted,
 * the final answer comes later. Any other meaning: a doubt, or the class of a decline.
 */
export type CodeMeaning = 'done' | 'done_in_test' | 'flagged' | 'pending' | ResultDoubt | DeclineClass;

/** Meaning of a code that is the answer to a query. */
export type QueryMeaning = 'not_found' | 'throttled' | 'forbidden' | 'not_offered';

/** Meaning of a code by operation. `refund` and `reversal` override `linked`, which overrides `all`. If none applies: the row of a shorter prefix, then the group. */
export interface Meanings {
  readonly all?: CodeMeaning;
  /** For refunds and reversals, which refer to an original. */
  readonly linked?: CodeMeaning;
  readonly refund?: CodeMeaning;
  readonly reversal?: CodeMeaning;
  readonly credit?: CodeMeaning;
}

export interface CodeRow extends Meanings {
  /** Codes separated by spaces. `100.400.000/001` is two codes; `100.380.*` and `800.2*` are prefixes. The longest match applies. */
  readonly codes: string;
  readonly query?: QueryMeaning;
  /** A chargeback with this code was executed. */
  readonly isChargeback?: true;
}

/**
 * To add a code, add it to the row of its meaning: this table is the only place. Success and pending are exact codes, never prefixes. A credit
 * may follow the decline of a refund, but not of a reversal: an authorization that cannot be reversed is refunded once it is captured, or
 * expires. A credit refers to no original, so a code about an original is not a valid answer to it.
 */
export const CODE_ROWS: readonly CodeRow[] = [
  // Executed, or accepted.
  { codes: '000.000.000 000.300.000 000.600.000', all: 'done' },
  { codes: '000.100.110/111/112', all: 'done_in_test' },
  { codes: '000.400.000/010/020/040/060/070/080/081/082/090/091/100', all: 'flagged' },
  // The other codes in the vendor's pending groups are about checkouts, not about payments.
  { codes: '000.200.000/001/103/200/201 100.400.500 800.400.500/501/502', all: 'pending' },

  // It is unknown whether money moved: the next step is a query by reference.
  { codes: '900.100.100/200/201/203/204/205/300/400/500/700', all: 'communication' },
  // "Timed out. It was reversed": a query has to confirm the reversal.
  { codes: '900.100.301', all: 'communication' },
  { codes: '900.200.100 900.300.600 900.400.100 100.395.501/502 100.396.103/104', all: 'communication' },
  { codes: '600.1* 999.*', all: 'system' },
  { codes: '800.110.100 800.130.100 200.200.106 200.300.405', all: 'duplicate' },
  { codes: '800.600.100 800.120.402', all: 'already_processing' },
  { codes: '000.100.105/106/211/212 000.400.030/050 000.500.*', all: 'manual_code' },
  { codes: '000.000.100 000.200.100/101/102/999 000.300.100/101/102/103', all: 'not_a_result' },
  { codes: '000.310.* 000.400.110/120', all: 'not_a_result' },

  // The original does not allow a refund that refers to it.
  { codes: '700.500.001/004', refund: 'not_linkable' },
  { codes: '100.350.101 100.397.102', all: 'unlisted', refund: 'not_linkable' },
  // "Invalid type": a debit can be refunded but not reversed.
  { codes: '700.300.100', refund: 'not_linkable', reversal: 'reversal_too_late' },
  { codes: '800.100.150', refund: 'not_linkable' },
  { codes: '800.100.167', refund: 'unknown_to_acquirer' },
  { codes: '800.100.100/152/170', refund: 'issuer_declined' },
  // In the vendor's group of communication errors, but certain: no money moved.
  { codes: '900.100.202', all: 'unlisted', refund: 'not_settled_yet' },
  { codes: '700.100.200', refund: 'partial_not_supported' },
  { codes: '600.200.202/310/400', refund: 'refund_not_enabled', reversal: 'configuration' },
  { codes: '700.400.200', refund: 'ambiguous', reversal: 'other_operation' },
  { codes: '700.400.520', refund: 'not_captured', reversal: 'other_operation' },
  { codes: '700.300.700/800 700.400.530', refund: 'other_operation', reversal: 'reversal_too_late' },
  // About captures, receipts, chargebacks and the like.
  { codes: '700.300.400', linked: 'other_operation' },
  { codes: '700.400.100/101/510/540/550/560/561/562/565/590/600', linked: 'other_operation' },

  // The customer has the money already, or is not owed any: a credit would be wrong.
  { codes: '700.300.300 700.400.300', linked: 'already_returned' },
  { codes: '700.300.500/600 700.400.400/402/410/411/420', linked: 'disputed' },
  { codes: '000.100.2*', linked: 'disputed', credit: 'unlisted', isChargeback: true },
  { codes: '800.100.206/207', linked: 'repaid_by_bank' },
  { codes: '700.300.200 700.500.002/003', linked: 'not_owed' },
  { codes: '100.350.100', all: 'not_owed' },
  { codes: '700.100.300 100.550.301/701/702', all: 'our_data_wrong' },
  { codes: '800.2* 800.3* 100.400.0* 100.400.1* 100.400.2* 100.400.3* 100.380.*', all: 'risk' },
  { codes: '800.140.* 800.150.* 800.160.* 800.100.154/158', all: 'risk' },
  // "Suspecting fraud, this card may not be processed". Older versions of the vendor's groups list it under blacklist.
  { codes: '100.100.701', all: 'risk' },

  // Our request, account or configuration is wrong.
  { codes: '700.100.100/400/500/600/700/701/710', all: 'configuration' },
  // Not found. Also the answer to an existing id under the wrong entity.
  { codes: '700.400.580', all: 'configuration', query: 'not_found' },
  { codes: '700.400.700 700.450.001', all: 'configuration' },
  // The answer to a refund of an unknown id.
  { codes: '600.200.500', linked: 'configuration' },
  { codes: '600.200.100/200/201/300/600/700/800/810', linked: 'configuration' },
  { codes: '600.200.701 600.300.* 500.100.* 500.200.*', all: 'configuration' },
  { codes: '800.121.*', all: 'configuration', query: 'not_offered' },
  { codes: '800.900.*', all: 'configuration' },
  // A wrong token, or reporting is not enabled for the account.
  { codes: '800.900.300', all: 'configuration', query: 'forbidden' },
  { codes: '200.100.* 200.300.403/404/406/407 100.300.* 100.500.*', all: 'configuration' },
  { codes: '100.550.300/303/312/400/401 100.600.500 100.900.500', all: 'configuration' },
  { codes: '800.100.156/173/174/175/177/190', all: 'configuration' },

  // Temporary: the same order may succeed later.
  { codes: '700.400.570 800.100.155/161/162/163/176/178/179', linked: 'wait' },
  { codes: '800.100.164/191 100.550.310/311 800.120.1* 800.120.2* 800.120.401 800.700.100', all: 'wait' },
  { codes: '800.120.100', all: 'wait', query: 'throttled' },
  // Not sent to the acquirer; acquirer unavailable. Unlike the rest of the communication group, these prove that no money moved.
  { codes: '900.100.310/600', all: 'wait' },
  { codes: '800.800.400/800/801 700.600.*', all: 'wait' },

  // The card.
  {
    codes: '800.100.151/157/159/160/165/168/171/172/202',
    refund: 'card_unusable',
    reversal: 'unlisted',
  },
  { codes: '800.310.200/210/211 700.601.003', all: 'card_unusable', reversal: 'unlisted' },
  { codes: '700.400.000', linked: 'unlisted' },
  { codes: '100.395.101/102 100.396.101/102/106/201 100.397.101', all: 'unlisted' },

  // For credits only.
  { codes: '100.100.* 100.150.*', credit: 'card_unusable' },
  { codes: '100.100.104/500/501 100.150.100/101 500.*', credit: 'configuration' },
  { codes: '800.100.305/316/325', credit: 'configuration' },
  { codes: '800.100.327', credit: 'wait' },
  // The issuer declined the credit. This is final, even for codes after which a refund would be tried again.
  { codes: '800.100.*', credit: 'issuer_declined' },
  { codes: '600.2*', credit: 'credit_not_enabled' },
  { codes: '700.3* 700.4* 700.5*', credit: 'other_operation' },
];

export interface CodeGroup {
  readonly name: string;
  /** The vendor's pattern. It also matches malformed codes, so check the form first. */
  readonly pattern: RegExp;
  readonly meaning: string;
  readonly all: CodeMeaning;
}

/**
 * The vendor's published groups, used for a code without a row above. Typing errors in the vendor's patterns (`[00-99]`, an unescaped dot) are
 * corrected. No group means that money moved: the success group also contains chargeback representments and account updates.
 */
export const CODE_GROUPS = [
  group(
    'success',
    /^(000\.000\.|000\.100\.1|000\.[36]|000\.400\.1[12]0)/,
    'unlisted_code',
    'Successfully processed',
  ),
  group(
    'success_review',
    /^(000\.400\.0[^3]|000\.400\.100)/,
    'unlisted_code',
    'Successful, to be reviewed by hand',
  ),
  group('pending_short', /^000\.200/, 'unlisted_code', 'Pending, for about half an hour'),
  group('pending_long', /^(800\.400\.5|100\.400\.500)/, 'unlisted_code', 'Pending, for days'),
  group(
    'three_ds_or_intercard_risk',
    /^(000\.400\.1[0-9][1-9]|000\.400\.2)/,
    'risk',
    '3-D Secure or Intercard risk',
  ),
  group(
    'bank',
    /^(800\.[17]00|800\.800\.[123])/,
    'unlisted',
    'Declined by the bank or an external payment system',
  ),
  group('communication', /^(900\.[1234]00|000\.400\.030)/, 'communication', 'Communication error'),
  group('system', /^(800\.[56]|999\.|600\.1|800\.800\.[84])/, 'system', 'System error'),
  // Half of the known codes in this group are timeouts, so an unknown one may be a timeout too.
  group('asynchronous', /^100\.39[765]/, 'unlisted_code', 'Error in an asynchronous workflow'),
  group('soft_decline', /^300\.100\.100/, 'unlisted', 'The customer must authenticate'),
  group(
    'external_risk',
    /^(100\.400\.[0-3]|100\.380\.100|100\.380\.11|100\.380\.4|100\.380\.5)/,
    'risk',
    'Declined by an external risk system',
  ),
  group('address_verification', /^800\.400\.1/, 'risk', 'Address verification failed'),
  group('three_d_secure', /^(800\.400\.2|100\.390)/, 'unlisted', '3-D Secure failed'),
  group('blacklist', /^800\.[32]/, 'risk', 'On a blacklist'),
  group('risk_validation', /^800\.1[123456]0/, 'risk', 'Velocity, duplicate or throttling rule'),
  group('configuration', /^(600\.[23]|500\.[12]|800\.121)/, 'configuration', 'Not configured'),
  group('registration', /^100\.[13]50/, 'configuration', 'Registration'),
  group('job', /^(100\.250|100\.360)/, 'configuration', 'Scheduled job'),
  group('reference', /^700\.[1345][05]0/, 'unlisted', 'The referenced transaction does not allow it'),
  group(
    'mac_control',
    /^(700\.600|700\.601)/,
    'unlisted',
    'Merchant advice: do not try again for now, or at all',
  ),
  group(
    'format',
    /^(200\.[123]|100\.[53][07]|800\.900|100\.[69]00\.500)/,
    'configuration',
    'Format of the request',
  ),
  group('address', /^100\.800/, 'configuration', 'Address'),
  group('contact', /^(100\.700|100\.900\.[0-46-9][0-9])/, 'configuration', 'Contact'),
  group('account', /^(100\.100|100\.2[01])/, 'configuration', 'Account or card data'),
  group('amount', /^100\.55/, 'configuration', 'Amount'),
  group('risk_management', /^(100\.380\.[23]|100\.380\.101)/, 'risk', 'Risk management'),
  group('chargeback', /^000\.100\.2/, 'disputed', 'Chargeback'),
] as const;

function group<Name extends string>(
  name: Name,
  pattern: RegExp,
  all: CodeMeaning,
  meaning: string,
): CodeGroup & { readonly name: Name } {
  return { name, pattern, meaning, all };
}
