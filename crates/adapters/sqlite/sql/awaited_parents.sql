-- What events wait for, the ?1 first that the most wait for, and how many there are of both.
SELECT waits_for_type, waits_for_id, count(*) AS children, min(parked_at) AS oldest, count(*) OVER () AS parents, sum(count(*)) OVER () AS events
FROM parked_events
GROUP BY waits_for_type, waits_for_id
ORDER BY children DESC, oldest, waits_for_type, waits_for_id
LIMIT ?1
