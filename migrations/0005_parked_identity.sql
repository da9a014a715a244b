-- Parked events are told apart by their records, not by their places alone: offsets start again when a topic is recreated, and two records
-- that stood at one place are two events. Programs of the release before store none of it and leave it empty.
IF COL_LENGTH(N'dbo.parked_events', N'record_id') IS NULL
  ALTER TABLE dbo.parked_events ADD record_id char(64) COLLATE Latin1_General_100_BIN2 NOT NULL CONSTRAINT df_parked_events_record_id DEFAULT '';
GO

-- The key gets one more column. Nothing is written to the table meanwhile: the script runs in one transaction.
IF NOT EXISTS (SELECT 1
               FROM sys.key_constraints k
               INNER JOIN sys.index_columns i ON i.object_id = k.parent_object_id AND i.index_id = k.unique_index_id
               INNER JOIN sys.columns c ON c.object_id = i.object_id AND c.column_id = i.column_id
               WHERE k.name = N'pk_parked_events' AND k.parent_object_id = OBJECT_ID(N'dbo.parked_events', N'U') AND c.name = N'record_id')
BEGIN
  ALTER TABLE dbo.parked_events DROP CONSTRAINT pk_parked_events;
  ALTER TABLE dbo.parked_events ADD CONSTRAINT pk_parked_events PRIMARY KEY (topic, kafka_partition, kafka_offset, record_id);
END;
GO
