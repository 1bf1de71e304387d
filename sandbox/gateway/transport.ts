/** Faults of the connection: an answer is late, cut, replaced by a proxy's page, or lost. */
import type { EffectOf } from './faults.js';
import type { Answer, Delivery } from './types.js';

const HUGE = 4 * 1024 * 1024;

export function delivered(answer: Answer, afterMs = 0): Delivery {
  return { kind: 'answer', httpStatus: answer.httpStatus, body: answer.body, afterMs };
}

export function dropped(afterMs: number): Delivery {
  return { kind: 'dropped', afterMs };
}

/** The page of a proxy or firewall in front of the gateway. */
export function html(httpStatus: number, location: string | null): Delivery {
  const text = `<html><head><title>${httpStatus}</title></head><body><h1>${httpStatus}</h1><hr>proxy</body></html>`;
  return {
    kind: 'raw',
    httpStatus,
    contentType: 'text/html',
    text,
    location,
    cutOff: false,
    afterMs: 0,
  };
}

/** Executes the request, unless the fault loses it, and applies the fault to the answer. */
export function travel(fault: EffectOf<'transport'> | null, carryOut: () => Answer): Delivery {
  switch (fault?.kind) {
    case undefined:
      return delivered(carryOut());
    case 'accept_then_drop':
      carryOut();
      return dropped(fault.dropAfterMs);
    case 'answer_after':
      return delivered(carryOut(), fault.ms);
    case 'http_error':
      if (fault.executed) carryOut();
      return html(fault.status, fault.location ?? null);
    case 'broken_body':
      return broken(fault.form, fault.executed ? carryOut() : { httpStatus: 200, body: {} });
  }
}

type BrokenForm = Extract<EffectOf<'transport'>, { kind: 'broken_body' }>['form'];

function broken(form: BrokenForm, answer: Answer): Delivery {
  const whole = JSON.stringify(answer.body);
  const raw = (text: string, cutOff = false): Delivery => ({
    kind: 'raw',
    httpStatus: answer.httpStatus,
    contentType: 'application/json;charset=UTF-8',
    text,
    location: null,
    cutOff,
    afterMs: 0,
  });
  switch (form) {
    case 'truncated':
      return raw(whole.slice(0, whole.length / 2));
    case 'cut_off':
      return raw(whole, true);
    case 'garbage':
      return raw('\u0000\u0001 not an answer');
    case 'no_result':
      return raw(JSON.stringify({ ...answer.body, result: undefined }));
    case 'empty':
      return raw('');
    case 'huge':
      return raw(whole + ' '.repeat(HUGE));
  }
}
