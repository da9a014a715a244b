-- The rows of dbo.inventory_adjustments with these keys. An opening balance shows no event.
--   @P1  keys [{id}]
SET NOCOUNT ON;
SELECT a.event_id AS row_key, a.event_id, a.event_at, a.sku, a.delta, a.adjustment_type, a.reason, a.adjusted_at
FROM dbo.inventory_adjustments a
INNER JOIN OPENJSON(@P1) WITH (id uniqueidentifier '$.id') AS s ON s.id = a.event_id
WHERE a.adjustment_type <> N'opening_balance';
