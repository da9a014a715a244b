-- The @P1 users that came last, newest first.
SELECT TOP (@P1) u.user_id, u.email, u.first_name, u.last_name, u.created_at, u.updated_at
FROM dbo.users u
ORDER BY u.created_at DESC, CONVERT(char(36), u.user_id) COLLATE Latin1_General_100_BIN2 DESC;
