-- A payment that could not be read when a refund needed it: for what, since when, how often, and what the gateway answered last.
ALTER TABLE refunds
  ADD COLUMN unread_for    text CHECK (unread_for IN ('compare', 'credit')),
  ADD COLUMN unread_since  timestamptz,
  ADD COLUMN unread_at     timestamptz,
  ADD COLUMN unread_times  integer NOT NULL DEFAULT 0,
  ADD COLUMN unread_answer text,
  ADD CONSTRAINT refunds_unread CHECK ((unread_for IS NULL) = (unread_since IS NULL) AND (unread_for IS NULL) = (unread_at IS NULL));
