INSERT INTO inventory (sku, quantity, updated_at) VALUES (?1, ?2, ?3)
ON CONFLICT (sku) DO UPDATE SET quantity = excluded.quantity, updated_at = excluded.updated_at
