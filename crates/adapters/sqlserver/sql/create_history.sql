-- The table of the migrations that ran.
IF OBJECT_ID(N'dbo.schema_migrations', N'U') IS NULL
  CREATE TABLE dbo.schema_migrations (
    version    int           NOT NULL CONSTRAINT pk_schema_migrations PRIMARY KEY,
    name       nvarchar(200) NOT NULL,
    checksum   char(64)      NOT NULL,   -- SHA-256 of the script with LF line ends, in hexadecimal
    applied_at datetime2(6)  NOT NULL);
