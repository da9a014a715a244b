-- A user (@P1) with the last @P2 orders, newest first: a row per order, one row without an order where there is none. As with the users that came
-- last, the innermost TOP reads the end of the index, with all that share the last one's time.
SELECT u.user_id, u.email, u.first_name, u.last_name, u.created_at, u.updated_at,
       o.order_id, o.total_amount, o.currency, o.placed_at, o.updated_at AS order_updated_at
FROM dbo.users u
OUTER APPLY (SELECT TOP (@P2) t.order_id, t.total_amount, t.currency, t.placed_at, t.updated_at
             FROM (SELECT TOP (@P2) WITH TIES x.order_id, x.total_amount, x.currency, x.placed_at, x.updated_at
                   FROM dbo.orders x
                   WHERE x.user_id = u.user_id
                   ORDER BY x.placed_at DESC) AS t
             ORDER BY t.placed_at DESC, CONVERT(char(36), t.order_id) COLLATE Latin1_General_100_BIN2 DESC) AS o
WHERE u.user_id = @P1
ORDER BY o.placed_at DESC, CONVERT(char(36), o.order_id) COLLATE Latin1_General_100_BIN2 DESC;
