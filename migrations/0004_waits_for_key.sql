-- Which e-mail address a parked event waits for, so that it is released by the address that becomes free: waits_for_key is the address's key,
-- claimed_by the user, claimed_at the event's own time. NULL where an older program parked it: the sweep tries such an event each time.
IF COL_LENGTH(N'dbo.parked_events', N'waits_for_key') IS NULL
BEGIN
  ALTER TABLE dbo.parked_events ADD waits_for_key nvarchar(255) COLLATE Latin1_General_100_BIN2 NULL;
  ALTER TABLE dbo.parked_events ADD claimed_by uniqueidentifier NULL;
  ALTER TABLE dbo.parked_events ADD claimed_at datetime2(6) NULL;
END;
GO

-- The claims for one address, the earliest first.
IF NOT EXISTS (SELECT 1 FROM sys.indexes i WHERE i.object_id = OBJECT_ID(N'dbo.parked_events') AND i.name = N'ix_parked_events_claims')
  CREATE INDEX ix_parked_events_claims ON dbo.parked_events (waits_for_key, claimed_at);
GO

IF NOT EXISTS (SELECT 1 FROM sys.indexes i WHERE i.object_id = OBJECT_ID(N'dbo.parked_events') AND i.name = N'ix_parked_events_claimant')
  CREATE INDEX ix_parked_events_claimant ON dbo.parked_events (claimed_by);
GO
