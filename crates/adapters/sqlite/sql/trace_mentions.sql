-- The first ?4 events that wait for a parent of type ?1 and in whose text ?2 stands, among the first ?3 that are parked. No index holds what a parked
-- event is about: reads these from end to end. Upper and lower case are the same to LIKE.
SELECT topic, kafka_partition, kafka_offset, waits_for_type, waits_for_id, parked_at, expired, payload, event_id
FROM (SELECT * FROM parked_events ORDER BY rowid LIMIT ?3)
WHERE waits_for_type = ?1 AND payload LIKE '%' || ?2 || '%'
ORDER BY parked_at, event_id
LIMIT ?4
