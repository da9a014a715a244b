-- Whether what is waited for is there: the user or order ?2, or a place at the address with the key ?3 for the user ?4. Somebody who holds the
-- address and waits for another one may change places.
SELECT CASE ?1
  WHEN 1 THEN EXISTS (SELECT 1 FROM users WHERE user_id = ?2)
  WHEN 2 THEN EXISTS (SELECT 1 FROM orders WHERE order_id = ?2)
  WHEN 3 THEN NOT EXISTS (
    SELECT 1 FROM users AS h
    WHERE h.email_key = ?3 AND h.user_id <> ?4
      AND NOT EXISTS (SELECT 1 FROM parked_events AS w WHERE w.claimed_by = h.user_id AND w.expired = 0 AND w.waits_for_key <> h.email_key)
  )
  ELSE 0
END
