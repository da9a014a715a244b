-- ?7 and ?8: JSON arrays of users and orders, as hexadecimal digits. ?9: whether also what waits for e-mail addresses.
-- First the numbers of the rows, by the index of what is waited for, and then their order: with both in one step SQLite reads all that waits, the
-- oldest first, until enough of it is found.
-- What waits for an e-mail address is worth trying where its user's row shows this event or a newer one, or has the address; or else where
-- nobody has it, or only somebody who waits for another address, and no earlier claim waits for it that is not out of date.
SELECT topic, kafka_partition, kafka_offset, kafka_key, kafka_at, retry_count, event_id, waits_for_type, waits_for_id, parked_at, payload, record_id, headers
FROM parked_events NOT INDEXED
WHERE rowid IN (
    SELECT parked.rowid FROM parked_events AS parked INDEXED BY ix_parked_events_waits_for
    WHERE parked.waits_for_type = 1
      AND parked.waits_for_id IN (SELECT u.user_id FROM json_each(?7) AS j JOIN users AS u ON u.user_id = unhex(j.value))
    UNION ALL
    SELECT parked.rowid FROM parked_events AS parked INDEXED BY ix_parked_events_waits_for
    WHERE parked.waits_for_type = 2
      AND parked.waits_for_id IN (SELECT o.order_id FROM json_each(?8) AS j JOIN orders AS o ON o.order_id = unhex(j.value))
    UNION ALL
    SELECT parked.rowid FROM parked_events AS parked INDEXED BY ix_parked_events_waits_for
    WHERE ?9 AND parked.waits_for_type = 3 AND parked.expired = 0 AND parked.waits_for_key IS NOT NULL AND (
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
  )
  AND expired = 0
  AND (parked_at, topic, kafka_partition, kafka_offset, record_id) > (?1, ?2, ?3, ?4, ?5)
ORDER BY parked_at, topic, kafka_partition, kafka_offset, record_id
LIMIT ?6
