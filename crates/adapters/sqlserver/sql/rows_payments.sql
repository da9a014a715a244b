-- The rows of dbo.payments with these keys.
--   @P1  keys [{id}]
SET NOCOUNT ON;
SELECT p.payment_id AS row_key, p.event_id, p.event_at, p.order_id, p.amount, p.currency, p.payment_method, p.status, p.settled_at
FROM dbo.payments p
INNER JOIN OPENJSON(@P1) WITH (id uniqueidentifier '$.id') AS s ON s.id = p.payment_id;
