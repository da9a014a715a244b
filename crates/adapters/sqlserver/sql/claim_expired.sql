-- Claims up to @P2 events that were parked at @P1 or before and whose parent is still missing: no release takes them any more. So is what
-- waits for an e-mail address that somebody has. Returns up to @P2 claimed events, those of an earlier claim that was cut short among them. Oldest
-- first. The limit keeps the statement's locks from becoming one on the table. What waits for something that this program does not know is left
-- to the programs that do.
SET NOCOUNT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
WITH due AS (
  SELECT TOP (@P2) p.expired
  FROM dbo.parked_events p
  WHERE p.expired = 0 AND p.parked_at <= CONVERT(datetime2(6), @P1, 126)
    AND ((p.waits_for_type = 3 AND (p.waits_for_key IS NULL OR EXISTS (SELECT 1 FROM dbo.users u WHERE u.email_key = p.waits_for_key)))
         OR (p.waits_for_type = 1 AND NOT EXISTS (SELECT 1 FROM dbo.users u WHERE u.user_id = p.waits_for_id))
         OR (p.waits_for_type = 2 AND NOT EXISTS (SELECT 1 FROM dbo.orders o WHERE o.order_id = p.waits_for_id)))
  ORDER BY p.parked_at, p.topic, p.kafka_partition, p.kafka_offset, p.record_id)
UPDATE due SET expired = 1;
SELECT TOP (@P2) p.topic, p.kafka_partition, p.kafka_offset, p.kafka_key, p.kafka_at, p.retry_count, p.event_id, p.waits_for_type, p.waits_for_id, p.parked_at, p.payload, p.record_id, p.headers
FROM dbo.parked_events p
WHERE p.expired = 1 AND p.waits_for_type IN (1, 2, 3)
ORDER BY p.parked_at, p.topic, p.kafka_partition, p.kafka_offset, p.record_id;
