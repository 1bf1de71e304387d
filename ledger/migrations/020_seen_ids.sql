-- Up Migration

ALTER TABLE attempts
  -- Ids that the gateway gave where nothing certain came with them: kept as they came. With one the attempt is never taken for absent.
  ADD COLUMN seen_ids text[],
  -- Submissions of which the sender knows that no byte left: a decline that is found cannot be of these.
  ADD COLUMN never_left integer NOT NULL DEFAULT 0 CHECK (never_left >= 0 AND never_left <= sends);
CREATE INDEX attempts_by_seen_id ON attempts USING gin (seen_ids) WHERE seen_ids IS NOT NULL;

-- What was notified about such an id before it was known is taken up again.
CREATE FUNCTION take_up_webhooks_of_seen_ids() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE webhooks SET state = 'received', why = NULL, tries = 0, misses = 0, due_at = now()
    WHERE state = 'unmatched' AND (gateway_id = ANY (NEW.seen_ids) OR referenced_id = ANY (NEW.seen_ids));
  RETURN NULL;
END $$;
CREATE TRIGGER attempts_take_up_webhooks_of_seen_ids AFTER UPDATE OF seen_ids ON attempts
  FOR EACH ROW WHEN (NEW.seen_ids IS DISTINCT FROM OLD.seen_ids AND NEW.seen_ids IS NOT NULL)
  EXECUTE FUNCTION take_up_webhooks_of_seen_ids();

-- Down Migration

DROP TRIGGER attempts_take_up_webhooks_of_seen_ids ON attempts;
DROP FUNCTION take_up_webhooks_of_seen_ids;
DROP INDEX attempts_by_seen_id;
ALTER TABLE attempts DROP COLUMN seen_ids, DROP COLUMN never_left;
