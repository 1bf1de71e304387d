/** The result codes that the simulator returns without a fault, with the descriptions of the vendor's published list. */

const TEXTS: ReadonlyMap<string, string> = new Map([
  ['000.000.000', 'Transaction succeeded'],
  ['000.000.100', 'successful request'],
  ['000.100.110', "Request successfully processed in 'Merchant in Integrator Test Mode'"],
  ['000.100.112', "Request successfully processed in 'Merchant in Connector Test Mode'"],
  ['000.100.200', 'Reason not Specified'],
  ['000.200.000', 'transaction pending'],
  ['100.100.100', 'request contains no creditcard, bank account number or bank name'],
  ['100.100.101', 'invalid creditcard, bank account number or bank name'],
  ['100.100.600', 'empty CVV for VISA,MASTER, AMEX not allowed'],
  ['100.100.700', 'invalid cc number/brand combination'],
  ['100.150.200', 'registration does not exist'],
  ['100.150.201', 'registration is not confirmed yet'],
  ['100.150.203', 'registration is not valid, probably initially rejected'],
  ['100.150.202', 'registration is already deregistered'],
  ['100.300.101', 'invalid test mode (please use LIVE or INTEGRATOR_TEST or CONNECTOR_TEST)'],
  ['100.397.102', 'Rejected by connector/acquirer due to external update'],
  ['100.550.300', 'request contains no amount or too low amount'],
  ['200.300.404', 'invalid or missing parameter'],
  ['600.200.202', 'Channel/Merchant not configured for this payment type'],
  [
    '600.200.500',
    'Invalid payment data. You are not configured for this currency or sub type (country or brand)',
  ],
  ['600.200.701', 'testMode not allowed on production'],
  ['700.100.500', 'referenced payment currency does not match with requested payment currency'],
  ['700.300.200', 'referenced tx was rejected'],
  [
    '700.300.300',
    'referenced tx can not be refunded, captured or reversed (already refunded, captured or reversed)',
  ],
  ['700.300.500', 'chargeback error (multiple chargebacks)'],
  ['700.300.600', 'referenced tx can not be refunded or reversed (was chargebacked)'],
  ['700.300.700', 'referenced tx can not be reversed (reversal not possible anymore)'],
  ['700.400.100', 'cannot capture (PA value exceeded, PA reverted or invalid workflow?)'],
  ['700.400.200', 'cannot refund (refund volume exceeded or tx reversed or invalid workflow?)'],
  ['700.400.300', 'cannot reverse (already refunded|reversed, invalid workflow or amount exceeded)'],
  ['700.400.510', 'capture needs at least one successful transaction of type (PA)'],
  ['700.400.520', 'refund needs at least one successful transaction of type (CP or DB or RB or RC)'],
  ['700.400.530', 'reversal needs at least one successful transaction of type (CP or DB or RB or PA)'],
  ['700.400.570', 'cannot reference a waiting/pending transaction'],
  ['700.400.580', 'cannot find transaction'],
  ['800.100.100', 'transaction declined for unknown reason'],
  ['800.100.151', 'transaction declined (invalid card)'],
  ['800.100.152', 'transaction declined by authorization system'],
  ['800.100.165', 'transaction declined (card lost)'],
  ['800.100.167', 'transaction declined (referencing transaction does not match)'],
  ['800.120.100', 'Rejected by Throttling.'],
  ['800.400.502', 'Waiting for confirmation of non-instant refund. Denied for now.'],
  ['800.900.300', 'invalid authentication information'],
  ['900.100.300', 'timeout, uncertain result'],
]);

/** Returns the description of `code`. A code that only a fault can return has a fixed text. */
export function textOf(code: string): string {
  return TEXTS.get(code) ?? 'result chosen by a fault of the simulator';
}

/** The list that `GET /v1/resultcodes` returns. */
export function listedCodes(): readonly {
  readonly code: string;
  readonly description: string;
}[] {
  return [...TEXTS].map(([code, description]) => ({ code, description }));
}

/** Returns the state of a transaction with this code, by the vendor's groups: success, pending, else rejected. */
export function stateOfCode(code: string): 'succeeded' | 'pending' | 'rejected' {
  if (/^(000\.200|800\.400\.5|100\.400\.500)/.test(code)) return 'pending';
  if (/^(000\.000\.|000\.100\.1|000\.[36]|000\.400\.1[12]0|000\.400\.0[^3]|000\.400\.100)/.test(code)) {
    return 'succeeded';
  }
  return 'rejected';
}

/** True if the gateway creates no transaction for this code: the answer has no id and queries find nothing. */
export function createsNoTransaction(code: string): boolean {
  return /^(200\.[123]|100\.300|100\.550\.30|800\.900\.|800\.120\.100|600\.200\.701)/.test(code);
}
