/** Errors of the gateway client: mistakes of the program or its settings. Failures of the gateway or the network are results, not errors. */

/** Thrown when the settings are unusable, or an entity is not configured. Nothing was sent. */
export class GatewaySettingsError extends Error {
  readonly code = 'gateway_settings';
  override readonly name = 'GatewaySettingsError';
}

/** Thrown when a write is not allowed now, such as inside a database transaction. Nothing was sent. */
export class GatewayMisuseError extends Error {
  readonly code = 'gateway_misuse';
  override readonly name = 'GatewayMisuseError';
}

/** Thrown when the budget has no query left for this need now. Nothing was sent. */
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

/** A wrong field, by its name at the gateway, with the allowed form. Never contains the value: it may be a card number. */
export interface WrongField {
  readonly field: string;
  readonly allowed: string;
}

/** Thrown when fields of an order do not have the gateway's form. Names all of them. Nothing was sent. */
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
