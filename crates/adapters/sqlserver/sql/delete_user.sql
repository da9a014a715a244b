-- Deletes the row of dbo.users with the key @P1, if it shows the event @P2 and no order refers to it.
SET NOCOUNT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
DELETE u
FROM dbo.users u
WHERE u.user_id = @P1 AND u.event_id = @P2 AND NOT EXISTS (SELECT 1 FROM dbo.orders o WHERE o.user_id = u.user_id);
SELECT @@ROWCOUNT AS changed;
