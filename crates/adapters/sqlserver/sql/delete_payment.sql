-- Deletes the row of dbo.payments with the key @P1, if it shows the event @P2.
SET NOCOUNT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
DELETE p
FROM dbo.payments p
WHERE p.payment_id = @P1 AND p.event_id = @P2;
SELECT @@ROWCOUNT AS changed;
