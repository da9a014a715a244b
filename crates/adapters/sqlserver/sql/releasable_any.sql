-- Parked events that may be released: their parent has landed, or they wait for an e-mail address. Oldest first.
--   @P1  how many   @P2 to @P5  the place after which to look: parked_at, topic, partition, offset
SET NOCOUNT ON;
DECLARE @after datetime2(6) = CONVERT(datetime2(6), @P2, 126);
SELECT TOP (@P1) p.topic, p.kafka_partition, p.kafka_offset, p.kafka_key, p.kafka_at, p.retry_count, p.event_id, p.waits_for_type, p.waits_for_id, p.parked_at, p.payload
FROM dbo.parked_events p
WHERE p.expired = 0
  AND ((p.waits_for_type = 1 AND EXISTS (SELECT 1 FROM dbo.users u WHERE u.user_id = p.waits_for_id))
       OR (p.waits_for_type = 2 AND EXISTS (SELECT 1 FROM dbo.orders o WHERE o.order_id = p.waits_for_id))
       OR p.waits_for_type = 3)
  AND p.parked_at >= @after
  AND (p.parked_at > @after OR p.topic > @P3 OR (p.topic = @P3 AND (p.kafka_partition > @P4 OR (p.kafka_partition = @P4 AND p.kafka_offset > @P5))))
ORDER BY p.parked_at, p.topic, p.kafka_partition, p.kafka_offset;
