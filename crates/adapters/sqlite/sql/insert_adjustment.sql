INSERT INTO inventory_adjustments (event_id, sku, delta, adjustment_type, reason, adjusted_at, event_at, applied_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (event_id) DO NOTHING
