-- Up Migration

-- What the customer has of a refund from outside of the program: by refunds or reversals that were not made here, and by chargebacks.
ALTER TABLE refunds
  ADD COLUMN elsewhere_minor    bigint NOT NULL DEFAULT 0 CHECK (elsewhere_minor >= 0),
  ADD COLUMN charged_back_minor bigint NOT NULL DEFAULT 0 CHECK (charged_back_minor >= 0);

DROP INDEX refunds_not_final;
CREATE INDEX refunds_not_final ON refunds (state_since)
  WHERE state NOT IN ('succeeded', 'settled', 'closed_by_dispute', 'refunded_elsewhere', 'failed', 'canceled');

DROP TRIGGER events_tell ON events;
CREATE TRIGGER events_tell AFTER INSERT ON events FOR EACH ROW
  WHEN (NEW.refund_id IS NOT NULL AND NEW.type IN (
    'refund.pending', 'refund.awaiting_approval', 'refund.manual_review', 'refund.succeeded', 'refund.settled',
    'refund.returned', 'refund.failed', 'refund.canceled', 'refund.closed_by_dispute', 'refund.refunded_elsewhere',
    'refund.settlement_changed'))
  EXECUTE FUNCTION tell_event();

-- Down Migration

DROP TRIGGER events_tell ON events;
CREATE TRIGGER events_tell AFTER INSERT ON events FOR EACH ROW
  WHEN (NEW.refund_id IS NOT NULL AND NEW.type IN (
    'refund.pending', 'refund.awaiting_approval', 'refund.manual_review', 'refund.succeeded', 'refund.settled',
    'refund.returned', 'refund.failed', 'refund.canceled', 'refund.closed_by_dispute'))
  EXECUTE FUNCTION tell_event();
DROP INDEX refunds_not_final;
CREATE INDEX refunds_not_final ON refunds (state_since)
  WHERE state NOT IN ('succeeded', 'settled', 'closed_by_dispute', 'failed', 'canceled');
ALTER TABLE refunds DROP COLUMN elsewhere_minor, DROP COLUMN charged_back_minor;
