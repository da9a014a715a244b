-- From version 6 to 7: what operators have changed. Each entry holds the hash of the one before it, so that a change of an entry shows.
CREATE TABLE audit_log (
  number        INTEGER PRIMARY KEY,   -- from 1, without gaps
  at            INTEGER NOT NULL,
  actor         TEXT    NOT NULL,
  origin        TEXT    NOT NULL,
  action        TEXT    NOT NULL,
  operation     BLOB    NOT NULL,
  subject       TEXT    NOT NULL,
  before_digest BLOB,
  after_digest  BLOB,
  outcome       TEXT    NOT NULL,
  previous_hash BLOB    NOT NULL,
  hash          BLOB    NOT NULL
) STRICT;

CREATE INDEX ix_audit_log_operation ON audit_log (operation, number);

CREATE TRIGGER audit_log_at_its_end BEFORE INSERT ON audit_log
WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM audit_log)
BEGIN
  SELECT RAISE(ABORT, 'the audit log is only ever added to');
END;

CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log
BEGIN
  SELECT RAISE(ABORT, 'the audit log is only ever added to');
END;

CREATE TRIGGER audit_log_is_not_cut BEFORE DELETE ON audit_log
BEGIN
  SELECT RAISE(ABORT, 'the audit log is only ever added to');
END;
