-- Up Migration

-- A payment that whoever asked for a refund declared: refunds may be sent on it, a credit needs what the gateway shows. `declared` is what
-- was declared first; `is_seen` whether a query has shown the payment.
ALTER TABLE payments
  ADD COLUMN declared jsonb,
  ADD COLUMN is_seen  boolean NOT NULL DEFAULT true;

-- `CP`: one capture, whose authorization is another row or none. Its money is counted here and nowhere else.
ALTER TABLE payments DROP CONSTRAINT payments_type_check;
ALTER TABLE payments ADD CONSTRAINT payments_type_check CHECK (type IN ('DB', 'PA', 'CP', 'CD'));
