-- The consumer @P1 stops.
SET NOCOUNT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
DELETE h
FROM dbo.consumer_heartbeats h
WHERE h.instance = @P1;
