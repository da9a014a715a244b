-- Takes the line of the event @P1 (which is @P2 as well) out of the ledger: the event that is applied next is written.
SET NOCOUNT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
DELETE a
FROM dbo.inventory_adjustments a
WHERE a.event_id = @P1 AND a.event_id = @P2;
SELECT @@ROWCOUNT AS changed;
