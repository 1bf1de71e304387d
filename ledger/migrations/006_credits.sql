-- Up Migration

-- What was asked for: a refund, which may end as a credit, or a standalone credit from the start.
ALTER TABLE refunds ADD COLUMN asked_for text NOT NULL DEFAULT 'refund' CHECK (asked_for IN ('refund', 'credit'));

-- A free-standing credit is linked to no payment. What it promises and pays is counted on a row of its own, whose limit is the amount
-- that was asked for: its id is the refund's without the dashes, and no gateway knows it.
ALTER TABLE payments DROP CONSTRAINT payments_type_check;
ALTER TABLE payments ADD CONSTRAINT payments_type_check CHECK (type IN ('DB', 'PA', 'CD'));

-- Down Migration

ALTER TABLE payments DROP CONSTRAINT payments_type_check;
ALTER TABLE payments ADD CONSTRAINT payments_type_check CHECK (type IN ('DB', 'PA'));
ALTER TABLE refunds DROP COLUMN asked_for;
