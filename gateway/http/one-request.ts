/** Sends exactly one HTTP request, or none, and records whether a byte of it may have left. */
import type { Dispatcher } from 'undici';
import { elapsed, type Moment } from '../../domain/clock.js';
import type { NoAnswerReason, NotSentReason } from '../../domain/transaction.js';
import { decodeBody } from './content-coding.js';

/** Outcome of one request. */
export type Exchange =
  | {
      readonly kind: 'answered';
      readonly httpStatus: number;
      readonly location?: string;
      readonly body: string;
    }
  | {
      readonly kind: 'no_answer';
      readonly why: NoAnswerReason;
      readonly httpStatus?: number;
      /** The received part of the body. */
      readonly received?: string;
    }
  | { readonly kind: 'not_sent'; readonly why: NotSentReason };

export interface ExchangeLimits {
  readonly openedAt: Moment;
  /** Milliseconds from `openedAt` after which no byte may leave. */
  readonly sendWindow: number;
  /** Milliseconds from the tick in which the request is handed to the socket to the last byte of the answer. */
  readonly answerWithin: number;
  /** By the monotonic clock: when the wait ends even if `answerWithin` has not passed. */
  readonly finishBy?: number;
  readonly clock: () => Moment;
  readonly maxBodyBytes: number;
}

const LONGEST_TIMER = 2 ** 31 - 1;

/** Thrown into undici to prevent a write. Never leaves this file. */
class NotNow extends Error {}

/**
 * Sends once. Never rejects.
 *
 * undici's HTTP/1 client calls `onRequestStart` in the same tick in which it writes head and body (a body in memory is written with
 * the head in one corked write), and an exception from it makes the client drop the request without a byte. So what happens
 * before that call was certainly not sent, and what happens after it may have been.
 */
export function sendOnce(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  limits: ExchangeLimits,
): Promise<Exchange> {
  return new Promise((settle) => {
    const wait = timeLeft(limits);
    if (!(wait >= 0)) {
      settle({ kind: 'not_sent', why: 'deadline_passed' });
      return;
    }
    // undici's own timeouts count between packets and restart with each; the one timer here bounds the whole answer.
    dispatcher.dispatch(
      { ...request, headersTimeout: 0, bodyTimeout: 0 },
      new OneRequest(limits, wait, settle),
    );
  });
}

/** Milliseconds in which it may still be sent, by whichever of the two clocks leaves less; below zero where none are left. */
function timeLeft({ openedAt, sendWindow, clock }: ExchangeLimits): number {
  return sendWindow - elapsed(openedAt, clock());
}

class OneRequest implements Dispatcher.DispatchHandler {
  readonly #limits: ExchangeLimits;
  readonly #settle: (exchange: Exchange) => void;
  #phase: 'waiting' | 'sent' | 'over' = 'waiting';
  #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #httpStatus: number | undefined;
  #location: string | undefined;
  #contentEncoding: string | string[] | undefined;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(limits: ExchangeLimits, wait: number, settle: (exchange: Exchange) => void) {
    this.#limits = limits;
    this.#settle = settle;
    this.#timer = setTimeout(() => this.#deadlinePassed(), Math.min(wait, LONGEST_TIMER));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // A second start would be the same instruction on the wire twice. undici does that for pipelined requests only.
    if (this.#phase === 'sent') this.#lost('connection_lost');
    if (this.#phase === 'over') throw new NotNow();
    if (!(timeLeft(this.#limits) >= 0)) {
      this.#deadlinePassed();
      throw new NotNow();
    }
    this.#phase = 'sent';
    this.#controller = controller;
    clearTimeout(this.#timer);
    const answerWithin = Math.min(
      this.#limits.answerWithin,
      (this.#limits.finishBy ?? Infinity) - this.#limits.clock().monotonic,
      LONGEST_TIMER,
    );
    this.#timer = setTimeout(() => this.#lost('timeout'), answerWithin);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    httpStatus: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (httpStatus < 200) return;
    this.#httpStatus = httpStatus;
    const { location } = headers;
    this.#contentEncoding = headers['content-encoding'];
    if (typeof location === 'string') this.#location = location;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#phase !== 'sent') return;
    this.#bytes += chunk.byteLength;
    if (this.#bytes > this.#limits.maxBodyBytes) this.#lost('body_too_large');
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#phase !== 'sent' || this.#httpStatus === undefined) return;
    const httpStatus = this.#httpStatus;
    const body = decodeBody(Buffer.concat(this.#chunks), this.#contentEncoding, this.#limits.maxBodyBytes);
    if (!body.ok) {
      this.#end({ kind: 'no_answer', why: body.why, httpStatus });
      return;
    }
    this.#end({
      kind: 'answered',
      httpStatus,
      ...(this.#location !== undefined && { location: this.#location }),
      body: textOf(body.bytes),
    });
  }

  /** Returns the readable part of the body: nothing if it is compressed and incomplete. */
  #received(): string {
    const body = decodeBody(Buffer.concat(this.#chunks), this.#contentEncoding, this.#limits.maxBodyBytes);
    return body.ok ? textOf(body.bytes) : '';
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    switch (this.#phase) {
      case 'waiting':
        this.#end({ kind: 'not_sent', why: whyNotSent(error) });
        return;
      case 'sent':
        this.#lost(this.#httpStatus === undefined ? 'connection_lost' : 'body_cut_off');
        return;
      case 'over':
        return;
      default: {
        const impossible: never = this.#phase;
        return impossible;
      }
    }
  }

  #deadlinePassed(): void {
    this.#end({ kind: 'not_sent', why: 'deadline_passed' });
  }

  #lost(why: NoAnswerReason): void {
    const httpStatus = this.#httpStatus;
    const received = this.#received();
    this.#end({
      kind: 'no_answer',
      why,
      ...(httpStatus !== undefined && { httpStatus }),
      ...(received !== '' && { received }),
    });
    // The rest of this answer must never be taken for the next one's: the connection goes with it.
    this.#controller?.abort(new NotNow());
  }

  #end(exchange: Exchange): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    clearTimeout(this.#timer);
    this.#chunks = [];
    this.#settle(exchange);
  }
}

/** Lenient: one bad byte in an acquirer's remark must not hide the result code. */
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Maps what Node and undici report while a connection is made or waited for. */
function whyNotSent(error: Error): NotSentReason {
  const code = codeOf(error);
  if (/^(ENOTFOUND|EAI_\w+|ENODATA)$/.test(code)) return 'dns';
  if (/^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/.test(code)) return 'connect_timeout';
  if (/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL|EACCES|EPERM)$/.test(code)) {
    return 'refused';
  }
  if (/^(ERR_TLS|ERR_SSL|EPROTO$|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH)/.test(code)) {
    return 'tls';
  }
  return 'closed';
}

/** Returns the error's code. If several addresses of a host failed (AggregateError), returns the code of the first. */
function codeOf(error: Error): string {
  if ('code' in error && typeof error.code === 'string') return error.code;
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return first instanceof Error ? codeOf(first) : '';
}
