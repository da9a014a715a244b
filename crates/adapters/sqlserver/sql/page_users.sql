-- The first @P1 rows of dbo.users from the key @P2 on, in the order that the server gives to keys.
SELECT TOP (@P1) u.user_id AS row_key, u.event_id, u.event_at, u.email, u.email_key, u.first_name, u.last_name, u.created_at
FROM dbo.users u
WHERE u.user_id >= @P2
ORDER BY u.user_id;
