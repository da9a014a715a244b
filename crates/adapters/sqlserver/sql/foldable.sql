-- What a compaction would fold: lines of events before @P1 that were applied before @P2.
SELECT COUNT_BIG(*) AS lines, COUNT_BIG(DISTINCT a.sku) AS articles
FROM dbo.inventory_adjustments a
WHERE a.event_at < @P1 AND a.applied_at < @P2 AND a.adjustment_type <> N'opening_balance';
