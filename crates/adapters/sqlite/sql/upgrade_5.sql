-- From version 4 to 5: parked events are told apart by their records, not by their places alone. What waits already keeps no identity.
ALTER TABLE parked_events RENAME TO parked_events_4;

DROP INDEX ix_parked_events_waits_for;

DROP INDEX ix_parked_events_claims;

DROP INDEX ix_parked_events_claimant;

DROP INDEX ix_parked_events_age;

CREATE TABLE parked_events (
  topic           TEXT    NOT NULL,
  kafka_partition INTEGER NOT NULL,
  kafka_offset    INTEGER NOT NULL,
  record_id       TEXT    NOT NULL,
  kafka_key       BLOB,
  kafka_at        INTEGER,
  retry_count     INTEGER NOT NULL,
  event_id        BLOB    NOT NULL,
  waits_for_type  INTEGER NOT NULL,
  waits_for_id    BLOB,
  parked_at       INTEGER NOT NULL,
  expired         INTEGER NOT NULL DEFAULT 0,
  payload         TEXT    NOT NULL,
  waits_for_key   TEXT,
  claimed_by      BLOB,
  claimed_at      INTEGER,
  PRIMARY KEY (topic, kafka_partition, kafka_offset, record_id)
) STRICT;

INSERT INTO parked_events (topic, kafka_partition, kafka_offset, record_id, kafka_key, kafka_at, retry_count, event_id, waits_for_type,
                           waits_for_id, parked_at, expired, payload, waits_for_key, claimed_by, claimed_at)
SELECT topic, kafka_partition, kafka_offset, '', kafka_key, kafka_at, retry_count, event_id, waits_for_type, waits_for_id, parked_at, expired,
       payload, waits_for_key, claimed_by, claimed_at
FROM parked_events_4;

DROP TABLE parked_events_4;

CREATE INDEX ix_parked_events_waits_for ON parked_events (waits_for_type, waits_for_id) WHERE expired = 0;

CREATE INDEX ix_parked_events_claims ON parked_events (waits_for_key, claimed_at, event_id) WHERE expired = 0 AND waits_for_key IS NOT NULL;

CREATE INDEX ix_parked_events_claimant ON parked_events (claimed_by) WHERE expired = 0 AND claimed_by IS NOT NULL;

CREATE INDEX ix_parked_events_age ON parked_events (expired, parked_at, topic, kafka_partition, kafka_offset, record_id);
