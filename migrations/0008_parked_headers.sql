-- Parked events keep their records' headers, as JSON. Programs of the release before store none and leave it empty.
IF COL_LENGTH(N'dbo.parked_events', N'headers') IS NULL
  ALTER TABLE dbo.parked_events ADD headers nvarchar(max) NULL;
GO
