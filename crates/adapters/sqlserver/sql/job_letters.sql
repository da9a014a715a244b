-- Up to @P1 letters of the redrive job @P2 after the id @P3, in the order of their ids.
SELECT TOP (@P1) l.id, l.result, l.landed
FROM dbo.redrive_job_letters l
WHERE l.job = @P2 AND l.id > @P3 COLLATE Latin1_General_100_BIN2
ORDER BY l.id;
