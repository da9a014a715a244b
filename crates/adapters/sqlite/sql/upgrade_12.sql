-- From version 11 to 12: folding old lines of the ledger into one opening balance per article.
CREATE TABLE ledger_horizon (
  one           INTEGER PRIMARY KEY,
  events_before INTEGER NOT NULL
) STRICT;

INSERT INTO ledger_horizon (one, events_before) VALUES (1, -62135596800000000);

CREATE TABLE ledger_compactions (
  number         INTEGER PRIMARY KEY,
  events_before  INTEGER NOT NULL,
  applied_before INTEGER NOT NULL,
  after_event_id BLOB    NOT NULL,
  lines          INTEGER NOT NULL,
  begun_at       INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  ended_at       INTEGER
) STRICT;
