-- Deletes the row of dbo.orders with the key @P1 and its items, if it shows the event @P2 and no payment refers to it.
SET NOCOUNT ON;
SET XACT_ABORT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
DECLARE @changed int;
BEGIN TRANSACTION;
-- The lock on the row comes before its items go: a consumer that writes this order waits, or has written another event by now.
UPDATE o
SET updated_at = o.updated_at
FROM dbo.orders o
WHERE o.order_id = @P1 AND o.event_id = @P2 AND NOT EXISTS (SELECT 1 FROM dbo.payments p WHERE p.order_id = o.order_id);
SET @changed = @@ROWCOUNT;
IF @changed > 0
BEGIN
  DELETE i FROM dbo.order_items i WHERE i.order_id = @P1;
  DELETE o FROM dbo.orders o WHERE o.order_id = @P1;
END;
COMMIT TRANSACTION;
SELECT @changed AS changed;
