-- Up Migration

-- Limits hold for sums: for each payment, destination and requester over a day. Each sum is read from an index of its own.
ALTER TABLE attempts
  ADD COLUMN currency  text,
  -- Whoever asked for the refund, with capitals, blanks and invisible characters out of the way.
  ADD COLUMN requester text,
  -- A second person has seen this credit: it counts for no limit.
  ADD COLUMN approved  boolean NOT NULL DEFAULT false;
UPDATE attempts SET currency = r.currency, requester = lower(r.requested_by) FROM refunds r WHERE r.id = attempts.refund_id;
ALTER TABLE attempts
  ALTER COLUMN currency SET NOT NULL,
  ALTER COLUMN requester SET NOT NULL;
CREATE INDEX attempts_credits_by_payment ON attempts (payment_id, sent_at) WHERE way = 'credit' AND NOT approved;
CREATE INDEX attempts_credits_by_requester ON attempts (requester, currency, sent_at) WHERE way = 'credit' AND NOT approved;
CREATE INDEX attempts_credits_by_registration ON attempts (registration_id, currency, sent_at) WHERE way = 'credit' AND NOT approved;

ALTER TABLE proposals
  ADD COLUMN payment_id   text REFERENCES payments (id),
  ADD COLUMN amount_minor bigint,
  ADD COLUMN currency     text,
  ADD COLUMN proposer     text;
UPDATE proposals SET payment_id = r.payment_id, amount_minor = (details->>'amountMinor')::bigint, currency = r.currency,
  proposer = lower(proposed_by) FROM refunds r WHERE r.id = proposals.refund_id;
ALTER TABLE proposals
  ALTER COLUMN payment_id SET NOT NULL,
  ALTER COLUMN amount_minor SET NOT NULL,
  ALTER COLUMN currency SET NOT NULL,
  ALTER COLUMN proposer SET NOT NULL;
CREATE INDEX proposals_alone_by_payment ON proposals (payment_id, proposed_at) WHERE verdict = 'alone';
CREATE INDEX proposals_alone_by_proposer ON proposals (proposer, currency, proposed_at) WHERE verdict = 'alone';

-- Down Migration

DROP INDEX proposals_alone_by_payment, proposals_alone_by_proposer;
ALTER TABLE proposals DROP COLUMN payment_id, DROP COLUMN amount_minor, DROP COLUMN currency, DROP COLUMN proposer;
DROP INDEX attempts_credits_by_payment, attempts_credits_by_requester, attempts_credits_by_registration;
ALTER TABLE attempts DROP COLUMN currency, DROP COLUMN requester, DROP COLUMN approved;
