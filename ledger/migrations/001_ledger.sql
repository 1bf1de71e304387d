-- Up Migration

-- An original payment. Balances change only by the trigger on events, never by hand.
CREATE TABLE payments (
  id               text PRIMARY KEY CHECK (id ~ '^[a-f0-9]{32}$'),
  entity_id        text NOT NULL,
  type             text NOT NULL CHECK (type IN ('DB', 'PA')),
  state            text NOT NULL CHECK (state IN ('succeeded', 'pending', 'rejected')),
  currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  authorized_minor bigint NOT NULL CHECK (authorized_minor >= 0),
  captured_minor   bigint NOT NULL CHECK (captured_minor >= 0),
  registration_id  text CHECK (registration_id ~ '^[a-f0-9]{32}$'),
  reserved_minor   bigint NOT NULL DEFAULT 0 CHECK (reserved_minor >= 0),
  succeeded_minor  bigint NOT NULL DEFAULT 0 CHECK (succeeded_minor >= 0),
  returned_minor   bigint NOT NULL DEFAULT 0 CHECK (returned_minor >= 0),
  disputed_minor   bigint NOT NULL DEFAULT 0 CHECK (disputed_minor >= 0),
  -- What reality gave back beyond the limit (a chargeback crossing a refund, a refund made elsewhere). Never ours to add to.
  excess_minor     bigint NOT NULL DEFAULT 0 CHECK (excess_minor >= 0),
  imported_at      timestamptz NOT NULL DEFAULT now(),
  looked_up_at     timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT payment_balance CHECK (
    reserved_minor + succeeded_minor - returned_minor + disputed_minor
      <= CASE WHEN captured_minor > 0 THEN captured_minor ELSE authorized_minor END + excess_minor
  )
);

-- What a refund may refer to: the debit itself, or each capture of an authorisation.
CREATE TABLE captures (
  id           text PRIMARY KEY CHECK (id ~ '^[a-f0-9]{32}$'),
  payment_id   text NOT NULL REFERENCES payments (id),
  amount_minor bigint NOT NULL CHECK (amount_minor > 0)
);
CREATE INDEX captures_by_payment ON captures (payment_id);

-- The promise to the customer; one for each intent.
CREATE TABLE refunds (
  id              uuid PRIMARY KEY,
  payment_id      text NOT NULL REFERENCES payments (id),
  capture_id      text REFERENCES captures (id),
  caller          text NOT NULL CHECK (caller <> ''),
  idempotency_key text NOT NULL CHECK (idempotency_key <> ''),
  fingerprint     text NOT NULL,
  amount_minor    bigint NOT NULL CHECK (amount_minor > 0),
  currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  reason          text NOT NULL CHECK (reason <> ''),
  requested_by    text NOT NULL,
  order_id        text,
  destination     jsonb,
  metadata        jsonb,
  state           text NOT NULL,
  why             text,
  blocks          jsonb,
  -- What an approval is asked for: amount, currency, way and destination, and the hash that binds it to them.
  instruction     jsonb,
  version         integer NOT NULL DEFAULT 1,
  state_since     timestamptz NOT NULL DEFAULT now(),
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT refunds_by_key UNIQUE (caller, idempotency_key)
);
CREATE INDEX refunds_by_payment ON refunds (payment_id);
CREATE INDEX refunds_not_final ON refunds (state_since)
  WHERE state NOT IN ('succeeded', 'settled', 'closed_by_dispute', 'failed', 'canceled');

-- One instruction to the gateway. Its reference exists before a byte leaves.
CREATE TABLE attempts (
  id                 uuid PRIMARY KEY,
  refund_id          uuid NOT NULL REFERENCES refunds (id),
  payment_id         text NOT NULL REFERENCES payments (id),
  number             integer NOT NULL CHECK (number > 0),
  way                text NOT NULL CHECK (way IN ('refund', 'reversal', 'credit')),
  original_id        text,
  registration_id    text,
  reference          text NOT NULL,
  amount_minor       bigint NOT NULL CHECK (amount_minor > 0),
  state              text NOT NULL,
  sends              integer NOT NULL DEFAULT 1,
  send_by            timestamptz NOT NULL,
  gateway_id         text,
  result_code        text,
  result_description text,
  refusal_class      text,
  note               text,
  look_ups           integer NOT NULL DEFAULT 0,
  misses             integer NOT NULL DEFAULT 0,
  last_miss_at       timestamptz,
  opened_at          timestamptz NOT NULL DEFAULT now(),
  sent_at            timestamptz NOT NULL DEFAULT now(),
  answered_at        timestamptz,
  CONSTRAINT attempts_by_number UNIQUE (refund_id, number),
  CONSTRAINT attempts_by_reference UNIQUE (reference),
  CONSTRAINT attempts_by_gateway_id UNIQUE (gateway_id),
  CHECK ((way = 'credit') = (original_id IS NULL)),
  CHECK ((way = 'credit') = (registration_id IS NOT NULL))
);
-- At most one attempt of a refund may be open or be sent again.
CREATE UNIQUE INDEX attempts_one_open ON attempts (refund_id)
  WHERE state IN ('submitting', 'unknown', 'pending', 'absent');
CREATE INDEX attempts_by_payment ON attempts (payment_id);

-- Append-only. Balances are a function of these rows; each fact has a natural key, so the same fact twice is one row.
CREATE TABLE events (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  natural_key     text NOT NULL UNIQUE,
  type            text NOT NULL,
  payment_id      text NOT NULL REFERENCES payments (id),
  refund_id       uuid REFERENCES refunds (id),
  attempt_id      uuid REFERENCES attempts (id),
  reserved_delta  bigint NOT NULL DEFAULT 0,
  succeeded_delta bigint NOT NULL DEFAULT 0,
  returned_delta  bigint NOT NULL DEFAULT 0,
  disputed_delta  bigint NOT NULL DEFAULT 0,
  -- A fact from outside cannot be refused, even where it breaks the balance: the excess is kept and a case is opened.
  from_outside    boolean NOT NULL DEFAULT false,
  actor           text NOT NULL,
  data            jsonb NOT NULL DEFAULT '{}',
  at              timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX events_by_payment ON events (payment_id, id);
CREATE INDEX events_by_refund ON events (refund_id, id);

CREATE FUNCTION apply_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  beyond bigint;
BEGIN
  SELECT greatest(0,
           reserved_minor + NEW.reserved_delta + succeeded_minor + NEW.succeeded_delta
           - returned_minor - NEW.returned_delta + disputed_minor + NEW.disputed_delta
           - CASE WHEN captured_minor > 0 THEN captured_minor ELSE authorized_minor END)
    INTO beyond FROM payments WHERE id = NEW.payment_id;
  UPDATE payments SET
    reserved_minor  = reserved_minor + NEW.reserved_delta,
    succeeded_minor = succeeded_minor + NEW.succeeded_delta,
    returned_minor  = returned_minor + NEW.returned_delta,
    disputed_minor  = disputed_minor + NEW.disputed_delta,
    excess_minor    = CASE WHEN NEW.from_outside THEN beyond ELSE least(excess_minor, beyond) END
  WHERE id = NEW.payment_id;
  RETURN NULL;
END $$;
CREATE TRIGGER events_apply AFTER INSERT ON events FOR EACH ROW
  WHEN (NEW.reserved_delta <> 0 OR NEW.succeeded_delta <> 0 OR NEW.returned_delta <> 0 OR NEW.disputed_delta <> 0)
  EXECUTE FUNCTION apply_event();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are append-only';
END $$;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Look-ups made for an attempt and what they answered, for people.
CREATE TABLE look_ups (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  attempt_id uuid NOT NULL REFERENCES attempts (id),
  answer     text NOT NULL,
  at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX look_ups_by_attempt ON look_ups (attempt_id, id);

-- Something a person has to decide.
CREATE TABLE cases (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  payment_id text NOT NULL REFERENCES payments (id),
  refund_id  uuid NOT NULL REFERENCES refunds (id),
  why        text NOT NULL,
  details    jsonb NOT NULL DEFAULT '{}',
  opened_at  timestamptz NOT NULL DEFAULT now(),
  closed_at  timestamptz,
  closed_by  text
);
CREATE UNIQUE INDEX cases_one_open ON cases (refund_id, why) WHERE closed_at IS NULL;

-- A second person's word on one exact instruction.
CREATE TABLE approvals (
  refund_id   uuid NOT NULL REFERENCES refunds (id),
  instruction text NOT NULL,
  verdict     text NOT NULL CHECK (verdict IN ('approved', 'refused')),
  decided_by  text NOT NULL,
  reason      text NOT NULL,
  ticket      text,
  at          timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (refund_id, instruction)
);

-- Down Migration

DROP TABLE approvals, cases, look_ups, events, attempts, refunds, captures, payments;
DROP FUNCTION apply_event;
DROP FUNCTION refuse_change;
