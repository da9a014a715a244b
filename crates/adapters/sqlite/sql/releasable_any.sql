SELECT topic, kafka_partition, kafka_offset, kafka_key, kafka_at, retry_count, event_id, waits_for_type, waits_for_id, parked_at, payload
FROM parked_events
WHERE expired = 0
  AND (parked_at, topic, kafka_partition, kafka_offset) > (?1, ?2, ?3, ?4)
  AND CASE waits_for_type
    WHEN 1 THEN EXISTS (SELECT 1 FROM users WHERE user_id = waits_for_id)
    WHEN 2 THEN EXISTS (SELECT 1 FROM orders WHERE order_id = waits_for_id)
    ELSE 1
  END
ORDER BY parked_at, topic, kafka_partition, kafka_offset
LIMIT ?5
