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

ALTER TABLE audits ADD COLUMN payments integer NOT NULL DEFAULT 0, ADD COLUMN whole_since timestamptz;

-- Answers to commands are deleted, oldest first, when their refund ended long ago.
CREATE INDEX answers_by_age ON answers (at);
