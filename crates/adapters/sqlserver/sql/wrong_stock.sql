-- The first @P1 articles whose quantity is not the sum of their ledger. The sum has more digits than a quantity: it must not overflow.
SELECT TOP (@P1) COALESCE(i.sku, l.sku) AS article, CONVERT(varchar(40), i.quantity) AS quantity, CONVERT(varchar(40), l.total) AS ledger
FROM dbo.inventory i
FULL OUTER JOIN (SELECT a.sku, SUM(CONVERT(decimal(38,0), a.delta)) AS total
                 FROM dbo.inventory_adjustments a
                 GROUP BY a.sku) AS l ON l.sku = i.sku
WHERE i.sku IS NULL OR l.sku IS NULL OR i.quantity <> l.total
ORDER BY COALESCE(i.sku, l.sku);
