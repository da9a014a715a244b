SELECT o.order_id, o.user_id, o.total_amount, o.currency, o.placed_at, o.updated_at,
       p.payment_id, p.amount, p.currency, p.payment_method, p.status, p.settled_at,
       i.sku, i.quantity, i.price
FROM orders AS o
LEFT JOIN (
  SELECT * FROM payments
  WHERE order_row = (SELECT order_row FROM orders WHERE order_id = ?1)
  ORDER BY settled_at DESC, payment_id DESC LIMIT 1
) AS p ON p.order_row = o.order_row
LEFT JOIN order_items AS i ON i.order_row = o.order_row
WHERE o.order_id = ?1
ORDER BY i.line_no
