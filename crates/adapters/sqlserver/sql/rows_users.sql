-- The rows of dbo.users with these keys.
--   @P1  keys [{id}]
SET NOCOUNT ON;
SELECT u.user_id AS row_key, u.event_id, u.event_at, u.email, u.email_key, u.first_name, u.last_name, u.created_at
FROM dbo.users u
INNER JOIN OPENJSON(@P1) WITH (id uniqueidentifier '$.id') AS s ON s.id = u.user_id;
