-- From version 2 to 3. What the tables are for stands in schema.sql.
CREATE TABLE log_positions (
  log_id          BLOB    NOT NULL,    -- Kafka's topic id; all zeros where the broker tells none
  topic           TEXT    NOT NULL,
  kafka_partition INTEGER NOT NULL,
  next_offset     INTEGER NOT NULL,    -- what every record before it came to is durable; never goes back
  updated_at      INTEGER NOT NULL,
  PRIMARY KEY (log_id, topic, kafka_partition)
) STRICT, WITHOUT ROWID;
