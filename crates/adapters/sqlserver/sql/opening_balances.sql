-- The first @P1 opening balances of articles after @P2; from the first one on where it is NULL.
SELECT TOP (@P1) a.sku, a.delta AS quantity
FROM dbo.inventory_adjustments a
WHERE a.adjustment_type = N'opening_balance' AND (@P2 IS NULL OR a.sku > @P2)
ORDER BY a.sku;
