-- Up Migration

-- The queries that the gateway allows one entity on one kind of endpoint, shared by all processes. Times are the database's.
CREATE TABLE query_budgets (
  entity_id     text NOT NULL,
  -- v3_search, v3_query, v1_search or v1_payment: the gateway limits each by itself.
  endpoint      text NOT NULL,
  -- When queries left, at most as many as fit into one window.
  taken         timestamptz[] NOT NULL DEFAULT '{}',
  -- By need, most urgent first: until when a query of this need is waiting. Less urgent ones let it pass.
  waiting       timestamptz[] NOT NULL DEFAULT array_fill('-infinity'::timestamptz, ARRAY[4]),
  -- After the gateway throttled: nothing but operators' queries, then half of the rate.
  closed_until  timestamptz NOT NULL DEFAULT '-infinity',
  lowered_until timestamptz NOT NULL DEFAULT '-infinity',
  PRIMARY KEY (entity_id, endpoint)
);

-- Takes one query, or answers the milliseconds after which to ask again. `need` counts from 1, the most urgent.
CREATE FUNCTION take_query(entity text, kind text, need integer, most integer, kept integer, span interval)
RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
  budget query_budgets;
  moment timestamptz;
  recent timestamptz[];
  allowed integer;
  wait   interval;
BEGIN
  INSERT INTO query_budgets (entity_id, endpoint) VALUES (entity, kind) ON CONFLICT DO NOTHING;
  SELECT * INTO budget FROM query_budgets WHERE entity_id = entity AND endpoint = kind FOR UPDATE;
  -- After the lock: the order of taking is the order of time.
  moment := clock_timestamp();
  recent := ARRAY(SELECT at FROM unnest(budget.taken) AS at WHERE at > moment - span ORDER BY at);
  allowed := CASE WHEN budget.lowered_until > moment THEN greatest(1, most / 2) ELSE most END;
  IF need > 1 THEN
    allowed := greatest(1, allowed - kept)
      - (SELECT count(*) FROM unnest(budget.waiting[1 : need - 1]) AS until WHERE until > moment);
  END IF;
  IF need > 1 AND budget.closed_until > moment THEN
    wait := budget.closed_until - moment;
  ELSIF cardinality(recent) < allowed THEN
    UPDATE query_budgets SET taken = recent || moment WHERE entity_id = entity AND endpoint = kind;
    RETURN 0;
  ELSE
    -- When so many have left the window that one more fits; at once means that others go first.
    wait := greatest(
      coalesce(recent[cardinality(recent) - greatest(allowed, 1) + 1] + span - moment, interval '0'),
      span / 20, interval '1 millisecond');
  END IF;
  UPDATE query_budgets SET waiting[need] = greatest(waiting[need], moment + wait + span / 10)
    WHERE entity_id = entity AND endpoint = kind;
  RETURN extract(epoch FROM wait) * 1000;
END $$;

-- Down Migration

DROP FUNCTION take_query;
DROP TABLE query_budgets;
