-- From version 9 to 10: who consumes.
CREATE TABLE consumer_heartbeats (
  instance     BLOB    NOT NULL PRIMARY KEY,
  host         TEXT    NOT NULL,
  process_id   INTEGER NOT NULL,
  version      TEXT    NOT NULL,
  group_name   TEXT    NOT NULL,
  topic        TEXT    NOT NULL,
  started_at   INTEGER NOT NULL,
  heartbeat_at INTEGER NOT NULL,
  state        TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
