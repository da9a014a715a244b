-- What this login may do and never needs to do, and what the API alone never needs to do: whoever takes over the program may do it too. What the roles for
-- repair and compaction have is left out, since a consumer may be given it. HAS_PERMS_BY_NAME is NULL where there is no such permission or table.
SELECT CASE p.class WHEN N'OBJECT' THEN p.securable WHEN N'SCHEMA' THEN N'schema ' + p.securable WHEN N'DATABASE' THEN N'the database'
         ELSE N'the server' END AS place,
       p.permission AS permission_name, p.writer_too AS writer_too
FROM (VALUES
  (CAST(NULL AS nvarchar(128)), CAST(NULL AS nvarchar(60)), CAST(N'ALTER ANY LOGIN' AS nvarchar(60)), CAST(1 AS int)),
  (NULL, NULL, N'ALTER ANY DATABASE', 1),
  (DB_NAME(), N'DATABASE', N'ALTER ANY USER', 1), (DB_NAME(), N'DATABASE', N'ALTER ANY ROLE', 1), (DB_NAME(), N'DATABASE', N'BACKUP DATABASE', 1),
  (N'dbo', N'SCHEMA', N'ALTER', 1),
  (N'dbo.audit_log', N'OBJECT', N'UPDATE', 1), (N'dbo.audit_log', N'OBJECT', N'DELETE', 1),
  (N'dbo.inventory', N'OBJECT', N'DELETE', 1), (N'dbo.log_positions', N'OBJECT', N'DELETE', 1),
  (N'dbo.users', N'OBJECT', N'INSERT', 0), (N'dbo.users', N'OBJECT', N'UPDATE', 0),
  (N'dbo.orders', N'OBJECT', N'INSERT', 0), (N'dbo.orders', N'OBJECT', N'UPDATE', 0),
  (N'dbo.payments', N'OBJECT', N'INSERT', 0), (N'dbo.payments', N'OBJECT', N'UPDATE', 0),
  (N'dbo.inventory', N'OBJECT', N'INSERT', 0), (N'dbo.inventory', N'OBJECT', N'UPDATE', 0),
  (N'dbo.parked_events', N'OBJECT', N'SELECT', 0), (N'dbo.audit_log', N'OBJECT', N'SELECT', 0),
  (N'dbo.audit_log', N'OBJECT', N'INSERT', 0)) AS p (securable, class, permission, writer_too)
WHERE HAS_PERMS_BY_NAME(p.securable, p.class, p.permission) = 1
ORDER BY p.writer_too DESC, p.securable, p.permission;
