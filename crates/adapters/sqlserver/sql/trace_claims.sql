-- The first @P2 events of a user (@P1) that wait for an e-mail address: by ix_parked_events_claimant.
SELECT TOP (@P2) p.topic, p.kafka_partition, p.kafka_offset, p.waits_for_type, p.waits_for_id, p.parked_at, p.expired, p.payload, p.event_id
FROM dbo.parked_events p
WHERE p.claimed_by = @P1
ORDER BY p.parked_at, p.event_id;
