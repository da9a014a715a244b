-- The @P1 consumers that were seen last, of those that were within @P2 seconds.
SET NOCOUNT ON;
DECLARE @now datetime2(6) = SYSUTCDATETIME();
SELECT TOP (@P1) h.instance, h.host, h.process_id, h.version, h.group_name, h.topic, h.started_at,
       DATEDIFF_BIG(millisecond, h.heartbeat_at, @now) AS age_ms, h.state
FROM dbo.consumer_heartbeats h
WHERE h.heartbeat_at > DATEADD(second, -@P2, @now)
ORDER BY h.heartbeat_at DESC;
