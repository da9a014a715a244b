-- The logins of the stack in containers: one for each program, with a user in the database that is in the program's role and in no other. Not a
-- migration: `logins` in docker-compose.yml runs it with sqlcmd after roles.sql, on each start of the stack. sqlcmd puts the passwords in, from its
-- environment, where a quote is doubled already; a login that is there gets the password that is set now.
--
-- The owner's login stays with `migrate` alone.

IF SUSER_ID(N'consumer') IS NULL
  CREATE LOGIN consumer WITH PASSWORD = N'$(CONSUMER_PASSWORD)';
ELSE
  ALTER LOGIN consumer WITH PASSWORD = N'$(CONSUMER_PASSWORD)';
GO

IF DATABASE_PRINCIPAL_ID(N'consumer') IS NULL
  CREATE USER consumer FOR LOGIN consumer;
ELSE
  -- A database that was restored from elsewhere has a user of that name and another login's number.
  ALTER USER consumer WITH LOGIN = consumer;
GO

ALTER ROLE event_pipeline_consumer ADD MEMBER consumer;
GO

IF SUSER_ID(N'api') IS NULL
  CREATE LOGIN api WITH PASSWORD = N'$(API_PASSWORD)';
ELSE
  ALTER LOGIN api WITH PASSWORD = N'$(API_PASSWORD)';
GO

IF DATABASE_PRINCIPAL_ID(N'api') IS NULL
  CREATE USER api FOR LOGIN api;
ELSE
  ALTER USER api WITH LOGIN = api;
GO

ALTER ROLE event_pipeline_api ADD MEMBER api;
GO
