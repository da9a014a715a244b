-- What is waited for, counted, and who has waited longest for each: all of it in one index, which takes the place of the narrower one.
IF NOT EXISTS (SELECT 1 FROM sys.indexes i WHERE i.object_id = OBJECT_ID(N'dbo.parked_events') AND i.name = N'ix_parked_events_parents')
  CREATE INDEX ix_parked_events_parents ON dbo.parked_events (waits_for_type, waits_for_id, parked_at) INCLUDE (event_id);
GO

IF EXISTS (SELECT 1 FROM sys.indexes i WHERE i.object_id = OBJECT_ID(N'dbo.parked_events') AND i.name = N'ix_parked_events_waits_for')
  DROP INDEX ix_parked_events_waits_for ON dbo.parked_events;
GO
