INSERT INTO orders (order_id, user_id, total_amount, currency, placed_at, event_id, event_at, updated_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
WHERE EXISTS (SELECT 1 FROM users WHERE user_id = ?2)
ON CONFLICT (order_id) DO UPDATE SET
  user_id = excluded.user_id, total_amount = excluded.total_amount, currency = excluded.currency, placed_at = excluded.placed_at,
  event_id = excluded.event_id, event_at = excluded.event_at, updated_at = excluded.updated_at
WHERE (excluded.event_at, excluded.event_id) > (orders.event_at, orders.event_id)
