-- The last @P2 lines of the ledger of an article (@P1), those that were applied last first. No index holds the articles, which would be written with
-- every line: this reads the ledger from end to end, for an operator now and then. Comparisons ignore blanks at the end, lengths do not.
SELECT TOP (@P2) a.sku, a.delta, a.event_at, a.applied_at, a.event_id
FROM dbo.inventory_adjustments a
WHERE a.sku = @P1 AND DATALENGTH(a.sku) = DATALENGTH(@P1)
ORDER BY a.applied_at DESC, a.event_at DESC, a.event_id;
