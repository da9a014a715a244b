WITH ledger AS (SELECT sku, sum(delta) AS total FROM inventory_adjustments GROUP BY sku)
SELECT coalesce(i.sku, l.sku) AS article, i.quantity, l.total
FROM inventory AS i
FULL JOIN ledger AS l ON l.sku = i.sku
WHERE i.quantity IS NOT l.total
ORDER BY article
LIMIT ?1
