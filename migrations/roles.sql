-- Roles with the rights that each program needs, and no more. Not a migration: whoever owns the database runs it, after `consumer migrate` and again
-- after each upgrade, with sqlcmd or another tool. It may be run as often as one likes. Then put the logins' users into the roles:
--
--   CREATE USER consumer FOR LOGIN consumer;
--   ALTER ROLE event_pipeline_consumer ADD MEMBER consumer;
--
-- The rights are those of the statements in crates/adapters/sqlserver/sql; a test compares the two.

-- The API: what it reads, how old that is, and which schema it meets.
IF DATABASE_PRINCIPAL_ID(N'event_pipeline_api') IS NULL
  CREATE ROLE event_pipeline_api;
GO

GRANT SELECT ON dbo.users TO event_pipeline_api;
GRANT SELECT ON dbo.orders TO event_pipeline_api;
GRANT SELECT ON dbo.order_items TO event_pipeline_api;
GRANT SELECT ON dbo.payments TO event_pipeline_api;
GRANT SELECT ON dbo.inventory TO event_pipeline_api;
GRANT SELECT ON dbo.log_positions TO event_pipeline_api;
GRANT SELECT ON dbo.consumer_heartbeats TO event_pipeline_api;
GRANT SELECT ON dbo.schema_migrations TO event_pipeline_api;
GO

-- The consumer: its batches, parking, positions, leases, its heartbeat, the verification that it runs beside them, and the console, whose changes it
-- notes in the audit log.
IF DATABASE_PRINCIPAL_ID(N'event_pipeline_consumer') IS NULL
  CREATE ROLE event_pipeline_consumer;
GO

GRANT SELECT, INSERT, UPDATE ON dbo.users TO event_pipeline_consumer;
GRANT SELECT, INSERT, UPDATE ON dbo.orders TO event_pipeline_consumer;
GRANT SELECT, INSERT, DELETE ON dbo.order_items TO event_pipeline_consumer;
GRANT SELECT, INSERT, UPDATE ON dbo.payments TO event_pipeline_consumer;
GRANT SELECT, INSERT, UPDATE ON dbo.inventory TO event_pipeline_consumer;
GRANT SELECT, INSERT ON dbo.inventory_adjustments TO event_pipeline_consumer;
GRANT SELECT, INSERT, UPDATE, DELETE ON dbo.parked_events TO event_pipeline_consumer;
GRANT SELECT, INSERT, UPDATE ON dbo.log_positions TO event_pipeline_consumer;
GRANT SELECT, INSERT, UPDATE, DELETE ON dbo.leases TO event_pipeline_consumer;
GRANT SELECT, INSERT ON dbo.audit_log TO event_pipeline_consumer;
GRANT SELECT, INSERT, UPDATE, DELETE ON dbo.consumer_heartbeats TO event_pipeline_consumer;
GRANT SELECT, INSERT, UPDATE, DELETE ON dbo.redrive_jobs TO event_pipeline_consumer;
GRANT SELECT, INSERT, UPDATE, DELETE ON dbo.redrive_job_letters TO event_pipeline_consumer;
GRANT SELECT ON dbo.ledger_horizon TO event_pipeline_consumer;
GRANT SELECT ON dbo.ledger_compactions TO event_pipeline_consumer;
GRANT SELECT ON dbo.schema_migrations TO event_pipeline_consumer;
GO

-- A person on a command line: `dlq`, with the jobs that redrives are, `audit`, `trace`, `status`, `resume`. A dry run of a redrive or an edit is the batch's own statement, rolled back,
-- and needs its rights.
IF DATABASE_PRINCIPAL_ID(N'event_pipeline_operator') IS NULL
  CREATE ROLE event_pipeline_operator;
GO

GRANT SELECT, INSERT, UPDATE ON dbo.users TO event_pipeline_operator;
GRANT SELECT, INSERT, UPDATE ON dbo.orders TO event_pipeline_operator;
GRANT SELECT, INSERT, DELETE ON dbo.order_items TO event_pipeline_operator;
GRANT SELECT, INSERT, UPDATE ON dbo.payments TO event_pipeline_operator;
GRANT SELECT, INSERT, UPDATE ON dbo.inventory TO event_pipeline_operator;
GRANT SELECT, INSERT ON dbo.inventory_adjustments TO event_pipeline_operator;
GRANT SELECT, DELETE ON dbo.parked_events TO event_pipeline_operator;
GRANT SELECT, INSERT, UPDATE ON dbo.log_positions TO event_pipeline_operator;
GRANT SELECT, INSERT, UPDATE, DELETE ON dbo.leases TO event_pipeline_operator;
GRANT SELECT, INSERT ON dbo.audit_log TO event_pipeline_operator;
GRANT SELECT ON dbo.consumer_heartbeats TO event_pipeline_operator;
GRANT SELECT, INSERT, UPDATE, DELETE ON dbo.redrive_jobs TO event_pipeline_operator;
GRANT SELECT, INSERT, UPDATE, DELETE ON dbo.redrive_job_letters TO event_pipeline_operator;
GRANT SELECT ON dbo.ledger_horizon TO event_pipeline_operator;
GRANT SELECT ON dbo.ledger_compactions TO event_pipeline_operator;
GRANT SELECT ON dbo.schema_migrations TO event_pipeline_operator;
GO

-- `verify --repair`, beside the consumer's role: what writes rows as the log says, and deletes what it does not say.
IF DATABASE_PRINCIPAL_ID(N'event_pipeline_repair') IS NULL
  CREATE ROLE event_pipeline_repair;
GO

GRANT SELECT, UPDATE, DELETE ON dbo.users TO event_pipeline_repair;
GRANT SELECT, UPDATE, DELETE ON dbo.orders TO event_pipeline_repair;
GRANT SELECT, DELETE ON dbo.order_items TO event_pipeline_repair;
GRANT SELECT, UPDATE, DELETE ON dbo.payments TO event_pipeline_repair;
GRANT SELECT, INSERT, UPDATE ON dbo.inventory TO event_pipeline_repair;
GRANT SELECT, DELETE ON dbo.inventory_adjustments TO event_pipeline_repair;
GO

-- `ledger compact --execute`, beside the operator's role: what folds old lines of the ledger into opening balances.
IF DATABASE_PRINCIPAL_ID(N'event_pipeline_compaction') IS NULL
  CREATE ROLE event_pipeline_compaction;
GO

GRANT SELECT, INSERT, UPDATE, DELETE ON dbo.inventory_adjustments TO event_pipeline_compaction;
GRANT SELECT, UPDATE ON dbo.ledger_horizon TO event_pipeline_compaction;
GRANT SELECT, INSERT, UPDATE ON dbo.ledger_compactions TO event_pipeline_compaction;
GO

-- `consumer migrate`, on a database that is there: to create one takes the server's right CREATE DATABASE, and READ_COMMITTED_SNAPSHOT the database's
-- right ALTER; who has them can do both once, before. New tables belong to dbo, whose schema it may change.
IF DATABASE_PRINCIPAL_ID(N'event_pipeline_migrate') IS NULL
  CREATE ROLE event_pipeline_migrate;
GO

GRANT CREATE TABLE TO event_pipeline_migrate;
GRANT ALTER, REFERENCES, SELECT, INSERT ON SCHEMA::dbo TO event_pipeline_migrate;
GO

-- One more lock beside the trigger that keeps the audit log: whatever else a user of these roles is given, it does not change an entry.
DENY UPDATE, DELETE ON dbo.audit_log TO event_pipeline_api, event_pipeline_consumer, event_pipeline_operator, event_pipeline_repair, event_pipeline_compaction;
GO
