-- Parked events that wait for these users and orders, and may be released because their parent has landed. Oldest first.
--   @P1  how many   @P2 to @P5  the place after which to look: parked_at, topic, partition, offset
--   @P6  users [{id}]   @P7  orders [{id}]
SET NOCOUNT ON;
DECLARE @after datetime2(6) = CONVERT(datetime2(6), @P2, 126);
SELECT TOP (@P1) p.topic, p.kafka_partition, p.kafka_offset, p.kafka_key, p.kafka_at, p.retry_count, p.event_id, p.waits_for_type, p.waits_for_id, p.parked_at, p.payload
FROM dbo.parked_events p
WHERE p.expired = 0
  AND ((p.waits_for_type = 1 AND p.waits_for_id IN (SELECT u.user_id FROM dbo.users u INNER JOIN OPENJSON(@P6) WITH (id uniqueidentifier '$.id') AS s ON s.id = u.user_id))
       OR (p.waits_for_type = 2 AND p.waits_for_id IN (SELECT o.order_id FROM dbo.orders o INNER JOIN OPENJSON(@P7) WITH (id uniqueidentifier '$.id') AS s ON s.id = o.order_id)))
  AND p.parked_at >= @after
  AND (p.parked_at > @after OR p.topic > @P3 OR (p.topic = @P3 AND (p.kafka_partition > @P4 OR (p.kafka_partition = @P4 AND p.kafka_offset > @P5))))
ORDER BY p.parked_at, p.topic, p.kafka_partition, p.kafka_offset;
