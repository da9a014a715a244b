SELECT topic, kafka_partition, kafka_offset, kafka_key, kafka_at, retry_count, event_id, waits_for_type, waits_for_id, parked_at, payload, record_id, headers
FROM parked_events
WHERE expired = 1 AND waits_for_type IN (1, 2, 3)
ORDER BY parked_at, topic, kafka_partition, kafka_offset, record_id
LIMIT ?1
