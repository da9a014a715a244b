-- Takes the lease @P1 for the holder @P2 for @P3 seconds, or prolongs it, unless somebody else has it.
SET NOCOUNT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
DECLARE @now datetime2(6) = SYSUTCDATETIME();
UPDATE l
SET holder = @P2, ends_at = DATEADD(second, @P3, @now)
FROM dbo.leases l
WHERE l.name = @P1 AND (l.holder = @P2 OR l.ends_at <= @now);
IF @@ROWCOUNT = 0
  INSERT INTO dbo.leases (name, holder, ends_at)
  SELECT @P1, @P2, DATEADD(second, @P3, @now)
  WHERE NOT EXISTS (SELECT 1 FROM dbo.leases l WHERE l.name = @P1);
SELECT COUNT(*) AS held FROM dbo.leases l WHERE l.name = @P1 AND l.holder = @P2;
