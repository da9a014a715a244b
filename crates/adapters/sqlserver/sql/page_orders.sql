-- The first @P1 orders from the key @P2 on, in the order that the server gives to keys: a row per item, one row without an item where there is none.
SELECT o.order_id AS row_key, o.event_id, o.event_at, o.user_id, o.total_amount, o.currency, o.placed_at, i.line_no, i.sku, i.quantity, i.price
FROM (SELECT TOP (@P1) x.order_id, x.event_id, x.event_at, x.user_id, x.total_amount, x.currency, x.placed_at
      FROM dbo.orders x
      WHERE x.order_id >= @P2
      ORDER BY x.order_id) AS o
LEFT JOIN dbo.order_items i ON i.order_id = o.order_id
ORDER BY o.order_id, i.line_no;
