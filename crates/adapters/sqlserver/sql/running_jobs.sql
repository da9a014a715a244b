-- The redrive jobs that run, the oldest first.
SELECT j.number
FROM dbo.redrive_jobs j
WHERE j.state = N'running'
ORDER BY j.number;
