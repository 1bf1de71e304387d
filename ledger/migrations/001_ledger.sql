-- The money that can be given back on a payment: what was captured and what reversals released beside it, or, while nothing is captured,
-- what was authorized.
CREATE FUNCTION payment_limit(captured bigint, released bigint, authorized bigint) RETURNS bigint
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN captured > 0 THEN captured + released ELSE authorized END;

-- An original payment. Balances change only by the trigger on events, never by hand.
-- Type CD: a credit that is linked to no payment. Its money is counted on a row of its own, whose limit is the amount that was asked for
-- and whose id is the refund's without the dashes: no gateway knows it.
-- Type CP: one capture, whose authorization is another row or none. Its money is counted here and nowhere else.
CREATE TABLE payments (
  id               text PRIMARY KEY CHECK (id ~ '^[a-f0-9]{32}$'),
  entity_id        text NOT NULL,
  type             text NOT NULL CHECK (type IN ('DB', 'PA', 'CP', 'CD')),
  state            text NOT NULL CHECK (state IN ('succeeded', 'pending', 'rejected')),
  currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  authorized_minor bigint NOT NULL CHECK (authorized_minor >= 0),
  captured_minor   bigint NOT NULL CHECK (captured_minor >= 0),
  registration_id  text CHECK (registration_id ~ '^[a-f0-9]{32}$'),
  -- What a client declared of the payment first, and whether a query has shown it. Refunds may be sent on a declared payment; a credit
  -- needs what the gateway shows.
  declared         jsonb,
  is_seen          boolean NOT NULL DEFAULT true,
  reserved_minor   bigint NOT NULL DEFAULT 0 CHECK (reserved_minor >= 0),
  succeeded_minor  bigint NOT NULL DEFAULT 0 CHECK (succeeded_minor >= 0),
  returned_minor   bigint NOT NULL DEFAULT 0 CHECK (returned_minor >= 0),
  disputed_minor   bigint NOT NULL DEFAULT 0 CHECK (disputed_minor >= 0),
  -- What reversals of ours released of money that was never captured. It is part of what was given back, and part of what could be.
  released_minor   bigint NOT NULL DEFAULT 0 CHECK (released_minor >= 0),
  -- What is given back or promised beyond the limit: a function of the row, computed here and nowhere else.
  excess_minor     bigint GENERATED ALWAYS AS (
    greatest(0, reserved_minor + succeeded_minor - returned_minor + disputed_minor
      - payment_limit(captured_minor, released_minor, authorized_minor))
  ) STORED,
  -- Queries of the payment that found nothing: one alone is the gateway's visibility lag, not a case.
  not_found_count  integer NOT NULL DEFAULT 0 CHECK (not_found_count >= 0),
  last_miss_at     timestamptz,
  imported_at      timestamptz NOT NULL DEFAULT now(),
  -- When the query began that the payment was last brought up to date with; null: the gateway has not been seen. An observation that
  -- began before it changes nothing.
  observed_at      timestamptz
);

-- What a refund may refer to: the debit itself, or each capture of an authorisation.
CREATE TABLE captures (
  id              text PRIMARY KEY CHECK (id ~ '^[a-f0-9]{32}$'),
  payment_id      text NOT NULL REFERENCES payments (id),
  -- A capture that the gateway shows no longer has nothing left to refund; refunds may refer to it.
  amount_minor    bigint NOT NULL CHECK (amount_minor >= 0),
  -- What was taken from a capture without us: what certainly was, and what may have been (a refund that names no capture).
  elsewhere_minor bigint NOT NULL DEFAULT 0 CHECK (elsewhere_minor >= 0),
  doubtful_minor  bigint NOT NULL DEFAULT 0 CHECK (doubtful_minor >= 0)
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
  -- What the customer has of a refund from outside of the program: by refunds or reversals that were not made here, and by chargebacks.
  elsewhere_minor    bigint NOT NULL DEFAULT 0 CHECK (elsewhere_minor >= 0),
  charged_back_minor bigint NOT NULL DEFAULT 0 CHECK (charged_back_minor >= 0),
  -- A payment that could not be read when a refund needed it: for what, since when, how often, and what the gateway answered last.
  unread_for      text CHECK (unread_for IN ('compare', 'credit')),
  unread_since    timestamptz,
  unread_at       timestamptz,
  unread_times    integer NOT NULL DEFAULT 0,
  unread_answer   text,
  -- How often an operator took the refund back to its first unsent step. Attempts up to `attempts_before` count towards no budget.
  replays         integer NOT NULL DEFAULT 0,
  attempts_before integer NOT NULL DEFAULT 0,
  version         integer NOT NULL DEFAULT 1,
  state_since     timestamptz NOT NULL DEFAULT now(),
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT refunds_by_key UNIQUE (caller, idempotency_key),
  CONSTRAINT refunds_unread CHECK ((unread_for IS NULL) = (unread_since IS NULL) AND (unread_for IS NULL) = (unread_at IS NULL))
);
CREATE INDEX refunds_by_payment ON refunds (payment_id);
CREATE INDEX refunds_not_final ON refunds (state_since)
  WHERE state NOT IN ('succeeded', 'settled', 'closed_by_dispute', 'refunded_elsewhere', 'failed', 'canceled');
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
  -- For the limits of credits: the currency, and who asked for the refund, with capitals, blanks and invisible characters out of the way.
  currency           text NOT NULL,
  requester          text NOT NULL,
  -- A second approver has seen this credit: it counts for no limit.
  approved           boolean NOT NULL DEFAULT false,
  sends              integer NOT NULL DEFAULT 1,
  -- Submissions of an absent attempt that are not counted towards any budget.
  sends_before       integer NOT NULL DEFAULT 0,
  -- Submissions of which the sender knows that no byte left: a decline that is found cannot be of these.
  never_left         integer NOT NULL DEFAULT 0 CHECK (never_left >= 0 AND never_left <= sends),
  send_by            timestamptz NOT NULL,
  gateway_id         text,
  -- Ids that the gateway gave where nothing certain came with them: kept as they came. With one the attempt is never taken for absent.
  seen_ids           text[],
  -- What an executed reversal gave back, where captures show that it was less than ordered.
  given_minor        bigint CHECK (given_minor BETWEEN 0 AND amount_minor),
  result_code        text,
  result_description text,
  refusal_class      text,
  note               text,
  look_ups           integer NOT NULL DEFAULT 0,
  not_found_count    integer NOT NULL DEFAULT 0,
  last_miss_at       timestamptz,
  -- When the open attempt was last queried: a run that begins anew waits only for what is left until the next query.
  looked_up_at       timestamptz,
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
CREATE INDEX attempts_by_seen_id ON attempts USING gin (seen_ids) WHERE seen_ids IS NOT NULL;
-- Limits hold for sums: for each payment, destination and requester over a day. Each sum is read from an index of its own.
CREATE INDEX attempts_credits_by_payment ON attempts (payment_id, sent_at) WHERE way = 'credit' AND NOT approved;
CREATE INDEX attempts_credits_by_requester ON attempts (requester, currency, sent_at) WHERE way = 'credit' AND NOT approved;
CREATE INDEX attempts_credits_by_registration ON attempts (registration_id, currency, sent_at) WHERE way = 'credit' AND NOT approved;
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
  released_delta  bigint NOT NULL DEFAULT 0,
  -- A fact from outside cannot be refused, even where it breaks the balance: the excess is kept and a case is opened.
  from_outside    boolean NOT NULL DEFAULT false,
  actor           text NOT NULL,
  data            jsonb NOT NULL DEFAULT '{}',
  at              timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX events_by_payment ON events (payment_id, id);
CREATE INDEX events_by_refund ON events (refund_id, id);

-- Facts from outside are never refused, whatever they do to the balance. What this program does may not add to the excess.
CREATE FUNCTION apply_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  before bigint;
  after bigint;
BEGIN
  SELECT excess_minor INTO before FROM payments WHERE id = NEW.payment_id;
  UPDATE payments SET
    reserved_minor  = reserved_minor + NEW.reserved_delta,
    succeeded_minor = succeeded_minor + NEW.succeeded_delta,
    returned_minor  = returned_minor + NEW.returned_delta,
    disputed_minor  = disputed_minor + NEW.disputed_delta,
    released_minor  = released_minor + NEW.released_delta
  WHERE id = NEW.payment_id
  RETURNING excess_minor INTO after;
  IF after > before AND NOT NEW.from_outside THEN
    RAISE EXCEPTION 'payment_balance: % would leave payment % with % more than its limit', NEW.natural_key, NEW.payment_id, after
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_balance', TABLE = 'payments';
  END IF;
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

-- What operators ordered, one row for each command that was carried out: who and why, what it is about, its result, and what it decided.
-- Approvals and proposals are rows of it.
CREATE TABLE command_results (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  refund_id    uuid NOT NULL REFERENCES refunds (id),
  payment_id   text NOT NULL REFERENCES payments (id),
  command      text NOT NULL CHECK (command IN (
    'withdraw', 'decide', 'adopt', 'correct', 'confirm', 'redirect', 'replay', 'resolve', 'restart')),
  -- A hash of the command, its author and its id. The same command again gets the same result and changes nothing.
  command_id   text,
  by           text NOT NULL CHECK (by <> ''),
  -- The same as `attempts.requester`.
  author       text NOT NULL,
  reason       text NOT NULL CHECK (reason <> ''),
  ticket       text,
  at           timestamptz NOT NULL DEFAULT now(),
  -- What it is about: of a proposal, the hash that binds a confirmation to exactly this outcome, evidence and amount.
  attempt_id   uuid REFERENCES attempts (id),
  instruction  text,
  result       jsonb NOT NULL,
  -- What it decided for the commands that come later; null: nothing.
  -- `open`: a correction that waits for a second operator. `alone`: a correction within the limit up to which one operator may.
  -- `overtaken`: the refund ended by other evidence first. `done`: a transaction was linked, a destination changed.
  state        text CHECK (CASE command
    WHEN 'decide' THEN state IN ('approved', 'refused')
    WHEN 'correct' THEN state IN ('open', 'confirmed', 'refused', 'alone', 'overtaken')
    WHEN 'adopt' THEN state = 'done'
    WHEN 'redirect' THEN state = 'done'
    ELSE state IS NULL END),
  -- Of a correction: outcome, evidence and what it is bound to besides, and the money, for the limits of one operator alone.
  details      jsonb,
  amount_minor bigint,
  currency     text,
  -- Of a proposal: the second operator, who is not the first.
  decided_by   text,
  decided_at   timestamptz,
  CHECK (state IS NULL OR instruction IS NOT NULL),
  CHECK (command <> 'correct' OR state IS NULL OR (details IS NOT NULL AND amount_minor IS NOT NULL AND currency IS NOT NULL)),
  CHECK ((decided_at IS NOT NULL) = (command = 'correct' AND coalesce(state, '') IN ('confirmed', 'refused', 'overtaken'))),
  CONSTRAINT command_results_two_operators
    CHECK (state IS DISTINCT FROM 'confirmed' OR lower(trim(decided_by)) <> lower(trim(by))),
  CONSTRAINT command_results_by_command UNIQUE (refund_id, command_id)
);
CREATE UNIQUE INDEX command_results_one_decision ON command_results (refund_id, instruction)
  WHERE command IN ('decide', 'adopt') AND state IS NOT NULL;
CREATE UNIQUE INDEX command_results_one_open ON command_results (refund_id) WHERE state = 'open';
CREATE INDEX command_results_alone_by_payment ON command_results (payment_id, at) WHERE state = 'alone';
CREATE INDEX command_results_alone_by_author ON command_results (author, currency, at) WHERE state = 'alone';
-- What decided nothing is deleted, oldest first, when its refund ended long ago.
CREATE INDEX command_results_by_age ON command_results (at) WHERE state IS NULL;

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
  not_found_count integer NOT NULL DEFAULT 0,
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
  UPDATE webhooks SET state = 'received', why = NULL, tries = 0, not_found_count = 0, due_at = now()
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
-- What was notified about an id in `seen_ids` before it was known is taken up again.
CREATE FUNCTION take_up_webhooks_of_seen_ids() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE webhooks SET state = 'received', why = NULL, tries = 0, not_found_count = 0, due_at = now()
    WHERE state = 'unmatched' AND (gateway_id = ANY (NEW.seen_ids) OR referenced_id = ANY (NEW.seen_ids));
  RETURN NULL;
END $$;
CREATE TRIGGER attempts_take_up_webhooks_of_seen_ids AFTER UPDATE OF seen_ids ON attempts
  FOR EACH ROW WHEN (NEW.seen_ids IS DISTINCT FROM OLD.seen_ids AND NEW.seen_ids IS NOT NULL)
  EXECUTE FUNCTION take_up_webhooks_of_seen_ids();
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
  -- Payments that were read, and since when every payment was.
  payments    integer NOT NULL DEFAULT 0,
  whole_since timestamptz,
  violations  bigint NOT NULL CHECK (violations >= 0),
  report      jsonb NOT NULL
);

-- What the audit last found wrong with a payment; an empty id is the schema. Reading a payment again replaces its rows.
CREATE TABLE audit_findings (
  payment_id text NOT NULL,
  invariant  text NOT NULL,
  violations integer NOT NULL CHECK (violations > 0),
  examples   jsonb NOT NULL,
  found_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (payment_id, invariant)
);

-- How far the audit has come: events whose payments it has read since they changed, and its way through all payments. One row at most.
CREATE TABLE audit_progress (
  id             integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  events_through bigint NOT NULL,
  -- The last payment that was read on the way through all of them.
  slice_after    text NOT NULL DEFAULT '',
  round_since    timestamptz NOT NULL DEFAULT now(),
  -- When the last whole round began: every payment was read then or later.
  whole_since    timestamptz
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
    'refund.returned', 'refund.failed', 'refund.canceled', 'refund.closed_by_dispute', 'refund.refunded_elsewhere',
    'refund.settlement_changed'))
  EXECUTE FUNCTION tell_event();

-- The queries that the gateway allows one entity on one kind of endpoint, shared by all processes. Times are the database's.
CREATE TABLE query_budgets (
  entity_id     text NOT NULL,
  -- v3_search, v3_query, v1_search or v1_payment: the gateway limits each by itself.
  endpoint      text NOT NULL,
  -- When queries left, at most as many as fit into one window.
  taken         timestamptz[] NOT NULL DEFAULT '{}',
  -- By need, most urgent first: until when a query of this need is waiting. Less urgent ones let it pass.
  waiting       timestamptz[] NOT NULL DEFAULT array_fill('-infinity'::timestamptz, ARRAY[4]),
  -- After the gateway throttled: nothing but operators' queries, then half of the rate.
  closed_until  timestamptz NOT NULL DEFAULT '-infinity',
  lowered_until timestamptz NOT NULL DEFAULT '-infinity',
  PRIMARY KEY (entity_id, endpoint)
);

-- Takes one query, or answers the milliseconds after which to ask again. `need` counts from 1, the most urgent.
CREATE FUNCTION take_query(entity text, kind text, need integer, most integer, kept integer, span interval)
RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
  budget query_budgets;
  moment timestamptz;
  recent timestamptz[];
  allowed integer;
  wait   interval;
BEGIN
  INSERT INTO query_budgets (entity_id, endpoint) VALUES (entity, kind) ON CONFLICT DO NOTHING;
  SELECT * INTO budget FROM query_budgets WHERE entity_id = entity AND endpoint = kind FOR UPDATE;
  -- After the lock: the order of taking is the order of time.
  moment := clock_timestamp();
  recent := ARRAY(SELECT at FROM unnest(budget.taken) AS at WHERE at > moment - span ORDER BY at);
  allowed := CASE WHEN budget.lowered_until > moment THEN greatest(1, most / 2) ELSE most END;
  IF need > 1 THEN
    allowed := greatest(1, allowed - kept)
      - (SELECT count(*) FROM unnest(budget.waiting[1 : need - 1]) AS until WHERE until > moment);
  END IF;
  IF need > 1 AND budget.closed_until > moment THEN
    wait := budget.closed_until - moment;
  ELSIF cardinality(recent) < allowed THEN
    UPDATE query_budgets SET taken = recent || moment WHERE entity_id = entity AND endpoint = kind;
    RETURN 0;
  ELSE
    -- When so many have left the window that one more fits; at once means that others go first.
    wait := greatest(
      coalesce(recent[cardinality(recent) - greatest(allowed, 1) + 1] + span - moment, interval '0'),
      span / 20, interval '1 millisecond');
  END IF;
  UPDATE query_budgets SET waiting[need] = greatest(waiting[need], moment + wait + span / 10)
    WHERE entity_id = entity AND endpoint = kind;
  RETURN extract(epoch FROM wait) * 1000;
END $$;

-- Entities for which the gateway declined v3 reporting. Kept for all processes, asked again after a while.
CREATE TABLE entity_reporting (
  entity_id text PRIMARY KEY,
  -- The decline's result code.
  code      text NOT NULL,
  since     timestamptz NOT NULL DEFAULT now(),
  seen_at   timestamptz NOT NULL DEFAULT now()
);
