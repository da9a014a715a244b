-- Gives the lease @P1 back, if it is that of the holder @P2.
SET NOCOUNT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
DELETE l
FROM dbo.leases l
WHERE l.name = @P1 AND l.holder = @P2;
