-- Begins a compaction of lines of events before @P1 that were applied before @P2, unless one is under way, and tells the one that is then.
--
-- The horizon moves before anything is folded. Every batch with adjustments holds a shared lock on it from before it looks into the ledger until
-- it ends, so the UPDATE waits for those that have read the old one, and whoever reads it later reads the new one.
SET NOCOUNT ON;
SET XACT_ABORT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
DECLARE @now datetime2(6) = SYSUTCDATETIME();
BEGIN TRANSACTION;
INSERT INTO dbo.ledger_compactions (events_before, applied_before, after_event_id, lines, begun_at, updated_at)
SELECT @P1, @P2, '00000000-0000-0000-0000-000000000000', 0, @now, @now
WHERE NOT EXISTS (SELECT 1 FROM dbo.ledger_compactions c WHERE c.ended_at IS NULL);
IF @@ROWCOUNT > 0
  UPDATE dbo.ledger_horizon
  SET events_before = @P1
  WHERE events_before < @P1;
COMMIT TRANSACTION;
SELECT TOP (1) c.number, c.events_before AS their_events_before, c.applied_before, c.lines
FROM dbo.ledger_compactions c
WHERE c.ended_at IS NULL
ORDER BY c.number;
