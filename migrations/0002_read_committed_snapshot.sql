-- Row versions for readers: neither they nor the foreign keys' look at a parent wait for a writer.
--
-- Needs a moment in which nobody else uses the database, and the right to alter it. Where either is missing, this fails at once, nothing
-- depends on it but speed, and the next `consumer migrate` tries again. Not possible inside a transaction.
IF EXISTS (SELECT 1 FROM sys.databases d WHERE d.database_id = DB_ID() AND d.is_read_committed_snapshot_on = 0)
  ALTER DATABASE CURRENT SET READ_COMMITTED_SNAPSHOT ON WITH NO_WAIT;
GO
