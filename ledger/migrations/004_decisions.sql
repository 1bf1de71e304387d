-- Up Migration

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

-- Look-ups of a known original that found nothing: one alone is the gateway's visibility lag, not a case.
ALTER TABLE payments
  ADD COLUMN misses       integer NOT NULL DEFAULT 0 CHECK (misses >= 0),
  ADD COLUMN last_miss_at timestamptz;

CREATE INDEX cases_open ON cases (refund_id) WHERE closed_at IS NULL;

-- Down Migration

DROP INDEX cases_open;
ALTER TABLE payments DROP COLUMN misses, DROP COLUMN last_miss_at;
DROP TABLE proposals;
