/** The three operations that give money back. */

/**
 * `refund`: refers to a debit or a capture, and the gateway caps it by what was captured.
 * `reversal`: takes back an authorization before it is captured.
 * `credit`: a payment of its own to the customer's card. It refers to nothing, and nothing at the gateway caps it.
 */
export type Operation = 'refund' | 'reversal' | 'credit';
