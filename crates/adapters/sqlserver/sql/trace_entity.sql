-- The row of a user (@P1 = 1), an order (2) or a payment (3) with this id (@P2), by the key of its table.
SELECT 1 AS entity_type, u.user_id AS entity_id, u.event_id, u.event_at, u.updated_at
FROM dbo.users u
WHERE @P1 = 1 AND u.user_id = @P2
UNION ALL
SELECT 2, o.order_id, o.event_id, o.event_at, o.updated_at
FROM dbo.orders o
WHERE @P1 = 2 AND o.order_id = @P2
UNION ALL
SELECT 3, p.payment_id, p.event_id, p.event_at, p.updated_at
FROM dbo.payments p
WHERE @P1 = 3 AND p.payment_id = @P2;
