-- The rows that show an event, and the row of the entity that is asked for.
--   @P1  the event's id   @P2  1 for a user, 2 for an order, 3 for a payment, 0 for none   @P3  its id
-- No index knows the event ids of rows: this reads three tables from end to end, for an operator now and then.
SELECT 1 AS entity_type, u.user_id AS entity_id, u.event_id, u.event_at, u.updated_at
FROM dbo.users u
WHERE u.event_id = @P1 OR (@P2 = 1 AND u.user_id = @P3)
UNION ALL
SELECT 2, o.order_id, o.event_id, o.event_at, o.updated_at
FROM dbo.orders o
WHERE o.event_id = @P1 OR (@P2 = 2 AND o.order_id = @P3)
UNION ALL
SELECT 3, p.payment_id, p.event_id, p.event_at, p.updated_at
FROM dbo.payments p
WHERE p.event_id = @P1 OR (@P2 = 3 AND p.payment_id = @P3);
