-- The rows that show the event ?1, and that of the entity ?3 of type ?2 (1 user, 2 order, 3 payment). Reads three tables from end to end.
SELECT 1, user_id, event_id, event_at, updated_at FROM users WHERE event_id = ?1 OR (?2 = 1 AND user_id = ?3)
UNION ALL
SELECT 2, order_id, event_id, event_at, updated_at FROM orders WHERE event_id = ?1 OR (?2 = 2 AND order_id = ?3)
UNION ALL
SELECT 3, payment_id, event_id, event_at, updated_at FROM payments WHERE event_id = ?1 OR (?2 = 3 AND payment_id = ?3)
