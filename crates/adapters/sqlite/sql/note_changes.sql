-- What a shadow notes of its own rows, from its first verification on. No other file has these tables.
CREATE TABLE IF NOT EXISTS changed_rows (seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, id BLOB NOT NULL);
-- One row while every row that is not among the changed ones has been compared.
CREATE TABLE IF NOT EXISTS rows_compared (one INTEGER PRIMARY KEY CHECK (one = 1));
CREATE TRIGGER IF NOT EXISTS tr_users_inserted AFTER INSERT ON users
BEGIN INSERT INTO changed_rows (kind, id) VALUES (0, new.user_id); END;
CREATE TRIGGER IF NOT EXISTS tr_users_updated AFTER UPDATE ON users
BEGIN INSERT INTO changed_rows (kind, id) VALUES (0, new.user_id); END;
-- Items change with their order alone.
CREATE TRIGGER IF NOT EXISTS tr_orders_inserted AFTER INSERT ON orders
BEGIN INSERT INTO changed_rows (kind, id) VALUES (1, new.order_id); END;
CREATE TRIGGER IF NOT EXISTS tr_orders_updated AFTER UPDATE ON orders
BEGIN INSERT INTO changed_rows (kind, id) VALUES (1, new.order_id); END;
CREATE TRIGGER IF NOT EXISTS tr_payments_inserted AFTER INSERT ON payments
BEGIN INSERT INTO changed_rows (kind, id) VALUES (2, new.payment_id); END;
CREATE TRIGGER IF NOT EXISTS tr_payments_updated AFTER UPDATE ON payments
BEGIN INSERT INTO changed_rows (kind, id) VALUES (2, new.payment_id); END;
CREATE TRIGGER IF NOT EXISTS tr_adjustments_inserted AFTER INSERT ON inventory_adjustments
BEGIN INSERT INTO changed_rows (kind, id) VALUES (3, new.event_id); END;
