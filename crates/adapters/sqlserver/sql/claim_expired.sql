-- Claims what was parked at @P1 or before and whose parent is still missing: no release takes it any more. So is what waits
-- for an e-mail address that somebody has. Returns up to @P2 claimed events, those of an earlier claim that was cut short among them. Oldest first.
SET NOCOUNT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
UPDATE p
SET expired = 1
FROM dbo.parked_events p
WHERE p.expired = 0 AND p.parked_at <= CONVERT(datetime2(6), @P1, 126)
  AND ((p.waits_for_type = 3 AND (p.waits_for_key IS NULL OR EXISTS (SELECT 1 FROM dbo.users u WHERE u.email_key = p.waits_for_key)))
       OR (p.waits_for_type = 1 AND NOT EXISTS (SELECT 1 FROM dbo.users u WHERE u.user_id = p.waits_for_id))
       OR (p.waits_for_type = 2 AND NOT EXISTS (SELECT 1 FROM dbo.orders o WHERE o.order_id = p.waits_for_id)));
SELECT TOP (@P2) p.topic, p.kafka_partition, p.kafka_offset, p.kafka_key, p.kafka_at, p.retry_count, p.event_id, p.waits_for_type, p.waits_for_id, p.parked_at, p.payload
FROM dbo.parked_events p
WHERE p.expired = 1
ORDER BY p.parked_at, p.topic, p.kafka_partition, p.kafka_offset;
