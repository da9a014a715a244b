-- The first @P3 events that wait for a user (@P1 = 1) or an order (@P1 = 2) of this id (@P2), and how many there are: by ix_parked_events_parents.
SELECT TOP (@P3) p.topic, p.kafka_partition, p.kafka_offset, p.waits_for_type, p.waits_for_id, p.parked_at, p.expired, p.payload, p.event_id,
       COUNT_BIG(*) OVER () AS children
FROM dbo.parked_events p
WHERE p.waits_for_type = @P1 AND p.waits_for_id = @P2
ORDER BY p.parked_at, p.event_id;
