-- What waits for an e-mail address is worth trying where its user's row shows this event or a newer one, or has the address; or else where
-- nobody has it, or only somebody who waits for another address, and no earlier claim waits for it that is not out of date.
-- An event of an older program, which did not note the address, is tried each time.
SELECT topic, kafka_partition, kafka_offset, kafka_key, kafka_at, retry_count, event_id, waits_for_type, waits_for_id, parked_at, payload, record_id, headers
FROM parked_events AS parked
WHERE expired = 0
  AND (parked_at, topic, kafka_partition, kafka_offset, record_id) > (?1, ?2, ?3, ?4, ?5)
  AND CASE waits_for_type
    WHEN 1 THEN EXISTS (SELECT 1 FROM users WHERE user_id = waits_for_id)
    WHEN 2 THEN EXISTS (SELECT 1 FROM orders WHERE order_id = waits_for_id)
    WHEN 3 THEN parked.waits_for_key IS NULL OR (
      EXISTS (
        SELECT 1 FROM users AS u
        WHERE u.user_id = parked.claimed_by AND ((u.event_at, u.event_id) >= (parked.claimed_at, parked.event_id) OR u.email_key = parked.waits_for_key)
      )
      OR (
        NOT EXISTS (
          SELECT 1 FROM users AS h
          WHERE h.email_key = parked.waits_for_key
            AND NOT EXISTS (SELECT 1 FROM parked_events AS w WHERE w.claimed_by = h.user_id AND w.expired = 0 AND w.waits_for_key <> h.email_key)
        )
        AND NOT EXISTS (
          SELECT 1 FROM parked_events AS e
          WHERE e.waits_for_key = parked.waits_for_key AND e.expired = 0 AND (e.claimed_at, e.event_id) < (parked.claimed_at, parked.event_id)
            AND NOT EXISTS (
              SELECT 1 FROM users AS s WHERE s.user_id = e.claimed_by AND (s.event_at, s.event_id) >= (e.claimed_at, e.event_id)
            )
        )
      )
    )
    ELSE 0
  END
ORDER BY parked_at, topic, kafka_partition, kafka_offset, record_id
LIMIT ?6
