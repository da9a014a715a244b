-- Which of these events wait. Reads the parking table from end to end, which is short.
--   @P1  event ids [{id}]
SET NOCOUNT ON;
SELECT p.topic, p.kafka_partition, p.kafka_offset, p.kafka_key, p.kafka_at, p.retry_count, p.event_id, p.waits_for_type, p.waits_for_id, p.parked_at, p.payload, p.record_id, p.headers
FROM dbo.parked_events p
INNER JOIN OPENJSON(@P1) WITH (id uniqueidentifier '$.id') AS s ON s.id = p.event_id;
