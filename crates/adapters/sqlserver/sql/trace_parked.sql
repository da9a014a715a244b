-- Where an event (@P1) is parked. Reads from end to end, at most, the index that holds what is waited for and the event ids.
SELECT p.topic, p.kafka_partition, p.kafka_offset, p.waits_for_type, p.waits_for_id, p.parked_at, p.expired, p.payload, p.event_id
FROM dbo.parked_events p
WHERE p.event_id = @P1
ORDER BY p.topic, p.kafka_partition, p.kafka_offset;
