-- Up Migration

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

-- Down Migration

DROP TRIGGER events_take_up_webhooks ON events;
DROP TRIGGER attempts_take_up_webhooks_of_id ON attempts;
DROP TRIGGER attempts_take_up_webhooks ON attempts;
DROP TRIGGER captures_take_up_webhooks ON captures;
DROP TRIGGER payments_take_up_webhooks ON payments;
DROP FUNCTION take_up_webhooks;
DROP TABLE webhooks;
