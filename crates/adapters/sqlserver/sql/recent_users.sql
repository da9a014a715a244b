-- The @P1 users that came last, newest first. The inner TOP reads so many off the end of the index; ordered by what it does not hold, it would
-- read and sort the whole table. Of those that share the last one's time, it takes all, so that the outer one has the same choice at each time.
SELECT TOP (@P1) t.user_id, t.email, t.first_name, t.last_name, t.created_at, t.updated_at
FROM (SELECT TOP (@P1) WITH TIES u.user_id, u.email, u.first_name, u.last_name, u.created_at, u.updated_at
      FROM dbo.users u
      ORDER BY u.created_at DESC) AS t
ORDER BY t.created_at DESC, CONVERT(char(36), t.user_id) COLLATE Latin1_General_100_BIN2 DESC;
