-- The line of the ledger of stock that an event (@P1) left, and before which time lines may have been folded into opening balances.
SELECT h.events_before, a.sku, a.delta, a.event_at, a.applied_at, a.event_id
FROM dbo.ledger_horizon h
LEFT JOIN dbo.inventory_adjustments a ON a.event_id = @P1;
