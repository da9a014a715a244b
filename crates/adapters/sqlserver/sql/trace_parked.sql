-- Where an event (@P1) is parked. Reads the parking table from end to end, which is short.
SELECT p.topic, p.kafka_partition, p.kafka_offset, p.waits_for_type, p.waits_for_id, p.parked_at, p.expired, p.payload
FROM dbo.parked_events p
WHERE p.event_id = @P1
ORDER BY p.topic, p.kafka_partition, p.kafka_offset;
