-- Waits up to @P1 milliseconds to be the only one that migrates this database. The lock ends with the session.
DECLARE @granted int;
EXEC @granted = sp_getapplock @Resource = N'schema_migrations', @LockMode = N'Exclusive', @LockOwner = N'Session', @LockTimeout = @P1;
SELECT @granted AS granted;
