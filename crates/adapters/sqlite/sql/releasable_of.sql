-- ?6 and ?7: JSON arrays of users and orders, as hexadecimal digits.
SELECT topic, kafka_partition, kafka_offset, kafka_key, kafka_at, retry_count, event_id, waits_for_type, waits_for_id, parked_at, payload
FROM parked_events
WHERE expired = 0
  AND (parked_at, topic, kafka_partition, kafka_offset) > (?1, ?2, ?3, ?4)
  AND (
    (waits_for_type = 1 AND waits_for_id IN (SELECT u.user_id FROM json_each(?6) AS j JOIN users AS u ON u.user_id = unhex(j.value)))
    OR
    (waits_for_type = 2 AND waits_for_id IN (SELECT o.order_id FROM json_each(?7) AS j JOIN orders AS o ON o.order_id = unhex(j.value)))
  )
ORDER BY parked_at, topic, kafka_partition, kafka_offset
LIMIT ?5
