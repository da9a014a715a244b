-- What this login may do with the tables that the API reads. HAS_PERMS_BY_NAME is NULL where there is no such table.
SELECT r.tab AS table_name, r.permission AS permission_name,
       CAST(CASE WHEN OBJECT_ID(r.tab, N'U') IS NULL THEN 0 ELSE 1 END AS int) AS table_exists,
       CAST(COALESCE(HAS_PERMS_BY_NAME(r.tab, N'OBJECT', r.permission), 0) AS int) AS granted
FROM (VALUES
  (N'dbo.users', N'SELECT'), (N'dbo.orders', N'SELECT'), (N'dbo.order_items', N'SELECT'), (N'dbo.payments', N'SELECT'), (N'dbo.inventory', N'SELECT'),
  (N'dbo.log_positions', N'SELECT'), (N'dbo.consumer_heartbeats', N'SELECT'), (N'dbo.schema_migrations', N'SELECT')) AS r (tab, permission)
ORDER BY r.tab, r.permission;
