-- The first @P1 rows of dbo.payments from the key @P2 on, in the order that the server gives to keys.
SELECT TOP (@P1) p.payment_id AS row_key, p.event_id, p.event_at, p.order_id, p.amount, p.currency, p.payment_method, p.status, p.settled_at
FROM dbo.payments p
WHERE p.payment_id >= @P2
ORDER BY p.payment_id;
