-- What this login may do with our tables. HAS_PERMS_BY_NAME is NULL where there is no such table.
SELECT r.tab AS table_name, r.permission AS permission_name,
       CAST(CASE WHEN OBJECT_ID(r.tab, N'U') IS NULL THEN 0 ELSE 1 END AS int) AS table_exists,
       CAST(COALESCE(HAS_PERMS_BY_NAME(r.tab, N'OBJECT', r.permission), 0) AS int) AS granted
FROM (VALUES
  (N'dbo.users', N'SELECT'), (N'dbo.users', N'INSERT'), (N'dbo.users', N'UPDATE'),
  (N'dbo.orders', N'SELECT'), (N'dbo.orders', N'INSERT'), (N'dbo.orders', N'UPDATE'),
  (N'dbo.order_items', N'SELECT'), (N'dbo.order_items', N'INSERT'), (N'dbo.order_items', N'DELETE'),
  (N'dbo.payments', N'SELECT'), (N'dbo.payments', N'INSERT'), (N'dbo.payments', N'UPDATE'),
  (N'dbo.inventory', N'SELECT'), (N'dbo.inventory', N'INSERT'), (N'dbo.inventory', N'UPDATE'),
  (N'dbo.inventory_adjustments', N'SELECT'), (N'dbo.inventory_adjustments', N'INSERT'),
  (N'dbo.parked_events', N'SELECT'), (N'dbo.parked_events', N'INSERT'), (N'dbo.parked_events', N'UPDATE'), (N'dbo.parked_events', N'DELETE'),
  (N'dbo.log_positions', N'SELECT'), (N'dbo.log_positions', N'INSERT'), (N'dbo.log_positions', N'UPDATE'),
  (N'dbo.leases', N'SELECT'), (N'dbo.leases', N'INSERT'), (N'dbo.leases', N'UPDATE'), (N'dbo.leases', N'DELETE'),
  (N'dbo.audit_log', N'SELECT'), (N'dbo.audit_log', N'INSERT'),
  (N'dbo.consumer_heartbeats', N'SELECT'), (N'dbo.consumer_heartbeats', N'INSERT'), (N'dbo.consumer_heartbeats', N'UPDATE'),
  (N'dbo.consumer_heartbeats', N'DELETE'),
  (N'dbo.redrive_jobs', N'SELECT'), (N'dbo.redrive_jobs', N'INSERT'), (N'dbo.redrive_jobs', N'UPDATE'), (N'dbo.redrive_jobs', N'DELETE'),
  (N'dbo.redrive_job_letters', N'SELECT'), (N'dbo.redrive_job_letters', N'INSERT'), (N'dbo.redrive_job_letters', N'UPDATE'),
  (N'dbo.redrive_job_letters', N'DELETE'),
  (N'dbo.ledger_horizon', N'SELECT'), (N'dbo.ledger_compactions', N'SELECT'),
  (N'dbo.schema_migrations', N'SELECT')) AS r (tab, permission)
ORDER BY r.tab, r.permission;
