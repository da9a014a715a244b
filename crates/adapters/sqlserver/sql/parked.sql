-- How many events wait, and since when the oldest does.
SELECT COUNT_BIG(*) AS waiting, MIN(p.parked_at) AS oldest
FROM dbo.parked_events p
WHERE p.expired = 0;
