-- From version 5 to 6: which of several processes does what one of them is to do.
CREATE TABLE leases (
  name    TEXT    NOT NULL PRIMARY KEY,
  holder  BLOB    NOT NULL,
  ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
