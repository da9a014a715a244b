-- An order (@P1) with its items and, of its payments, the newest settled: a row per item, one row without an item where there is none.
SELECT o.order_id, o.user_id, o.total_amount, o.currency, o.placed_at, o.updated_at,
       p.payment_id, p.amount, p.currency AS payment_currency, p.payment_method, p.status, p.settled_at,
       i.sku, i.quantity, i.price
FROM dbo.orders o
OUTER APPLY (SELECT TOP (1) x.payment_id, x.amount, x.currency, x.payment_method, x.status, x.settled_at
             FROM dbo.payments x
             WHERE x.order_id = o.order_id
             ORDER BY x.settled_at DESC, CONVERT(char(36), x.payment_id) COLLATE Latin1_General_100_BIN2 DESC) AS p
LEFT JOIN dbo.order_items i ON i.order_id = o.order_id
WHERE o.order_id = @P1
ORDER BY i.line_no;
