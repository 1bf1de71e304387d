-- Up Migration

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

-- What people look for: the queue of what waits for somebody, and refunds by the ids that callers know.
CREATE INDEX refunds_waiting ON refunds (state_since) WHERE state IN ('manual_review', 'awaiting_approval');
CREATE INDEX refunds_by_order ON refunds (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX refunds_by_idempotency_key ON refunds (idempotency_key);

-- Down Migration

DROP INDEX refunds_waiting, refunds_by_order, refunds_by_idempotency_key;
DROP TABLE api_keys;
