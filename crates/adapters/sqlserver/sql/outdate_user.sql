-- Lets the row of dbo.users with the key @P1 count as older than any event, if it shows the event @P2: the event that is applied next is written.
SET NOCOUNT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
UPDATE dbo.users
SET event_at = CONVERT(datetime2(6), '0001-01-01T00:00:00', 126), event_id = CONVERT(uniqueidentifier, '00000000-0000-0000-0000-000000000000')
WHERE user_id = @P1 AND event_id = @P2;
SELECT @@ROWCOUNT AS changed;
