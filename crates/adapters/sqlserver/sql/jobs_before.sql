-- The last @P1 redrive jobs before the number @P2, the newest first.
SELECT TOP (@P1) j.number, j.operation, j.made_at, j.actor, j.origin, j.subject, j.rate, j.max_retries, j.state, j.problem, j.counts, j.updated_at
FROM dbo.redrive_jobs j
WHERE j.number < @P2
ORDER BY j.number DESC;
