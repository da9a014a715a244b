-- How the database is set up, and what else the login may do. IS_SRVROLEMEMBER is NULL where there are no such roles, in Azure SQL.
SELECT CAST(d.is_read_committed_snapshot_on AS int) AS row_versions, CAST(d.compatibility_level AS int) AS compatibility_level,
       CAST(DATABASEPROPERTYEX(d.name, 'Updateability') AS nvarchar(60)) AS updateability,
       CAST(COALESCE(IS_SRVROLEMEMBER(N'sysadmin'), 0) AS int) AS server_admin, CAST(COALESCE(IS_ROLEMEMBER(N'db_owner'), 0) AS int) AS database_owner
FROM sys.databases d
WHERE d.database_id = DB_ID();
