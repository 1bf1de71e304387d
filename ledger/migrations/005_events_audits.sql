-- Up Migration

-- When the sweep gave a refund a run, and when it comes by again unless the refund changes before.
CREATE TABLE sweeps (
  refund_id uuid PRIMARY KEY REFERENCES refunds (id),
  version   integer NOT NULL,
  swept_at  timestamptz NOT NULL DEFAULT now(),
  due_at    timestamptz NOT NULL
);
-- Attempts that nobody looks up any more once their refund has ended: few, and found without reading the others.
CREATE INDEX attempts_open ON attempts (refund_id) WHERE state IN ('submitting', 'unknown', 'pending');

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

-- Down Migration

DROP TRIGGER events_tell ON events;
DROP FUNCTION tell_event;
DROP TABLE event_deliveries, event_outlet, audits, sweeps;
DROP INDEX attempts_open;
