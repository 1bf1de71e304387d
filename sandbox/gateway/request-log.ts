/** A log of the requests that the gateway simulator received, for tests. It holds no card data and no tokens. */

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

const MAX_REQUESTS = 10_000;

export class RequestLog {
  #requests: LoggedRequest[] = [];

  /** Stores only the named fields of `parameters`, so that no secret is stored by mistake. */
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
    // Shortened only at twice the limit, so that a long run does not copy the list for every request.
    if (this.#requests.length > 2 * MAX_REQUESTS) this.#requests = this.#requests.slice(-MAX_REQUESTS);
  }

  /** Returns the latest 10,000 requests, oldest first. */
  list(): readonly LoggedRequest[] {
    return this.#requests.slice(-MAX_REQUESTS);
  }

  clear(): void {
    this.#requests = [];
  }
}
