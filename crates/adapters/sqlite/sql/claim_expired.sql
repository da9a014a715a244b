-- What waits for something that this program does not know is left to the programs that do.
UPDATE parked_events SET expired = 1
WHERE rowid IN (
  SELECT rowid FROM parked_events
  WHERE expired = 0
    AND parked_at <= ?1
    AND CASE waits_for_type
      WHEN 1 THEN NOT EXISTS (SELECT 1 FROM users WHERE user_id = waits_for_id)
      WHEN 2 THEN NOT EXISTS (SELECT 1 FROM orders WHERE order_id = waits_for_id)
      WHEN 3 THEN waits_for_key IS NULL OR EXISTS (SELECT 1 FROM users WHERE email_key = waits_for_key)
      ELSE 0
    END
  ORDER BY parked_at, topic, kafka_partition, kafka_offset, record_id
  LIMIT ?2
)
