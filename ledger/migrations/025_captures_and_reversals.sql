-- Up Migration

-- What reversals of ours released of money that was never captured. It is part of what was given back, and part of what could be.
ALTER TABLE payments ADD COLUMN released_minor bigint NOT NULL DEFAULT 0 CHECK (released_minor >= 0);
ALTER TABLE events ADD COLUMN released_delta bigint NOT NULL DEFAULT 0;

-- What an executed reversal gave back, where captures show that it was less than ordered.
ALTER TABLE attempts ADD COLUMN given_minor bigint CHECK (given_minor BETWEEN 0 AND amount_minor);

-- What was taken from a capture without us: what certainly was, and what may have been (a refund that names no capture).
ALTER TABLE captures
  ADD COLUMN elsewhere_minor bigint NOT NULL DEFAULT 0 CHECK (elsewhere_minor >= 0),
  ADD COLUMN doubtful_minor  bigint NOT NULL DEFAULT 0 CHECK (doubtful_minor >= 0);

-- The money that can be given back on a payment: what was captured and what reversals released beside it, or, while nothing is captured,
-- what was authorized.
CREATE FUNCTION payment_limit(captured bigint, released bigint, authorized bigint) RETURNS bigint
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN captured > 0 THEN captured + released ELSE authorized END;

ALTER TABLE payments DROP CONSTRAINT payment_balance;
ALTER TABLE payments ADD CONSTRAINT payment_balance CHECK (
  reserved_minor + succeeded_minor - returned_minor + disputed_minor
    <= payment_limit(captured_minor, released_minor, authorized_minor) + excess_minor
);

CREATE OR REPLACE FUNCTION apply_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  beyond bigint;
BEGIN
  SELECT greatest(0,
           reserved_minor + NEW.reserved_delta + succeeded_minor + NEW.succeeded_delta
           - returned_minor - NEW.returned_delta + disputed_minor + NEW.disputed_delta
           - payment_limit(captured_minor, released_minor + NEW.released_delta, authorized_minor))
    INTO beyond FROM payments WHERE id = NEW.payment_id;
  UPDATE payments SET
    reserved_minor  = reserved_minor + NEW.reserved_delta,
    succeeded_minor = succeeded_minor + NEW.succeeded_delta,
    returned_minor  = returned_minor + NEW.returned_delta,
    disputed_minor  = disputed_minor + NEW.disputed_delta,
    released_minor  = released_minor + NEW.released_delta,
    excess_minor    = CASE WHEN NEW.from_outside THEN beyond ELSE least(excess_minor, beyond) END
  WHERE id = NEW.payment_id;
  RETURN NULL;
END $$;
