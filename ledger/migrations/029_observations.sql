-- When the query began that the payment was last brought up to date with; null: the gateway has not been seen. An observation that
-- began before it changes nothing.
ALTER TABLE payments DROP COLUMN looked_up_at;
ALTER TABLE payments ADD COLUMN observed_at timestamptz;

-- A capture that the gateway shows no longer has nothing left to refund; refunds may refer to it.
ALTER TABLE captures DROP CONSTRAINT captures_amount_minor_check;
ALTER TABLE captures ADD CHECK (amount_minor >= 0);

-- What is given back or promised beyond the limit: a function of the row, computed here and nowhere else.
ALTER TABLE payments DROP CONSTRAINT payment_balance;
ALTER TABLE payments DROP COLUMN excess_minor;
ALTER TABLE payments ADD COLUMN excess_minor bigint GENERATED ALWAYS AS (
  greatest(0, reserved_minor + succeeded_minor - returned_minor + disputed_minor
    - payment_limit(captured_minor, released_minor, authorized_minor))
) STORED;

-- Facts from outside are never refused, whatever they do to the balance. What this program does may not add to the excess.
CREATE OR REPLACE FUNCTION apply_event() RETURNS trigger LANGUAGE plpgsql AS $$
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
