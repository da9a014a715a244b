-- Parked events that wait for these users and orders, and may be released because their parent is persisted. Oldest first.
--   @P1  how many   @P2 to @P6  the place after which to look: parked_at, topic, partition, offset, record
--   @P7  users [{id}]   @P8  orders [{id}]   @P9  1: also what waits for e-mail addresses; or 0
-- Each kind by itself, so that its rows are found by what they wait for: asked for in one condition, and ordered by age, they invite a plan that
-- reads all that waits, the oldest first, until enough of it is found.
-- What waits for an e-mail address is worth trying where its user's row shows this event or a newer one, or has the address; or else where
-- nobody has it, or only somebody who waits for another address, and no earlier claim waits for it that is not out of date.
SET NOCOUNT ON;
DECLARE @after datetime2(6) = CONVERT(datetime2(6), @P2, 126);
SELECT TOP (@P1) p.topic, p.kafka_partition, p.kafka_offset, p.kafka_key, p.kafka_at, p.retry_count, p.event_id, p.waits_for_type, p.waits_for_id, p.parked_at, p.payload, p.record_id, p.headers
FROM (SELECT p.topic, p.kafka_partition, p.kafka_offset, p.kafka_key, p.kafka_at, p.retry_count, p.event_id, p.waits_for_type, p.waits_for_id, p.parked_at, p.payload, p.record_id, p.headers
      FROM dbo.parked_events p
      WHERE p.expired = 0 AND p.waits_for_type = 1
        AND p.waits_for_id IN (SELECT u.user_id FROM dbo.users u INNER JOIN OPENJSON(@P7) WITH (id uniqueidentifier '$.id') AS s ON s.id = u.user_id)
      UNION ALL
      SELECT p.topic, p.kafka_partition, p.kafka_offset, p.kafka_key, p.kafka_at, p.retry_count, p.event_id, p.waits_for_type, p.waits_for_id, p.parked_at, p.payload, p.record_id, p.headers
      FROM dbo.parked_events p
      WHERE p.expired = 0 AND p.waits_for_type = 2
        AND p.waits_for_id IN (SELECT o.order_id FROM dbo.orders o INNER JOIN OPENJSON(@P8) WITH (id uniqueidentifier '$.id') AS s ON s.id = o.order_id)
      UNION ALL
      SELECT p.topic, p.kafka_partition, p.kafka_offset, p.kafka_key, p.kafka_at, p.retry_count, p.event_id, p.waits_for_type, p.waits_for_id, p.parked_at, p.payload, p.record_id, p.headers
      FROM dbo.parked_events p
      WHERE p.expired = 0 AND @P9 = 1 AND p.waits_for_type = 3 AND p.waits_for_key IS NOT NULL AND (EXISTS (SELECT 1 FROM dbo.users u
                    WHERE u.user_id = p.claimed_by
                      AND (u.email_key = p.waits_for_key OR (u.event_at > p.claimed_at OR (u.event_at = p.claimed_at AND CONVERT(char(36), u.event_id) COLLATE Latin1_General_100_BIN2 >= CONVERT(char(36), p.event_id) COLLATE Latin1_General_100_BIN2))))
            OR (NOT EXISTS (SELECT 1 FROM dbo.users h
                            WHERE h.email_key = p.waits_for_key
                              AND NOT EXISTS (SELECT 1 FROM dbo.parked_events w
                                              WHERE w.claimed_by = h.user_id AND w.expired = 0 AND w.waits_for_key <> h.email_key))
                AND NOT EXISTS (SELECT 1 FROM dbo.parked_events e
                                WHERE e.waits_for_key = p.waits_for_key AND e.expired = 0
                                  AND (e.claimed_at < p.claimed_at OR (e.claimed_at = p.claimed_at AND CONVERT(char(36), e.event_id) COLLATE Latin1_General_100_BIN2 < CONVERT(char(36), p.event_id) COLLATE Latin1_General_100_BIN2))
                                  AND NOT EXISTS (SELECT 1 FROM dbo.users s
                                                  WHERE s.user_id = e.claimed_by
                                                    AND (s.event_at > e.claimed_at OR (s.event_at = e.claimed_at AND CONVERT(char(36), s.event_id) COLLATE Latin1_General_100_BIN2 >= CONVERT(char(36), e.event_id) COLLATE Latin1_General_100_BIN2))))))) AS p
WHERE p.parked_at >= @after
  AND (p.parked_at > @after OR p.topic > @P3 OR (p.topic = @P3 AND (p.kafka_partition > @P4 OR (p.kafka_partition = @P4 AND (p.kafka_offset > @P5 OR (p.kafka_offset = @P5 AND p.record_id > @P6))))))
ORDER BY p.parked_at, p.topic, p.kafka_partition, p.kafka_offset, p.record_id;
