/** What the gateway client throws: mistakes of the program or its settings. What the gateway or the network does is a result. */

/** The settings are unusable, or an entity was named that they do not hold. Nothing was sent. */
export class GatewaySettingsError extends Error {
  readonly code = 'gateway_settings';
  override readonly name = 'GatewaySettingsError';
}

/** A write was tried where none may happen, such as inside a database transaction. Nothing was sent. */
export class GatewayMisuseError extends Error {
  readonly code = 'gateway_misuse';
  override readonly name = 'GatewayMisuseError';
}

/** The budget has no query left for this need now. Nothing was sent. */
export class QueryBudgetSpent extends Error {
  readonly code = 'query_budget_spent';
  override readonly name = 'QueryBudgetSpent';
  /** Milliseconds after which the query may be tried again. */
  readonly retryAfter: number;

  constructor(retryAfter: number) {
    super('the queries that the gateway allows for this entity are spent for now');
    this.retryAfter = retryAfter;
  }
}

/** One field that would not be sent, by its name at the gateway, and what it may hold. Never its value: it may be a card number. */
export interface WrongField {
  readonly field: string;
  readonly allowed: string;
}

/** An order whose fields do not have the gateway's form. Names all of them. Nothing was sent. */
export class GatewayInputError extends Error {
  readonly code = 'gateway_input';
  override readonly name = 'GatewayInputError';
  readonly wrong: readonly WrongField[];

  constructor(operation: string, wrong: readonly WrongField[]) {
    super(
      `${operation} was not sent: ${wrong.map(({ field, allowed }) => `${field} must be ${allowed}`).join('; ')}`,
    );
    this.wrong = wrong;
  }
}
