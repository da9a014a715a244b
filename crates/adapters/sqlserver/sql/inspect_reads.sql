-- What this login may do with the tables that the API reads, and how the database is set up. HAS_PERMS_BY_NAME is NULL where there is no such table, and so
-- is IS_SRVROLEMEMBER where there are no such roles, in Azure SQL.
SELECT r.tab AS table_name, r.permission AS permission_name,
       CAST(CASE WHEN OBJECT_ID(r.tab, N'U') IS NULL THEN 0 ELSE 1 END AS int) AS table_exists,
       CAST(COALESCE(HAS_PERMS_BY_NAME(r.tab, N'OBJECT', r.permission), 0) AS int) AS granted
FROM (VALUES
  (N'dbo.users', N'SELECT'), (N'dbo.orders', N'SELECT'), (N'dbo.order_items', N'SELECT'), (N'dbo.payments', N'SELECT'), (N'dbo.inventory', N'SELECT'),
  (N'dbo.log_positions', N'SELECT'), (N'dbo.consumer_heartbeats', N'SELECT'), (N'dbo.schema_migrations', N'SELECT')) AS r (tab, permission)
ORDER BY r.tab, r.permission;

SELECT CAST(d.is_read_committed_snapshot_on AS int) AS row_versions, CAST(d.compatibility_level AS int) AS compatibility_level,
       CAST(DATABASEPROPERTYEX(d.name, 'Updateability') AS nvarchar(60)) AS updateability,
       CAST(COALESCE(IS_SRVROLEMEMBER(N'sysadmin'), 0) AS int) AS server_admin, CAST(COALESCE(IS_ROLEMEMBER(N'db_owner'), 0) AS int) AS database_owner
FROM sys.databases d
WHERE d.database_id = DB_ID();
