-- What events wait for, those about to expire among them: the first @P1 that the most wait for, each with the @P2 that have waited longest, and how
-- many there are of both; and whether what is waited for is in its table.
SELECT t.waits_for_type, t.waits_for_id, t.children, t.oldest, t.parents, t.events, w.written, c.event_id, c.topic, c.kafka_partition, c.kafka_offset, c.parked_at
FROM (
  SELECT TOP (@P1) g.waits_for_type, g.waits_for_id, g.children, g.oldest, COUNT_BIG(*) OVER () AS parents, SUM(g.children) OVER () AS events
  FROM (
    SELECT p.waits_for_type, p.waits_for_id, COUNT_BIG(*) AS children, MIN(p.parked_at) AS oldest
    FROM dbo.parked_events p
    GROUP BY p.waits_for_type, p.waits_for_id
  ) AS g
  ORDER BY g.children DESC, g.oldest, g.waits_for_type, g.waits_for_id
) AS t
CROSS APPLY (
  SELECT CASE
    WHEN t.waits_for_type = 1 AND EXISTS (SELECT * FROM dbo.users u WHERE u.user_id = t.waits_for_id) THEN 1
    WHEN t.waits_for_type = 2 AND EXISTS (SELECT * FROM dbo.orders o WHERE o.order_id = t.waits_for_id) THEN 1
    ELSE 0
  END AS written
) AS w
CROSS APPLY (
  -- Two that are NULL are the same here, and the index still finds them.
  SELECT TOP (@P2) p.event_id, p.topic, p.kafka_partition, p.kafka_offset, p.parked_at
  FROM dbo.parked_events p
  WHERE p.waits_for_type = t.waits_for_type AND EXISTS (SELECT p.waits_for_id INTERSECT SELECT t.waits_for_id)
  ORDER BY p.parked_at, p.topic, p.kafka_partition, p.kafka_offset
) AS c
ORDER BY t.children DESC, t.oldest, t.waits_for_type, t.waits_for_id, c.parked_at, c.topic, c.kafka_partition, c.kafka_offset;
