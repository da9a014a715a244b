-- The first @P1 rows of dbo.inventory_adjustments from the key @P2 on, in the order that the server gives to keys. An opening balance shows no event.
SELECT TOP (@P1) a.event_id AS row_key, a.event_id, a.event_at, a.sku, a.delta, a.adjustment_type, a.reason, a.adjusted_at
FROM dbo.inventory_adjustments a
WHERE a.event_id >= @P2 AND a.adjustment_type <> N'opening_balance'
ORDER BY a.event_id;
