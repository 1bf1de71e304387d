-- An original payment. Balances change only by the trigger on events, never by hand.
-- Type CD: a credit that is linked to no payment. Its money is counted on a row of its own, whose limit is the amount that was asked for
-- and whose id is the refund's without the dashes: no gateway knows it.
CREATE TABLE payments (
  id               text PRIMARY KEY CHECK (id ~ '^[a-f0-9]{32}$'),
  entity_id        text NOT NULL,
  type             text NOT NULL CHECK (type IN ('DB', 'PA', 'CD')),
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
  -- Queries of the payment that found nothing: one alone is the gateway's visibility lag, not a case.
  misses           integer NOT NULL DEFAULT 0 CHECK (misses >= 0),
  last_miss_at     timestamptz,
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
  -- A refund, which may end as a credit, or a standalone credit from the start.
  asked_for       text NOT NULL DEFAULT 'refund' CHECK (asked_for IN ('refund', 'credit')),
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
-- The queue of what waits for an operator, and refunds by the ids that clients know.
CREATE INDEX refunds_waiting ON refunds (state_since) WHERE state IN ('manual_review', 'awaiting_approval');
CREATE INDEX refunds_by_order ON refunds (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX refunds_by_idempotency_key ON refunds (idempotency_key);

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
-- Attempts that nobody looks up any more once their refund has ended: few, and found without reading the others.
CREATE INDEX attempts_open ON attempts (refund_id) WHERE state IN ('submitting', 'unknown', 'pending');

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
CREATE INDEX cases_open ON cases (refund_id) WHERE closed_at IS NULL;

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

-- What one person proposes and a second one has to confirm: bound to its instruction, decided once.
CREATE TABLE proposals (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  refund_id      uuid NOT NULL REFERENCES refunds (id),
  attempt_id     uuid REFERENCES attempts (id),
  instruction    text NOT NULL,
  -- Outcome, evidence, amount and what it is bound to besides.
  details        jsonb NOT NULL,
  proposed_by    text NOT NULL CHECK (proposed_by <> ''),
  reason         text NOT NULL CHECK (reason <> ''),
  ticket         text,
  proposed_at    timestamptz NOT NULL DEFAULT now(),
  -- `alone`: within the limit up to which one person may. `overtaken`: the refund ended by other evidence first.
  verdict        text CHECK (verdict IN ('confirmed', 'refused', 'alone', 'overtaken')),
  decided_by     text,
  decided_at     timestamptz,
  CHECK ((verdict IS NULL) = (decided_at IS NULL))
);
CREATE INDEX proposals_by_refund ON proposals (refund_id, id);
CREATE UNIQUE INDEX proposals_one_open ON proposals (refund_id) WHERE verdict IS NULL;

-- What a person's word was answered, once for each word: whoever carries the same word out again, late or a second time, answers the
-- same and changes nothing.
CREATE TABLE answers (
  refund_id uuid NOT NULL REFERENCES refunds (id),
  -- A hash of what was said, by whom, and what names this word.
  word      text NOT NULL,
  answer    jsonb NOT NULL,
  at        timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (refund_id, word)
);

-- Who may speak to the HTTP API. The key's text exists at its owner only: here is the hash of its secret part.
CREATE TABLE api_keys (
  id          text PRIMARY KEY CHECK (id ~ '^[0-9a-z]{12}$'),
  -- The owner. Several keys may share it while one replaces the other: refunds and idempotency keys belong to the name.
  name        text NOT NULL CHECK (name <> ''),
  roles       text[] NOT NULL CHECK (roles <> '{}' AND roles <@ ARRAY['submit', 'read', 'operate', 'approve']),
  secret_hash text NOT NULL CHECK (secret_hash ~ '^[0-9a-f]{64}$'),
  created_at  timestamptz NOT NULL DEFAULT now(),
  revoked_at  timestamptz
);

-- What the gateway told by webhook, kept before it is answered and worked on afterwards. Nothing here is a fact about money: facts
-- are events. No card, no holder, no customer; and no foreign keys, for a notice may be about what nobody here knows.
CREATE TABLE webhooks (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  natural_key  text NOT NULL UNIQUE,
  kind         text NOT NULL CHECK (kind IN ('PAYMENT', 'REGISTRATION', 'SCHEDULE', 'RISK', 'TEST', 'OTHER')),
  entity_id    text,
  -- As the gateway spells and writes them.
  gateway_id   text,
  payment_type text,
  code         text,
  description  text,
  amount       text,
  currency     text,
  reference    text,
  referenced_id text,
  told_at      text,
  state        text NOT NULL CHECK (state IN ('received', 'processed', 'unmatched', 'ignored')),
  why          text,
  -- What it was found to be about.
  payment_id   text,
  refund_id    uuid,
  attempt_id   uuid,
  tries        integer NOT NULL DEFAULT 0,
  -- Look-ups of the payment that did not show yet what was told, and when one did.
  misses       integer NOT NULL DEFAULT 0,
  confirmed_at timestamptz,
  -- When somebody has to look at it (again). Taking it moves this on, so that a process that dies holds nothing for long.
  due_at       timestamptz,
  received_at  timestamptz NOT NULL DEFAULT now(),
  processed_at timestamptz
);
CREATE INDEX webhooks_due ON webhooks (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX webhooks_by_payment ON webhooks (payment_id, id) WHERE payment_id IS NOT NULL;
CREATE INDEX webhooks_by_refund ON webhooks (refund_id, id) WHERE refund_id IS NOT NULL;
CREATE INDEX webhooks_unmatched ON webhooks (id) WHERE state = 'unmatched';
CREATE INDEX webhooks_unmatched_by_gateway_id ON webhooks (gateway_id) WHERE state = 'unmatched';
CREATE INDEX webhooks_unmatched_by_referenced_id ON webhooks (referenced_id) WHERE state = 'unmatched';
CREATE INDEX webhooks_unmatched_by_reference ON webhooks (reference) WHERE state = 'unmatched';
CREATE INDEX webhooks_ignored ON webhooks (received_at) WHERE state = 'ignored';

-- The ledger has learned an id: what was told about it before, when nobody knew it, is taken up again.
CREATE FUNCTION take_up_webhooks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  learned text := CASE TG_TABLE_NAME WHEN 'events' THEN to_jsonb(NEW) #>> '{data,gatewayId}' ELSE to_jsonb(NEW) ->> TG_ARGV[0] END;
BEGIN
  UPDATE webhooks SET state = 'received', why = NULL, tries = 0, misses = 0, due_at = now()
    WHERE state = 'unmatched' AND (gateway_id = learned OR referenced_id = learned OR reference = learned);
  RETURN NULL;
END $$;
CREATE TRIGGER payments_take_up_webhooks AFTER INSERT ON payments
  FOR EACH ROW EXECUTE FUNCTION take_up_webhooks('id');
CREATE TRIGGER captures_take_up_webhooks AFTER INSERT ON captures
  FOR EACH ROW EXECUTE FUNCTION take_up_webhooks('id');
CREATE TRIGGER attempts_take_up_webhooks AFTER INSERT ON attempts
  FOR EACH ROW EXECUTE FUNCTION take_up_webhooks('reference');
CREATE TRIGGER attempts_take_up_webhooks_of_id AFTER UPDATE OF gateway_id ON attempts
  FOR EACH ROW WHEN (NEW.gateway_id IS DISTINCT FROM OLD.gateway_id) EXECUTE FUNCTION take_up_webhooks('gateway_id');
CREATE TRIGGER events_take_up_webhooks AFTER INSERT ON events
  FOR EACH ROW WHEN (NEW.type IN ('dispute.opened', 'payment.returned_elsewhere')) EXECUTE FUNCTION take_up_webhooks();

-- When the sweep gave a refund a run, and when it comes by again unless the refund changes before.
CREATE TABLE sweeps (
  refund_id uuid PRIMARY KEY REFERENCES refunds (id),
  version   integer NOT NULL,
  swept_at  timestamptz NOT NULL DEFAULT now(),
  due_at    timestamptz NOT NULL
);

-- What the audits found, newest last.
CREATE TABLE audits (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at          timestamptz NOT NULL DEFAULT now(),
  duration_ms integer NOT NULL CHECK (duration_ms >= 0),
  complete    boolean NOT NULL,
  violations  bigint NOT NULL CHECK (violations >= 0),
  report      jsonb NOT NULL
);

-- Whether facts are told to the caller at all: set by the worker from REFUNDS_EVENTS_URL. One row at most.
CREATE TABLE event_outlet (
  id    integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  is_on boolean NOT NULL
);

-- Events to be posted to the caller. Written in the transaction of the fact itself, so neither is there without the other.
CREATE TABLE event_deliveries (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  event_id     bigint NOT NULL UNIQUE REFERENCES events (id),
  refund_id    uuid NOT NULL REFERENCES refunds (id),
  type         text NOT NULL,
  state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
  tries        integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
  -- A try that is under way belongs to one dispatcher until then; who dies with it leaves it to the next.
  leased_until timestamptz,
  due_at       timestamptz NOT NULL DEFAULT now(),
  -- Tries go on for a bounded time from here; sending again starts it anew.
  since        timestamptz NOT NULL DEFAULT now(),
  last_try_at  timestamptz,
  last_status  integer,
  last_error   text,
  delivered_at timestamptz,
  created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX event_deliveries_due ON event_deliveries (due_at) WHERE state = 'waiting';
CREATE INDEX event_deliveries_by_refund ON event_deliveries (refund_id, event_id);
CREATE INDEX event_deliveries_dead ON event_deliveries (event_id) WHERE state = 'dead';
-- Events that arrived long ago are deleted, oldest first.
CREATE INDEX event_deliveries_delivered ON event_deliveries (delivered_at) WHERE state = 'delivered';

CREATE FUNCTION tell_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM event_outlet WHERE is_on) THEN
    INSERT INTO event_deliveries (event_id, refund_id, type) VALUES (NEW.id, NEW.refund_id, NEW.type);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER events_tell AFTER INSERT ON events FOR EACH ROW
  WHEN (NEW.refund_id IS NOT NULL AND NEW.type IN (
    'refund.pending', 'refund.awaiting_approval', 'refund.manual_review', 'refund.succeeded', 'refund.settled',
    'refund.returned', 'refund.failed', 'refund.canceled', 'refund.closed_by_dispute'))
  EXECUTE FUNCTION tell_event();
