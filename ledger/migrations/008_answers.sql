-- Up Migration

-- What a person's word was answered, once for each word: whoever carries the same word out again, late or a second time, answers the
-- same and changes nothing.
CREATE TABLE answers (
  refund_id uuid NOT NULL REFERENCES refunds (id),
  -- A hash of what was said, by whom, and what names this word.
  word      text NOT NULL,
  answer    jsonb NOT NULL,
  at        timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (refund_id, word)
);

-- Down Migration

DROP TABLE answers;
