-- The last ?2 lines of the ledger of the article ?1, those that were applied last first. No index holds the articles, which would be written with
-- every line: walks back from the newest line, and stops as soon as it has found so many.
SELECT sku, delta, event_at, applied_at, event_id
FROM inventory_adjustments
WHERE sku = ?1
ORDER BY rowid DESC
LIMIT ?2
