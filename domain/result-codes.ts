/** The gateway's result codes: its own groups, and the few codes that mean money has moved. */

/** `type` of the host that answered. On a live host a test code means that nothing moved. */
export type GatewayHost = 'test' | 'live';

export interface ResultGroup {
  readonly name: ResultGroupName;
  /** The vendor's pattern, to be tried only on a code of the right shape. */
  readonly pattern: RegExp;
  readonly meaning: string;
}

export type ResultGroupName =
  | 'success'
  | 'success_review'
  | 'pending_short'
  | 'pending_long'
  | 'three_ds_or_intercard_risk'
  | 'bank'
  | 'communication'
  | 'system'
  | 'asynchronous'
  | 'soft_decline'
  | 'external_risk'
  | 'address_verification'
  | 'three_d_secure'
  | 'blacklist'
  | 'risk_validation'
  | 'configuration'
  | 'registration'
  | 'job'
  | 'reference'
  | 'mac_control'
  | 'format'
  | 'address'
  | 'contact'
  | 'account'
  | 'amount'
  | 'risk_management'
  | 'chargeback';

/**
 * The vendor's published groups, with its slips (`[00-99]`, an unescaped point) written as what they match. They say where a code
 * belongs, never that money has moved: the success group also holds chargeback representments and account updates.
 */
export const RESULT_GROUPS: readonly ResultGroup[] = [
  group('success', /^(000\.000\.|000\.100\.1|000\.[36]|000\.400\.1[12]0)/, 'Successfully processed'),
  group('success_review', /^(000\.400\.0[^3]|000\.400\.100)/, 'Successful, to be reviewed by hand'),
  group('pending_short', /^000\.200/, 'Pending, for about half an hour'),
  group('pending_long', /^(800\.400\.5|100\.400\.500)/, 'Pending, for days'),
  group('three_ds_or_intercard_risk', /^(000\.400\.1[0-9][1-9]|000\.400\.2)/, '3-D Secure or Intercard risk'),
  group('bank', /^(800\.[17]00|800\.800\.[123])/, 'Refused by the bank or an external payment system'),
  group('communication', /^(900\.[1234]00|000\.400\.030)/, 'Communication error'),
  group('system', /^(800\.[56]|999\.|600\.1|800\.800\.[84])/, 'System error'),
  group('asynchronous', /^100\.39[765]/, 'Error in an asynchronous workflow'),
  group('soft_decline', /^300\.100\.100/, 'The customer must authenticate'),
  group(
    'external_risk',
    /^(100\.400\.[0-3]|100\.380\.100|100\.380\.11|100\.380\.4|100\.380\.5)/,
    'Refused by an external risk system',
  ),
  group('address_verification', /^800\.400\.1/, 'Address verification failed'),
  group('three_d_secure', /^(800\.400\.2|100\.390)/, '3-D Secure failed'),
  group('blacklist', /^800\.[32]/, 'On a blacklist'),
  group('risk_validation', /^800\.1[123456]0/, 'Velocity, duplicate or throttling rule'),
  group('configuration', /^(600\.[23]|500\.[12]|800\.121)/, 'Not configured'),
  group('registration', /^100\.[13]50/, 'Registration'),
  group('job', /^(100\.250|100\.360)/, 'Scheduled job'),
  group('reference', /^700\.[1345][05]0/, 'The referenced transaction does not allow it'),
  group('mac_control', /^(700\.600|700\.601)/, 'Merchant advice: do not try again for now, or at all'),
  group('format', /^(200\.[123]|100\.[53][07]|800\.900|100\.[69]00\.500)/, 'Format of the request'),
  group('address', /^100\.800/, 'Address'),
  group('contact', /^(100\.700|100\.900\.[0-46-9][0-9])/, 'Contact'),
  group('account', /^(100\.100|100\.2[01])/, 'Account or card data'),
  group('amount', /^100\.55/, 'Amount'),
  group('risk_management', /^(100\.380\.[23]|100\.380\.101)/, 'Risk management'),
  group('chargeback', /^000\.100\.2/, 'Chargeback'),
];

/** Three times three digits. The patterns above would accept more, so this comes first. */
const CODE = /^\d{3}\.\d{3}\.\d{3}$/;

export const isResultCode = (code: string): boolean => CODE.test(code);

/** The vendor's group of a code. Undefined for a malformed code and for the few that the vendor left out, such as `000.500.000`. */
export function groupOf(code: string): ResultGroup | undefined {
  return isResultCode(code) ? RESULT_GROUPS.find(({ pattern }) => pattern.test(code)) : undefined;
}

/**
 * Every code that means "this refund, reversal or credit is done". Exact codes and nothing else: no pattern makes a success.
 */
export const SUCCESS_CODES: ReadonlySet<string> = new Set([
  '000.000.000',
  '000.100.110',
  '000.100.111',
  '000.100.112',
  '000.300.000',
  '000.600.000',
]);

/** Of the successes, those of the test system (integrator, validator, connector test mode). A live host that answers so moved nothing. */
export const TEST_SUCCESS_CODES: ReadonlySet<string> = new Set(['000.100.110', '000.100.111', '000.100.112']);

/** Done as well, and somebody ought to look: `please review manually due to …`. */
export const FLAGGED_SUCCESS_CODES: ReadonlySet<string> = new Set([
  '000.400.000',
  '000.400.010',
  '000.400.020',
  '000.400.040',
  '000.400.060',
  '000.400.070',
  '000.400.080',
  '000.400.081',
  '000.400.082',
  '000.400.090',
  '000.400.091',
  '000.400.100',
]);

/** Accepted, the final answer comes later. Other codes of the pending groups tell of checkouts, not of payments. */
export const PENDING_CODES: ReadonlySet<string> = new Set([
  '000.200.000',
  '000.200.001',
  '000.200.103',
  '000.200.200',
  '000.200.201',
  '100.400.500',
  '800.400.500',
  '800.400.501',
  '800.400.502',
]);

/** Read like successes and are none for a refund: partial, still open, of another amount, or about a chargeback. */
export const MANUAL_CODES: ReadonlySet<string> = new Set([
  '000.100.105',
  '000.100.106',
  '000.100.211',
  '000.100.212',
  '000.400.030',
  '000.400.050',
  '000.500.000',
  '000.500.100',
]);

function group(name: ResultGroupName, pattern: RegExp, meaning: string): ResultGroup {
  return { name, pattern, meaning };
}
