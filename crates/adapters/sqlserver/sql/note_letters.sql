-- Gives letters of a redrive job their results and places, adds those that it does not have, and replaces its counts.
--   @P1  the job   @P2  [{i: id, r: result, l: where the broker put it, or left out}], each id once   @P3  the counts
SET NOCOUNT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
UPDATE l
SET result = s.result, landed = s.landed
FROM dbo.redrive_job_letters l
INNER JOIN OPENJSON(@P2) WITH (id nvarchar(4000) '$.i', result nvarchar(4000) '$.r', landed nvarchar(4000) '$.l') AS s
  ON l.job = @P1 AND l.id = s.id COLLATE Latin1_General_100_BIN2;
INSERT INTO dbo.redrive_job_letters (job, id, result, landed)
SELECT @P1, s.id, s.result, s.landed
FROM OPENJSON(@P2) WITH (id nvarchar(4000) '$.i', result nvarchar(4000) '$.r', landed nvarchar(4000) '$.l') AS s
WHERE NOT EXISTS (SELECT 1 FROM dbo.redrive_job_letters l WHERE l.job = @P1 AND l.id = s.id COLLATE Latin1_General_100_BIN2);
UPDATE dbo.redrive_jobs
SET counts = @P3, updated_at = SYSUTCDATETIME()
WHERE number = @P1;
