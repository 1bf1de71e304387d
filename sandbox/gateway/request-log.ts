/** What arrived at the gateway, for tests and the console: never card data, never tokens. */

export interface LoggedRequest {
  /** ISO 8601. */
  readonly time: string;
  readonly method: string;
  readonly path: string;
  readonly paymentType: string | null;
  readonly merchantTransactionId: string | null;
  readonly amount: string | null;
  readonly currency: string | null;
}

const KEPT = 10_000;

export class RequestLog {
  #requests: LoggedRequest[] = [];

  /** Takes only the named fields of `parameters`, so nothing else can be kept by mistake. */
  add(at: number, method: string, path: string, parameters: ReadonlyMap<string, string>): void {
    this.#requests.push({
      time: new Date(at).toISOString(),
      method,
      path,
      paymentType: parameters.get('paymentType') ?? null,
      merchantTransactionId: parameters.get('merchantTransactionId') ?? null,
      amount: parameters.get('amount') ?? null,
      currency: parameters.get('currency') ?? null,
    });
    // In steps, so that a long run does not copy the list for every request.
    if (this.#requests.length > 2 * KEPT) this.#requests = this.#requests.slice(-KEPT);
  }

  /** The latest 10,000, oldest first. */
  list(): readonly LoggedRequest[] {
    return this.#requests.slice(-KEPT);
  }

  clear(): void {
    this.#requests = [];
  }
}
