-- Up Migration

-- Events that arrived long ago are forgotten, oldest first.
CREATE INDEX event_deliveries_delivered ON event_deliveries (delivered_at) WHERE state = 'delivered';

-- Down Migration

DROP INDEX event_deliveries_delivered;
