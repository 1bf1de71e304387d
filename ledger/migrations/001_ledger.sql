-- The most that can be paid back on a payment: the captured amount plus what reversals released beside it, or the authorized amount while
-- nothing is captured.
CREATE FUNCTION payment_limit(captured bigint, released bigint, authorized bigint) RETURNS bigint
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN captured > 0 THEN captured + released ELSE authorized END;

-- Original payments. Only the trigger on events changes balances.
-- Type CD: an unlinked credit. Its row holds its balance; the limit is the requested amount, and the id is the refund's without dashes,
-- which no gateway knows.
-- Type CP: one capture, whose authorization is another row or unknown. Its money is counted on this row only.
CREATE TABLE payments (
  id               text PRIMARY KEY CHECK (id ~ '^[a-f0-9]{32}$'),
  entity_id        text NOT NULL,
  type             text NOT NULL CHECK (type IN ('debit', 'preauthorization', 'capture', 'credit')),
  state            text NOT NULL CHECK (state IN ('succeeded', 'pending', 'rejected')),
  currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  authorized_minor bigint NOT NULL CHECK (authorized_minor >= 0),
  captured_minor   bigint NOT NULL CHECK (captured_minor >= 0),
  registration_id  text CHECK (registration_id ~ '^[a-f0-9]{32}$'),
  -- A client's first declaration of the payment, and whether a query has shown the payment. Refunds may be submitted on a declared
  -- payment; a credit needs what the gateway shows.
  declared         jsonb,
  is_confirmed          boolean NOT NULL DEFAULT true,
  reserved_minor   bigint NOT NULL DEFAULT 0 CHECK (reserved_minor >= 0),
  succeeded_minor  bigint NOT NULL DEFAULT 0 CHECK (succeeded_minor >= 0),
  returned_minor   bigint NOT NULL DEFAULT 0 CHECK (returned_minor >= 0),
  disputed_minor   bigint NOT NULL DEFAULT 0 CHECK (disputed_minor >= 0),
  -- Released by our reversals and never captured. Counts as paid back, and raises the limit.
  released_minor   bigint NOT NULL DEFAULT 0 CHECK (released_minor >= 0),
  -- Paid back or reserved beyond the limit. Computed only here.
  excess_minor     bigint GENERATED ALWAYS AS (
    greatest(0, reserved_minor + succeeded_minor - returned_minor + disputed_minor
      - payment_limit(captured_minor, released_minor, authorized_minor))
  ) STORED,
  -- Queries that did not find the payment. A single one is the gateway's visibility lag, not a case.
  not_found_count  integer NOT NULL DEFAULT 0 CHECK (not_found_count >= 0),
  last_not_found_at     timestamptz,
  imported_at      timestamptz NOT NULL DEFAULT now(),
  -- Time at which the query of the stored observation began; null if the gateway has not shown the payment. An older observation changes
  -- nothing.
  observed_at      timestamptz
);

-- Transactions that a refund may refer to: the debit itself, or each capture of an authorization.
CREATE TABLE captures (
  id              text PRIMARY KEY CHECK (id ~ '^[a-f0-9]{32}$'),
  payment_id      text NOT NULL REFERENCES payments (id),
  -- Zero for a capture that the gateway does not show any more; the row stays because refunds may refer to it.
  amount_minor    bigint NOT NULL CHECK (amount_minor >= 0),
  -- Taken from the capture by refunds made elsewhere: certainly, and possibly (a refund that names no capture).
  elsewhere_minor bigint NOT NULL DEFAULT 0 CHECK (elsewhere_minor >= 0),
  doubtful_minor  bigint NOT NULL DEFAULT 0 CHECK (doubtful_minor >= 0)
);
CREATE INDEX captures_by_payment ON captures (payment_id);

-- Refunds and credits, one row for each accepted request.
CREATE TABLE refunds (
  id              uuid PRIMARY KEY,
  payment_id      text NOT NULL REFERENCES payments (id),
  capture_id      text REFERENCES captures (id),
  client_id          text NOT NULL CHECK (client_id <> ''),
  idempotency_key text NOT NULL CHECK (idempotency_key <> ''),
  fingerprint     text NOT NULL,
  amount_minor    bigint NOT NULL CHECK (amount_minor > 0),
  currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  reason          text NOT NULL CHECK (reason <> ''),
  requested_by    text NOT NULL,
  -- `refund`: a refund, which may end as a credit. `credit`: a standalone credit from the start.
  asked_for       text NOT NULL DEFAULT 'refund' CHECK (asked_for IN ('refund', 'credit')),
  order_id        text,
  destination     jsonb,
  metadata        jsonb,
  state           text NOT NULL,
  why             text,
  blocks          jsonb,
  -- The credit to approve: amount, currency, operation and destination, with the hash that binds the approval to them.
  instruction     jsonb,
  -- Paid to the customer outside of the program: by refunds or reversals made elsewhere, and by chargebacks.
  elsewhere_minor    bigint NOT NULL DEFAULT 0 CHECK (elsewhere_minor >= 0),
  charged_back_minor bigint NOT NULL DEFAULT 0 CHECK (charged_back_minor >= 0),
  -- Set while the payment could not be read when the refund needed it: the step that needs it, since when, how often, and the gateway's
  -- last answer.
  unread_for      text CHECK (unread_for IN ('compare', 'credit', 'card', 'registration')),
  unread_since    timestamptz,
  unread_at       timestamptz,
  unread_count    integer NOT NULL DEFAULT 0,
  unread_answer   text,
  -- Number of replays by an operator. Attempts up to `attempts_before_replay` count towards no budget.
  replays         integer NOT NULL DEFAULT 0,
  attempts_before_replay integer NOT NULL DEFAULT 0,
  version         integer NOT NULL DEFAULT 1,
  state_since     timestamptz NOT NULL DEFAULT now(),
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT refunds_by_key UNIQUE (client_id, idempotency_key),
  CONSTRAINT refunds_unread CHECK ((unread_for IS NULL) = (unread_since IS NULL) AND (unread_for IS NULL) = (unread_at IS NULL))
);
CREATE INDEX refunds_by_payment ON refunds (payment_id);
CREATE INDEX refunds_not_final ON refunds (state_since)
  WHERE state NOT IN ('succeeded', 'settled', 'closed_by_dispute', 'refunded_elsewhere', 'failed', 'canceled');
-- For the operators' queue, and for search by the ids that clients know.
CREATE INDEX refunds_waiting ON refunds (state_since) WHERE state IN ('manual_review', 'awaiting_approval');
CREATE INDEX refunds_by_order ON refunds (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX refunds_by_card ON refunds ((destination ->> 'cardRef')) WHERE destination ? 'cardRef';
CREATE INDEX refunds_by_idempotency_key ON refunds (idempotency_key);

-- Sealed cards. The columns in the clear are all that people see of a card; `sealed` and `sealed_cvv` (nonce, AES-256-GCM ciphertext, tag)
-- open only with the keys in `card_keys`.
CREATE TABLE cards (
  id             uuid PRIMARY KEY,
  -- The client that sealed the card. Requests of other clients cannot name it.
  client_id      text NOT NULL CHECK (client_id <> ''),
  brand          text NOT NULL CHECK (brand <> ''),
  last4          text NOT NULL CHECK (last4 ~ '^[0-9]{4}$'),
  -- Initials of the holder, for approvers.
  initials       text NOT NULL,
  -- HMAC of the number with a key of its own: one destination for the limits of credits, however often the card is sealed.
  fingerprint    text NOT NULL CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
  format_version integer NOT NULL,
  sealed         bytea NOT NULL,
  sealed_cvv     bytea,
  -- True if the card was sealed with a CVV: a credit to it needs a CVV that was not submitted before.
  needs_cvv      boolean NOT NULL DEFAULT false,
  created_at     timestamptz NOT NULL DEFAULT now(),
  -- The keys are destroyed then, whatever happens.
  expires_at     timestamptz NOT NULL,
  -- Milliseconds between the end of its last refund and the end of its keys: a credit may be returned.
  grace_ms       bigint NOT NULL CHECK (grace_ms >= 0),
  destroyed_at   timestamptz,
  destroyed_by   text,
  destroyed_why  text CHECK (destroyed_why IN ('used', 'expired', 'registered', 'by_operator', 'key_lost')),
  CHECK ((destroyed_at IS NULL) = (destroyed_why IS NULL) AND (destroyed_at IS NULL) = (destroyed_by IS NULL))
);
CREATE INDEX cards_to_destroy ON cards (expires_at) WHERE destroyed_at IS NULL;

-- Wrapped data keys, apart from the cards: a backup without this table opens no card. Deleting a row destroys what the key sealed.
CREATE TABLE card_keys (
  card_id   uuid NOT NULL REFERENCES cards (id),
  field     text NOT NULL CHECK (field IN ('card', 'cvv')),
  -- The key-encryption key that wrapped it.
  kek_id    text NOT NULL CHECK (kek_id <> ''),
  wrapped   bytea NOT NULL,
  sealed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (card_id, field)
);
CREATE INDEX card_keys_by_kek ON card_keys (kek_id, card_id, field);
CREATE INDEX card_keys_of_cvv ON card_keys (sealed_at) WHERE field = 'cvv';

-- A check value for each key-encryption key and the fingerprint key: another key under the same id is noticed before it seals or fails.
CREATE TABLE card_key_checks (
  key_id text PRIMARY KEY CHECK (key_id <> ''),
  value  bytea NOT NULL
);

-- Registrations of cards at the gateway, for entities whose cards are registered before a credit. The reference is stored before a byte
-- leaves.
CREATE TABLE card_registrations (
  card_id         uuid NOT NULL REFERENCES cards (id),
  entity_id       text NOT NULL,
  reference       text NOT NULL UNIQUE,
  state           text NOT NULL CHECK (state IN ('submitting', 'unknown', 'registered', 'rejected', 'absent')),
  registration_id text CHECK (registration_id ~ '^[a-f0-9]{32}$'),
  result_code     text,
  result_description text,
  not_found_count integer NOT NULL DEFAULT 0,
  last_not_found_at timestamptz,
  send_by         timestamptz NOT NULL,
  sent_at         timestamptz NOT NULL DEFAULT now(),
  answered_at     timestamptz,
  PRIMARY KEY (card_id, entity_id),
  CHECK ((state = 'registered') = (registration_id IS NOT NULL))
);

-- Attempts: one order to the gateway each. The reference is stored before a byte leaves.
CREATE TABLE attempts (
  id                 uuid PRIMARY KEY,
  refund_id          uuid NOT NULL REFERENCES refunds (id),
  payment_id         text NOT NULL REFERENCES payments (id),
  number             integer NOT NULL CHECK (number > 0),
  operation                text NOT NULL CHECK (operation IN ('refund', 'reversal', 'credit')),
  original_id        text,
  registration_id    text,
  -- The sealed card that the credit goes to; with `registration_id` if the card was registered first.
  card_id            uuid REFERENCES cards (id),
  -- For the limits of credits: the registration, or the fingerprint of the card.
  destination_key    text,
  -- True if a submission carried a CVV: the attempt is not submitted again without a new one.
  with_cvv           boolean NOT NULL DEFAULT false,
  reference          text NOT NULL,
  amount_minor       bigint NOT NULL CHECK (amount_minor > 0),
  state              text NOT NULL,
  -- For the limits of credits: the currency, the requester without differences in case, blanks and invisible characters, and the
  -- entity of the payment.
  currency           text NOT NULL,
  requester          text NOT NULL,
  entity_id          text NOT NULL,
  -- True if an operator approved this credit: it counts towards no limit.
  approved           boolean NOT NULL DEFAULT false,
  submissions              integer NOT NULL DEFAULT 1,
  -- Submissions before the last replay, which count towards no budget.
  submissions_before       integer NOT NULL DEFAULT 0,
  -- Submissions of which the sender knows that no byte left: a decline that a query finds cannot be about these.
  not_sent_count         integer NOT NULL DEFAULT 0 CHECK (not_sent_count >= 0 AND not_sent_count <= submissions),
  send_by            timestamptz NOT NULL,
  gateway_id         text,
  -- Ids that the gateway gave without a certain outcome, as received. An attempt with such an id is never marked absent.
  seen_ids           text[],
  -- Amount that an executed reversal released, if captures show that it was less than ordered.
  paid_back_minor        bigint CHECK (paid_back_minor BETWEEN 0 AND amount_minor),
  result_code        text,
  result_description text,
  decline_class      text,
  -- Ids and texts of the answer that find the transaction in settlement: reconciliation id, acquirer's ids, short id, descriptor.
  settlement         jsonb,
  -- Last four digits of the card in the gateway's answer, if they differ from those of the sealed card. A flag for operators only.
  other_last4        text CHECK (other_last4 ~ '^[0-9]{4}$'),
  note               text,
  queries           integer NOT NULL DEFAULT 0,
  not_found_count    integer NOT NULL DEFAULT 0,
  last_not_found_at       timestamptz,
  -- Time of the last query of the open attempt: a restarted run waits only for the rest of the interval.
  queried_at       timestamptz,
  opened_at          timestamptz NOT NULL DEFAULT now(),
  sent_at            timestamptz NOT NULL DEFAULT now(),
  answered_at        timestamptz,
  CONSTRAINT attempts_by_number UNIQUE (refund_id, number),
  CONSTRAINT attempts_by_reference UNIQUE (reference),
  CONSTRAINT attempts_by_gateway_id UNIQUE (gateway_id),
  CHECK ((operation = 'credit') = (original_id IS NULL)),
  CHECK ((operation = 'credit') = (registration_id IS NOT NULL OR card_id IS NOT NULL)),
  CHECK ((operation = 'credit') = (destination_key IS NOT NULL))
);
-- At most one attempt of a refund may be open or absent.
CREATE UNIQUE INDEX attempts_one_open ON attempts (refund_id)
  WHERE state IN ('submitting', 'unknown', 'pending', 'absent');
CREATE INDEX attempts_by_payment ON attempts (payment_id);
CREATE INDEX attempts_by_seen_id ON attempts USING gin (seen_ids) WHERE seen_ids IS NOT NULL;
-- For the limits of credits: sums for each payment, destination, requester and entity, each from its own index.
CREATE INDEX attempts_credits_by_payment ON attempts (payment_id, sent_at) WHERE operation = 'credit' AND NOT approved;
CREATE INDEX attempts_credits_by_requester ON attempts (requester, currency, sent_at) WHERE operation = 'credit' AND NOT approved;
CREATE INDEX attempts_credits_by_destination ON attempts (destination_key, currency, sent_at) WHERE operation = 'credit' AND NOT approved;
CREATE INDEX attempts_credits_by_entity ON attempts (entity_id, currency, sent_at) WHERE operation = 'credit' AND NOT approved;
CREATE INDEX attempts_by_card ON attempts (card_id) WHERE card_id IS NOT NULL;
-- For open attempts of final refunds, which the sweep finds without reading the others.
CREATE INDEX attempts_open ON attempts (refund_id) WHERE state IN ('submitting', 'unknown', 'pending');

-- Append-only. Balances are sums of these rows. Each fact has a natural key, so the same fact twice is one row.
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
  -- True for facts from outside, which are never refused: if one breaks the balance, the excess is kept and a case is opened.
  from_outside    boolean NOT NULL DEFAULT false,
  actor           text NOT NULL,
  data            jsonb NOT NULL DEFAULT '{}',
  at              timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX events_by_payment ON events (payment_id, id);
CREATE INDEX events_by_refund ON events (refund_id, id);

-- Updates the balances of the payment. Facts from outside are never refused; the program's own events may not add to the excess.
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

-- Queries of an attempt and their answers, for operators.
CREATE TABLE queries (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  attempt_id uuid NOT NULL REFERENCES attempts (id),
  answer     text NOT NULL,
  at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX queries_by_attempt ON queries (attempt_id, id);

-- Cases: questions that an operator has to decide.
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

-- Commands of operators, one row for each command that was carried out: note, subject, result and effect. Approvals and proposals are
-- rows of it.
CREATE TABLE command_results (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  refund_id    uuid NOT NULL REFERENCES refunds (id),
  payment_id   text NOT NULL REFERENCES payments (id),
  command      text NOT NULL CHECK (command IN (
    'withdraw', 'decide', 'link', 'correct', 'confirm', 'change_destination', 'replay', 'sync', 'restart')),
  -- Hash of the command, the operator and the command id. Repeating a command returns the same result and changes nothing.
  command_id   text,
  by           text NOT NULL CHECK (by <> ''),
  -- The operator, normalized as `attempts.requester`.
  author       text NOT NULL,
  reason       text NOT NULL CHECK (reason <> ''),
  ticket       text,
  at           timestamptz NOT NULL DEFAULT now(),
  -- Subject of the command. For a proposal: the hash that binds a confirmation to exactly this outcome, evidence and amount.
  attempt_id   uuid REFERENCES attempts (id),
  instruction  text,
  result       jsonb NOT NULL,
  -- The effect that later commands read; null: none.
  -- `open`: a correction that waits for a second operator. `alone`: a correction within the limit for a single operator.
  -- `overtaken`: the refund ended by other evidence first. `done`: a transaction was linked, a destination changed.
  state        text CHECK (CASE command
    WHEN 'decide' THEN state IN ('approved', 'refused')
    WHEN 'correct' THEN state IN ('open', 'confirmed', 'refused', 'alone', 'superseded')
    WHEN 'link' THEN state = 'done'
    WHEN 'change_destination' THEN state = 'done'
    ELSE state IS NULL END),
  -- For a correction: its content, and its amount for the limits of a single operator.
  details      jsonb,
  amount_minor bigint,
  currency     text,
  -- For a proposal: the second operator, who differs from the first.
  decided_by   text,
  decided_at   timestamptz,
  CHECK (state IS NULL OR instruction IS NOT NULL),
  CHECK (command <> 'correct' OR state IS NULL OR (details IS NOT NULL AND amount_minor IS NOT NULL AND currency IS NOT NULL)),
  CHECK ((decided_at IS NOT NULL) = (command = 'correct' AND coalesce(state, '') IN ('confirmed', 'refused', 'superseded'))),
  CONSTRAINT command_results_two_operators
    CHECK (state IS DISTINCT FROM 'confirmed' OR lower(trim(decided_by)) <> lower(trim(by))),
  CONSTRAINT command_results_by_command UNIQUE (refund_id, command_id)
);
CREATE UNIQUE INDEX command_results_one_decision ON command_results (refund_id, instruction)
  WHERE command IN ('decide', 'link') AND state IS NOT NULL;
CREATE UNIQUE INDEX command_results_one_open ON command_results (refund_id) WHERE state = 'open';
CREATE INDEX command_results_alone_by_payment ON command_results (payment_id, at) WHERE state = 'alone';
CREATE INDEX command_results_alone_by_author ON command_results (author, currency, at) WHERE state = 'alone';
-- For deleting commands without an effect, oldest first, when their refund ended long ago.
CREATE INDEX command_results_by_age ON command_results (at) WHERE state IS NULL;

-- Keys of the HTTP API. The key's text is known to its owner only: the table has the hash of its secret part.
CREATE TABLE api_keys (
  id          text PRIMARY KEY CHECK (id ~ '^[0-9a-z]{12}$'),
  -- The owner. Several keys may share a name while one replaces the other: refunds and idempotency keys belong to the name.
  name        text NOT NULL CHECK (name <> ''),
  roles       text[] NOT NULL CHECK (roles <> '{}' AND roles <@ ARRAY['submit', 'read', 'operate', 'approve']),
  secret_hash text NOT NULL CHECK (secret_hash ~ '^[0-9a-f]{64}$'),
  created_at  timestamptz NOT NULL DEFAULT now(),
  revoked_at  timestamptz
);

-- Webhooks of the gateway, stored before they are answered and processed afterwards. They are not facts about money: facts are events.
-- They contain no card, holder or customer. They have no foreign keys, because a notification may be about something unknown.
CREATE TABLE webhooks (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  natural_key  text NOT NULL UNIQUE,
  kind         text NOT NULL CHECK (kind IN ('PAYMENT', 'REGISTRATION', 'SCHEDULE', 'RISK', 'TEST', 'OTHER')),
  entity_id    text,
  -- As the gateway sends them.
  gateway_id   text,
  payment_type text,
  code         text,
  description  text,
  amount       text,
  currency     text,
  reference    text,
  referenced_id text,
  gateway_timestamp      text,
  state        text NOT NULL CHECK (state IN ('received', 'processed', 'unmatched', 'ignored')),
  why          text,
  -- What the webhook is about, once known.
  payment_id   text,
  refund_id    uuid,
  attempt_id   uuid,
  tries        integer NOT NULL DEFAULT 0,
  -- Queries of the payment that did not show the transaction yet, and the time at which one did.
  not_found_count integer NOT NULL DEFAULT 0,
  confirmed_at timestamptz,
  -- Time of the next processing. Claiming a webhook postpones it, so a process that dies blocks it only for the length of a lease.
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

-- When the ledger learns an id, unmatched webhooks with this id are processed again.
CREATE FUNCTION reopen_webhooks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  learned text := CASE TG_TABLE_NAME WHEN 'events' THEN to_jsonb(NEW) #>> '{data,gatewayId}' ELSE to_jsonb(NEW) ->> TG_ARGV[0] END;
BEGIN
  UPDATE webhooks SET state = 'received', why = NULL, tries = 0, not_found_count = 0, due_at = now()
    WHERE state = 'unmatched' AND (gateway_id = learned OR referenced_id = learned OR reference = learned);
  RETURN NULL;
END $$;
CREATE TRIGGER payments_reopen_webhooks AFTER INSERT ON payments
  FOR EACH ROW EXECUTE FUNCTION reopen_webhooks('id');
CREATE TRIGGER captures_reopen_webhooks AFTER INSERT ON captures
  FOR EACH ROW EXECUTE FUNCTION reopen_webhooks('id');
CREATE TRIGGER attempts_reopen_webhooks AFTER INSERT ON attempts
  FOR EACH ROW EXECUTE FUNCTION reopen_webhooks('reference');
CREATE TRIGGER attempts_reopen_webhooks_of_id AFTER UPDATE OF gateway_id ON attempts
  FOR EACH ROW WHEN (NEW.gateway_id IS DISTINCT FROM OLD.gateway_id) EXECUTE FUNCTION reopen_webhooks('gateway_id');
-- The same for ids in `seen_ids`.
CREATE FUNCTION take_up_webhooks_of_seen_ids() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE webhooks SET state = 'received', why = NULL, tries = 0, not_found_count = 0, due_at = now()
    WHERE state = 'unmatched' AND (gateway_id = ANY (NEW.seen_ids) OR referenced_id = ANY (NEW.seen_ids));
  RETURN NULL;
END $$;
CREATE TRIGGER attempts_take_up_webhooks_of_seen_ids AFTER UPDATE OF seen_ids ON attempts
  FOR EACH ROW WHEN (NEW.seen_ids IS DISTINCT FROM OLD.seen_ids AND NEW.seen_ids IS NOT NULL)
  EXECUTE FUNCTION take_up_webhooks_of_seen_ids();
CREATE TRIGGER events_reopen_webhooks AFTER INSERT ON events
  FOR EACH ROW WHEN (NEW.type IN ('dispute.opened', 'payment.returned_elsewhere')) EXECUTE FUNCTION reopen_webhooks();

-- Time of the last sweep of a refund, and of the next one unless the refund changes before.
CREATE TABLE sweeps (
  refund_id uuid PRIMARY KEY REFERENCES refunds (id),
  version   integer NOT NULL,
  swept_at  timestamptz NOT NULL DEFAULT now(),
  due_at    timestamptz NOT NULL
);

-- Reports of audits, newest last.
CREATE TABLE audits (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at          timestamptz NOT NULL DEFAULT now(),
  duration_ms integer NOT NULL CHECK (duration_ms >= 0),
  complete    boolean NOT NULL,
  -- Number of payments read, and the time since which every payment was read.
  payments    integer NOT NULL DEFAULT 0,
  whole_since timestamptz,
  violations  bigint NOT NULL CHECK (violations >= 0),
  report      jsonb NOT NULL
);

-- Violations that the audit last found on a payment; an empty id means the schema. Reading a payment again replaces its rows.
CREATE TABLE audit_findings (
  payment_id text NOT NULL,
  invariant  text NOT NULL,
  violations integer NOT NULL CHECK (violations > 0),
  examples   jsonb NOT NULL,
  found_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (payment_id, invariant)
);

-- Progress of the audit: the last event whose payment was read again, and the round through all payments. At most one row.
CREATE TABLE audit_progress (
  id             integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  events_through bigint NOT NULL,
  -- The last payment that this round has read.
  slice_after    text NOT NULL DEFAULT '',
  round_since    timestamptz NOT NULL DEFAULT now(),
  -- Start of the last complete round: every payment was read then or later.
  whole_since    timestamptz
);

-- Whether events are delivered to the client: set by the worker from REFUNDS_EVENTS_URL. At most one row.
CREATE TABLE event_outlet (
  id    integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  is_on boolean NOT NULL
);

-- Events to deliver to the client. Written in the transaction of the event itself, so neither exists without the other.
CREATE TABLE event_deliveries (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  event_id     bigint NOT NULL UNIQUE REFERENCES events (id),
  refund_id    uuid NOT NULL REFERENCES refunds (id),
  type         text NOT NULL,
  state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
  tries        integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
  -- Until then the try belongs to one dispatcher. If it dies, another one tries afterwards.
  leased_until timestamptz,
  due_at       timestamptz NOT NULL DEFAULT now(),
  -- Start of the bounded time for tries; sending the event again restarts it.
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
-- For deleting delivered events, oldest first.
CREATE INDEX event_deliveries_delivered ON event_deliveries (delivered_at) WHERE state = 'delivered';

CREATE FUNCTION enqueue_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM event_outlet WHERE is_on) THEN
    INSERT INTO event_deliveries (event_id, refund_id, type) VALUES (NEW.id, NEW.refund_id, NEW.type);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER events_enqueue AFTER INSERT ON events FOR EACH ROW
  WHEN (NEW.refund_id IS NOT NULL AND NEW.type IN (
    'refund.pending', 'refund.awaiting_approval', 'refund.manual_review', 'refund.succeeded', 'refund.settled',
    'refund.returned', 'refund.failed', 'refund.canceled', 'refund.closed_by_dispute', 'refund.refunded_elsewhere',
    'refund.settlement_changed'))
  EXECUTE FUNCTION enqueue_event();

-- Budgets of queries for each entity and endpoint, shared by all processes. Times are the database's.
CREATE TABLE query_budgets (
  entity_id     text NOT NULL,
  -- v3_search, v3_query, v1_search or v1_payment: the gateway limits each separately.
  endpoint      text NOT NULL,
  -- Times of queries, at most as many as fit into one window.
  taken         timestamptz[] NOT NULL DEFAULT '{}',
  -- For each need, most urgent first: the time until which a query of this need is waiting. Less urgent queries let it pass.
  waiting       timestamptz[] NOT NULL DEFAULT array_fill('-infinity'::timestamptz, ARRAY[4]),
  -- After the gateway throttled: operators' queries only until `closed_until`, then half of the rate until `lowered_until`.
  closed_until  timestamptz NOT NULL DEFAULT '-infinity',
  lowered_until timestamptz NOT NULL DEFAULT '-infinity',
  PRIMARY KEY (entity_id, endpoint)
);

-- Takes one query and returns 0, or returns the milliseconds after which to try again. `need` counts from 1, the most urgent.
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
  -- Read after the lock, so that queries are taken in the order of time.
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
    -- Time until one more query fits into the window. If it fits at once, more urgent queries go first.
    wait := greatest(
      coalesce(recent[cardinality(recent) - greatest(allowed, 1) + 1] + span - moment, interval '0'),
      span / 20, interval '1 millisecond');
  END IF;
  UPDATE query_budgets SET waiting[need] = greatest(waiting[need], moment + wait + span / 10)
    WHERE entity_id = entity AND endpoint = kind;
  RETURN extract(epoch FROM wait) * 1000;
END $$;

-- Entities for which the gateway declined v3 reporting. Shared by all processes; v3 is tried again after some hours.
CREATE TABLE entity_reporting (
  entity_id text PRIMARY KEY,
  -- Result code of the decline.
  code      text NOT NULL,
  since     timestamptz NOT NULL DEFAULT now(),
  seen_at   timestamptz NOT NULL DEFAULT now()
);

-- Payloads of Temporal that the codec server decrypted or encrypted for a principal: written before the answer is sent, and never deleted.
CREATE TABLE payload_uses (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at           timestamptz NOT NULL DEFAULT now(),
  -- Name of the API key, or subject of the token.
  principal    text NOT NULL CHECK (principal <> ''),
  namespace    text NOT NULL,
  workflow_ids text[] NOT NULL,
  payloads     integer NOT NULL CHECK (payloads > 0)
);
