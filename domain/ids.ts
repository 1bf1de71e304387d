/** Ids as types of their own, so that one kind cannot be passed for another. */
declare const brand: unique symbol;
declare const original: unique symbol;

/** A transaction at the gateway: 32 lowercase hex. */
export type GatewayId = string & { readonly [brand]: 'GatewayId' };

/** A transaction that took money or reserved it: the original that a refund refers to. */
export type PaymentId = GatewayId & { readonly [original]: true };

/** The merchant's channel at the gateway: 32 lowercase hex. */
export type EntityId = string & { readonly [brand]: 'EntityId' };

/** A refund: a UUID, lower case. */
export type RefundId = string & { readonly [brand]: 'RefundId' };

/** One attempt, which is one instruction to the gateway: a UUID, lower case. */
export type AttemptId = string & { readonly [brand]: 'AttemptId' };

const HEX_32 = /^[a-f0-9]{32}$/;
const UUID = /^[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}$/;

/**
 * True for the form of a gateway id. Checked before an id becomes part of an address: without an id, the address may be that of the
 * gateway's *create* endpoint, and the gateway would take a refund for a new payment.
 */
export const isGatewayId = (text: string): text is GatewayId => HEX_32.test(text);

/**
 * True if a text that the gateway gave as an id may be stored although it does not have the form of one: it shows that a transaction was
 * created. Text of digits alone is not stored, because it may be a card number.
 */
export const isIdOfSomeForm = (text: string): boolean =>
  /^[A-Za-z0-9._-]{1,64}$/.test(text) && (isGatewayId(text) || !/^\d[\d._-]*$/.test(text));

export const isPaymentId = (text: string): text is PaymentId => HEX_32.test(text);

export const isEntityId = (text: string): text is EntityId => HEX_32.test(text);

export const isRefundId = (text: string): text is RefundId => UUID.test(text);

export const isAttemptId = (text: string): text is AttemptId => UUID.test(text);

/** True for the reference of a sealed card. */
export const isCardRef = (text: string): boolean => UUID.test(text);
