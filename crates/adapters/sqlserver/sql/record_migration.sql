-- Notes that a migration ran: its version, name and checksum.
INSERT INTO dbo.schema_migrations (version, name, checksum, applied_at)
VALUES (@P1, @P2, @P3, SYSUTCDATETIME());
