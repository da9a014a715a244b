-- From version 12 to 13: orders have a number, and what belongs to an order is keyed by it. What the columns are for stands in schema.sql.
ALTER TABLE orders RENAME TO orders_12;

ALTER TABLE order_items RENAME TO order_items_12;

ALTER TABLE payments RENAME TO payments_12;

DROP INDEX ix_orders_user_placed;

DROP INDEX ix_payments_order_settled;

CREATE TABLE orders (
  order_row    INTEGER PRIMARY KEY,
  order_id     BLOB    NOT NULL UNIQUE,
  user_id      BLOB    NOT NULL REFERENCES users (user_id),
  total_amount TEXT    NOT NULL,
  currency     TEXT    NOT NULL CONSTRAINT ck_orders_currency CHECK (length(currency) <= 3),
  placed_at    INTEGER NOT NULL,
  event_id     BLOB    NOT NULL,
  event_at     INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT;

INSERT INTO orders (order_row, order_id, user_id, total_amount, currency, placed_at, event_id, event_at, updated_at)
SELECT rowid, order_id, user_id, total_amount, currency, placed_at, event_id, event_at, updated_at FROM orders_12 ORDER BY rowid;

CREATE INDEX ix_orders_user_placed ON orders (user_id, placed_at);

CREATE TABLE order_items (
  order_row INTEGER NOT NULL REFERENCES orders (order_row),
  line_no   INTEGER NOT NULL,
  sku       TEXT    NOT NULL,
  quantity  INTEGER NOT NULL,
  price     TEXT    NOT NULL,
  PRIMARY KEY (order_row, line_no)
) STRICT, WITHOUT ROWID;

INSERT INTO order_items (order_row, line_no, sku, quantity, price)
SELECT o.order_row, i.line_no, i.sku, i.quantity, i.price
FROM orders AS o CROSS JOIN order_items_12 AS i ON i.order_id = o.order_id
ORDER BY o.order_row, i.line_no;

CREATE TABLE payments (
  payment_id     BLOB    NOT NULL PRIMARY KEY,
  order_row      INTEGER NOT NULL REFERENCES orders (order_row),
  amount         TEXT    NOT NULL,
  currency       TEXT    NOT NULL CONSTRAINT ck_payments_currency CHECK (length(currency) <= 3),
  payment_method TEXT    NOT NULL,
  status         TEXT    NOT NULL,
  settled_at     INTEGER NOT NULL,
  event_id       BLOB    NOT NULL,
  event_at       INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL
) STRICT;

INSERT INTO payments (payment_id, order_row, amount, currency, payment_method, status, settled_at, event_id, event_at, updated_at)
SELECT p.payment_id, o.order_row, p.amount, p.currency, p.payment_method, p.status, p.settled_at, p.event_id, p.event_at, p.updated_at
FROM payments_12 AS p CROSS JOIN orders AS o ON o.order_id = p.order_id
ORDER BY p.rowid;

CREATE INDEX ix_payments_order_settled ON payments (order_row, settled_at);

DROP TABLE payments_12;

DROP TABLE order_items_12;

DROP TABLE orders_12;
