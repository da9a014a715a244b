-- The ?3 events that have waited longest for ?2, a thing of the type ?1.
SELECT event_id, topic, kafka_partition, kafka_offset, parked_at
FROM parked_events
WHERE waits_for_type = ?1 AND waits_for_id IS ?2
ORDER BY parked_at
LIMIT ?3
