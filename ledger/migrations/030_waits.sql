-- When the open attempt was last queried: a run that begins anew waits only for what is left until the next query.
ALTER TABLE attempts ADD COLUMN looked_up_at timestamptz;
