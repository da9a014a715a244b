-- Where the broker put each letter of a redrive, as JSON, so that it can be told later how it ended. Programs of the release before leave it as it is.
IF COL_LENGTH(N'dbo.redrive_job_letters', N'landed') IS NULL
  ALTER TABLE dbo.redrive_job_letters ADD landed nvarchar(1000) NULL;
GO
