-- Found in the index of what is waited for, read from end to end: to look for it in the table would read every payload.
SELECT topic, kafka_partition, kafka_offset, waits_for_type, waits_for_id, parked_at, expired, payload, event_id
FROM parked_events
WHERE rowid IN (SELECT rowid FROM parked_events WHERE event_id = ?1)
ORDER BY topic, kafka_partition, kafka_offset
