-- Makes a redrive job without letters, unless that of this operation is there, says its number, and forgets ended ones that are old.
--   @P1  operation   @P2  made at   @P3  actor   @P4  origin   @P5  subject   @P6  rate, or NULL   @P7  most retries   @P8  how many numbers are kept
SET NOCOUNT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
DECLARE @number bigint;
INSERT INTO dbo.redrive_jobs (operation, made_at, actor, origin, subject, rate, max_retries, state, counts, updated_at)
SELECT @P1, CAST(@P2 AS datetime2(6)), @P3, @P4, @P5, @P6, @P7, N'planned', N'', SYSUTCDATETIME()
WHERE NOT EXISTS (SELECT 1 FROM dbo.redrive_jobs j WHERE j.operation = @P1);
SELECT @number = j.number
FROM dbo.redrive_jobs j
WHERE j.operation = @P1;
DELETE l
FROM dbo.redrive_job_letters l
INNER JOIN dbo.redrive_jobs j ON j.number = l.job
WHERE j.number <= @number - @P8 AND j.state IN (N'done', N'cancelled', N'failed');
DELETE j
FROM dbo.redrive_jobs j
WHERE j.number <= @number - @P8 AND j.state IN (N'done', N'cancelled', N'failed');
SELECT @number AS number;
