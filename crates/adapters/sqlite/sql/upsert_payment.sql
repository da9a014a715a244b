INSERT INTO payments (payment_id, order_id, amount, currency, payment_method, status, settled_at, event_id, event_at, updated_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
WHERE EXISTS (SELECT 1 FROM orders WHERE order_id = ?2)
ON CONFLICT (payment_id) DO UPDATE SET
  order_id = excluded.order_id, amount = excluded.amount, currency = excluded.currency, payment_method = excluded.payment_method,
  status = excluded.status, settled_at = excluded.settled_at,
  event_id = excluded.event_id, event_at = excluded.event_at, updated_at = excluded.updated_at
WHERE (excluded.event_at, excluded.event_id) > (payments.event_at, payments.event_id)
