-- The first @P4 events that wait for a parent of a type (@P1) and in whose text an id (@P2) stands, among the first @P3 by place. No index holds what
-- a parked event is about: this reads that part of the table, in the order of its key. A producer may write an id in upper case.
SELECT TOP (@P4) p.topic, p.kafka_partition, p.kafka_offset, p.waits_for_type, p.waits_for_id, p.parked_at, p.expired, p.payload, p.event_id
FROM (
  SELECT TOP (@P3) e.topic, e.kafka_partition, e.kafka_offset, e.waits_for_type, e.waits_for_id, e.parked_at, e.expired, e.payload, e.event_id
  FROM dbo.parked_events e
  ORDER BY e.topic, e.kafka_partition, e.kafka_offset, e.record_id
) AS p
WHERE p.waits_for_type = @P1 AND (CHARINDEX(LOWER(@P2), p.payload) > 0 OR CHARINDEX(UPPER(@P2), p.payload) > 0)
ORDER BY p.parked_at, p.event_id;
