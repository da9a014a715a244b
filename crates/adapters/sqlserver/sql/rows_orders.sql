-- The orders with these keys: a row per item, one row without an item where there is none.
--   @P1  keys [{id}]
SET NOCOUNT ON;
SELECT o.order_id AS row_key, o.event_id, o.event_at, o.user_id, o.total_amount, o.currency, o.placed_at, i.line_no, i.sku, i.quantity, i.price
FROM dbo.orders o
INNER JOIN OPENJSON(@P1) WITH (id uniqueidentifier '$.id') AS s ON s.id = o.order_id
LEFT JOIN dbo.order_items i ON i.order_id = o.order_id
ORDER BY o.order_id, i.line_no;
