-- The tables of the embedded store: those of SQL Server, in SQLite's types, and the dead letters, which Redis keeps there.
--
-- Identities are BLOBs of 16 bytes: they compare as their hyphenated text does. Times are microseconds since 1970 in UTC. Amounts are TEXT,
-- because SQLite has no decimals. Text compares byte by byte. STRICT refuses a value of another type, where SQLite would convert it.
-- How long text may be is checked where events are decoded: SQLite cannot count UTF-16 code units.
--
-- Tables whose rows come by random keys have a rowid: new rows go to the end, and only the small index of the keys is written all over.
-- What belongs to an order is keyed by the number of its row, and so goes to the end as well.
--
-- event_id and event_at say which event a row shows: the clock of a last-writer-wins register.

CREATE TABLE users (
  user_id    BLOB    NOT NULL PRIMARY KEY,
  email      TEXT    NOT NULL,
  email_key  TEXT    NOT NULL CONSTRAINT uq_users_email UNIQUE,
  first_name TEXT    NOT NULL,
  last_name  TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  event_id   BLOB    NOT NULL,
  event_at   INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX ix_users_created ON users (created_at);

CREATE TABLE orders (
  order_row    INTEGER PRIMARY KEY,    -- counts up, and names the order to the tables below
  order_id     BLOB    NOT NULL UNIQUE,
  user_id      BLOB    NOT NULL REFERENCES users (user_id),
  total_amount TEXT    NOT NULL,
  currency     TEXT    NOT NULL CONSTRAINT ck_orders_currency CHECK (length(currency) <= 3),
  placed_at    INTEGER NOT NULL,
  event_id     BLOB    NOT NULL,
  event_at     INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX ix_orders_user_placed ON orders (user_id, placed_at);

CREATE TABLE order_items (
  order_row INTEGER NOT NULL REFERENCES orders (order_row),
  line_no   INTEGER NOT NULL,
  sku       TEXT    NOT NULL,
  quantity  INTEGER NOT NULL,
  price     TEXT    NOT NULL,
  PRIMARY KEY (order_row, line_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE payments (
  payment_id     BLOB    NOT NULL PRIMARY KEY,
  order_row      INTEGER NOT NULL REFERENCES orders (order_row),
  amount         TEXT    NOT NULL,
  currency       TEXT    NOT NULL CONSTRAINT ck_payments_currency CHECK (length(currency) <= 3),
  payment_method TEXT    NOT NULL,
  status         TEXT    NOT NULL,
  settled_at     INTEGER NOT NULL,
  event_id       BLOB    NOT NULL,
  event_at       INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL
) STRICT;

CREATE INDEX ix_payments_order_settled ON payments (order_row, settled_at);

CREATE TABLE inventory (
  sku        TEXT    NOT NULL PRIMARY KEY,
  quantity   INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The ledger: every delta that was ever applied, old ones as one opening balance per article. inventory.quantity is its sum.
CREATE TABLE inventory_adjustments (
  event_id        BLOB    NOT NULL PRIMARY KEY,
  sku             TEXT    NOT NULL,
  delta           INTEGER NOT NULL,
  adjustment_type TEXT    NOT NULL,
  reason          TEXT    NOT NULL,
  adjusted_at     INTEGER NOT NULL,
  event_at        INTEGER NOT NULL,
  applied_at      INTEGER NOT NULL
) STRICT;

-- Folding old lines of the ledger into one opening balance per article: up to where, and how far that has come.
CREATE TABLE ledger_horizon (
  one           INTEGER PRIMARY KEY,
  events_before INTEGER NOT NULL       -- an adjustment whose event is older counts only if the ledger holds its line
) STRICT;

INSERT INTO ledger_horizon (one, events_before) VALUES (1, -62135596800000000);

CREATE TABLE ledger_compactions (
  number         INTEGER PRIMARY KEY,
  events_before  INTEGER NOT NULL,     -- lines of events before it,
  applied_before INTEGER NOT NULL,     -- that were applied before it
  after_event_id BLOB    NOT NULL,     -- what was looked at, in the order of keys
  lines          INTEGER NOT NULL,     -- folded so far
  begun_at       INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  ended_at       INTEGER
) STRICT;

-- Events that wait. A release deletes the row in the transaction that applies the event; an expiry first claims it (expired = 1), then
-- pushes the dead letter, then deletes it.
CREATE TABLE parked_events (
  topic           TEXT    NOT NULL,
  kafka_partition INTEGER NOT NULL,
  kafka_offset    INTEGER NOT NULL,
  record_id       TEXT    NOT NULL,    -- which record stood there; empty where a program has parked it that kept no identities
  kafka_key       BLOB,
  kafka_at        INTEGER,             -- the record's own timestamp, in milliseconds
  retry_count     INTEGER NOT NULL,
  event_id        BLOB    NOT NULL,
  waits_for_type  INTEGER NOT NULL,    -- 1 user, 2 order, 3 e-mail
  waits_for_id    BLOB,
  parked_at       INTEGER NOT NULL,
  expired         INTEGER NOT NULL DEFAULT 0,
  payload         TEXT    NOT NULL,
  waits_for_key   TEXT,                -- the key of the e-mail address that is waited for; NULL where an older program parked it
  claimed_by      BLOB,                -- the user that waits for it
  claimed_at      INTEGER,             -- the event's own time: the earliest claim gets an address that becomes free
  headers         TEXT,                -- the record's, as JSON; NULL where there are none, or an older program parked it
  PRIMARY KEY (topic, kafka_partition, kafka_offset, record_id)
) STRICT;

CREATE INDEX ix_parked_events_waits_for ON parked_events (waits_for_type, waits_for_id, parked_at, event_id);

CREATE INDEX ix_parked_events_claims ON parked_events (waits_for_key, claimed_at, event_id) WHERE expired = 0 AND waits_for_key IS NOT NULL;

CREATE INDEX ix_parked_events_claimant ON parked_events (claimed_by) WHERE expired = 0 AND claimed_by IS NOT NULL;

CREATE INDEX ix_parked_events_age ON parked_events (expired, parked_at, topic, kafka_partition, kafka_offset, record_id);

-- How far the tables hold each partition of each log. A log is a topic from its creation to its end: one of the same name that is made
-- later has another id.
CREATE TABLE log_positions (
  log_id          BLOB    NOT NULL,    -- Kafka's topic id; all zeros where the broker tells none
  topic           TEXT    NOT NULL,
  kafka_partition INTEGER NOT NULL,
  next_offset     INTEGER NOT NULL,    -- what every record before it came to is durable; never goes back
  updated_at      INTEGER NOT NULL,
  PRIMARY KEY (log_id, topic, kafka_partition)
) STRICT, WITHOUT ROWID;

-- Which of several processes does what one of them is to do, and until when it need not say so again.
CREATE TABLE leases (
  name    TEXT    NOT NULL PRIMARY KEY,
  holder  BLOB    NOT NULL,
  ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who consumes, and how it is: each process says so every two seconds, and takes its row with it when it stops.
CREATE TABLE consumer_heartbeats (
  instance     BLOB    NOT NULL PRIMARY KEY,
  host         TEXT    NOT NULL,
  process_id   INTEGER NOT NULL,
  version      TEXT    NOT NULL,
  group_name   TEXT    NOT NULL,
  topic        TEXT    NOT NULL,
  started_at   INTEGER NOT NULL,
  heartbeat_at INTEGER NOT NULL,
  state        TEXT    NOT NULL        -- a JSON document
) STRICT, WITHOUT ROWID;

-- What operators have changed. Each entry holds the hash of the one before it, so that a change of an entry shows.
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

-- Redrives that outlive the process that does them, and what became of each of their letters.
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
  landed TEXT,                         -- where the broker put it, as JSON
  PRIMARY KEY (job, id)
) STRICT, WITHOUT ROWID;

-- Dead letters, the oldest with the lowest number. One with a lease is claimed and not in the list. Its token stays when the lease is taken
-- back, so that whoever claimed it last can still settle it.
CREATE TABLE dead_letters (
  number     INTEGER PRIMARY KEY,
  entry      TEXT    NOT NULL,
  token      BLOB,
  lease_ends INTEGER
) STRICT;

CREATE INDEX ix_dead_letters_lease ON dead_letters (lease_ends);

CREATE INDEX ix_dead_letters_entry ON dead_letters (entry, lease_ends);

CREATE UNIQUE INDEX ix_dead_letters_token ON dead_letters (token) WHERE token IS NOT NULL;

-- How often dead letters have left the list or come back to its old end: as long as it stays, the list only grows, at its new end.
CREATE TABLE dead_letter_moves (
  moves INTEGER NOT NULL
) STRICT;

INSERT INTO dead_letter_moves (moves) VALUES (0);

CREATE TRIGGER dead_letters_that_leave AFTER DELETE ON dead_letters WHEN OLD.lease_ends IS NULL
BEGIN
  UPDATE dead_letter_moves SET moves = moves + 1;
END;

CREATE TRIGGER dead_letters_that_move AFTER UPDATE ON dead_letters WHEN OLD.lease_ends IS NULL OR NEW.lease_ends IS NULL
BEGIN
  UPDATE dead_letter_moves SET moves = moves + 1;
END;

-- What was pushed before. Outlives the entries, so that a replay does not list solved letters again.
CREATE TABLE dead_letters_seen (
  identity TEXT    NOT NULL PRIMARY KEY,
  seen_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What an operator permits of a flood of unwritable records: one row, a number of records, or -1 for all.
CREATE TABLE flood_permit (
  records INTEGER NOT NULL
) STRICT;

INSERT INTO flood_permit (records) VALUES (0);

CREATE INDEX ix_dead_letters_seen_at ON dead_letters_seen (seen_at);
