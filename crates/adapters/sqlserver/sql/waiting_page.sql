-- The first @P1 events that wait, those that are about to expire among them, after this place in the log.
--   @P2 to @P5  topic, partition, offset, record
SELECT TOP (@P1) p.topic, p.kafka_partition, p.kafka_offset, p.kafka_key, p.kafka_at, p.retry_count, p.event_id, p.waits_for_type, p.waits_for_id, p.parked_at, p.payload, p.record_id, p.headers
FROM dbo.parked_events p
WHERE p.topic > @P2 OR (p.topic = @P2 AND (p.kafka_partition > @P3 OR (p.kafka_partition = @P3 AND (p.kafka_offset > @P4 OR (p.kafka_offset = @P4 AND p.record_id > @P5)))))
ORDER BY p.topic, p.kafka_partition, p.kafka_offset, p.record_id;
