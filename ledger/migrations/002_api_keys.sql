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

-- Down Migration

DROP TABLE api_keys;
