SELECT topic, kafka_partition, kafka_offset, waits_for_type, waits_for_id, parked_at, expired, payload
FROM parked_events
WHERE event_id = ?1
ORDER BY topic, kafka_partition, kafka_offset
