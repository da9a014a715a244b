-- From version 10 to 11: redrives that outlive the process that does them, and what became of each of their letters.
CREATE TABLE redrive_jobs (
  number      INTEGER PRIMARY KEY,
  operation   BLOB    NOT NULL UNIQUE,
  made_at     INTEGER NOT NULL,
  actor       TEXT    NOT NULL,
  origin      TEXT    NOT NULL,
  subject     TEXT    NOT NULL,
  rate        REAL,
  max_retries INTEGER NOT NULL,
  state       TEXT    NOT NULL,
  problem     TEXT,
  counts      TEXT    NOT NULL,
  updated_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE redrive_job_letters (
  job    INTEGER NOT NULL,
  id     TEXT    NOT NULL,
  result TEXT    NOT NULL,
  PRIMARY KEY (job, id)
) STRICT, WITHOUT ROWID;
