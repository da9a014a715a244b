-- The first ?3 events that wait for the user (?1 = 1) or the order (?1 = 2) ?2, by ix_parked_events_waits_for.
SELECT topic, kafka_partition, kafka_offset, waits_for_type, waits_for_id, parked_at, expired, payload, event_id
FROM parked_events
WHERE waits_for_type = ?1 AND waits_for_id = ?2
ORDER BY parked_at, event_id
LIMIT ?3
