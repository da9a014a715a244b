-- Notes that the consumer @P1 is there, and how it is (@P8). One that is new also removes who was seen last more than a day ago.
SET NOCOUNT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
DECLARE @now datetime2(6) = SYSUTCDATETIME();
UPDATE h
SET heartbeat_at = @now, state = @P8
FROM dbo.consumer_heartbeats h
WHERE h.instance = @P1;
IF @@ROWCOUNT = 0
BEGIN
  DELETE h
  FROM dbo.consumer_heartbeats h
  WHERE h.heartbeat_at < DATEADD(day, -1, @now);
  INSERT INTO dbo.consumer_heartbeats (instance, host, process_id, version, group_name, topic, started_at, heartbeat_at, state)
  VALUES (@P1, @P2, @P3, @P4, @P5, @P6, CAST(@P7 AS datetime2(6)), @now, @P8);
END;
