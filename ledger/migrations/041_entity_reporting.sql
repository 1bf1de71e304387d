-- Up Migration

-- Entities for which the gateway declined v3 reporting. Kept for all processes, asked again after a while.
CREATE TABLE entity_reporting (
  entity_id text PRIMARY KEY,
  -- The decline's result code.
  code      text NOT NULL,
  since     timestamptz NOT NULL DEFAULT now(),
  seen_at   timestamptz NOT NULL DEFAULT now()
);

-- Down Migration

DROP TABLE entity_reporting;
