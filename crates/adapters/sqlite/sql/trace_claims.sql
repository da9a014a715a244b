-- The first ?2 events of the user ?1 that wait for an e-mail address: by ix_parked_events_claimant, and by ix_parked_events_age those few that are
-- on their way to the dead letters.
SELECT topic, kafka_partition, kafka_offset, waits_for_type, waits_for_id, parked_at, expired, payload, event_id
FROM parked_events
WHERE claimed_by = ?1 AND expired = 0
UNION ALL
SELECT topic, kafka_partition, kafka_offset, waits_for_type, waits_for_id, parked_at, expired, payload, event_id
FROM parked_events
WHERE expired = 1 AND +claimed_by = ?1
ORDER BY 6, 9
LIMIT ?2
