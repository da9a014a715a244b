INSERT INTO payments (payment_id, order_row, amount, currency, payment_method, status, settled_at, event_id, event_at, updated_at)
SELECT ?1, o.order_row, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM orders AS o WHERE o.order_id = ?2
ON CONFLICT (payment_id) DO UPDATE SET
  order_row = excluded.order_row, amount = excluded.amount, currency = excluded.currency, payment_method = excluded.payment_method,
  status = excluded.status, settled_at = excluded.settled_at,
  event_id = excluded.event_id, event_at = excluded.event_at, updated_at = excluded.updated_at
WHERE (excluded.event_at, excluded.event_id) > (payments.event_at, payments.event_id)
