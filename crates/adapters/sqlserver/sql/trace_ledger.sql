-- The line of the ledger of stock that an event (@P1) left.
SELECT a.sku, a.delta, a.event_at, a.applied_at
FROM dbo.inventory_adjustments a
WHERE a.event_id = @P1;
