-- A refund that an operator took back to its first unsent step: how often, and what its budgets do not count any more.
ALTER TABLE refunds
  ADD COLUMN replays         integer NOT NULL DEFAULT 0,
  -- Attempts up to this number are over and not counted towards any budget.
  ADD COLUMN attempts_before integer NOT NULL DEFAULT 0;
ALTER TABLE attempts
  -- Submissions of an absent attempt that are not counted towards any budget.
  ADD COLUMN sends_before    integer NOT NULL DEFAULT 0;
