-- The stock of an article. Comparisons ignore blanks at the end, lengths do not.
SELECT i.sku, i.quantity, i.updated_at
FROM dbo.inventory i
WHERE i.sku = @P1 AND DATALENGTH(i.sku) = DATALENGTH(@P1);
