-- What operators have changed. Each entry holds the hash of the one before it, so that a change of an entry shows; entries are only ever added.
IF OBJECT_ID(N'dbo.audit_log', N'U') IS NULL
BEGIN
  CREATE TABLE dbo.audit_log (
    number        bigint           NOT NULL CONSTRAINT pk_audit_log PRIMARY KEY,   -- from 1, without gaps
    at            datetime2(6)     NOT NULL,                                       -- by the clock of the program that wrote it
    actor         nvarchar(200)    NOT NULL,
    origin        nvarchar(50)     NOT NULL,
    action        nvarchar(50)     NOT NULL,
    operation     uniqueidentifier NOT NULL,
    subject       nvarchar(2000)   NOT NULL,
    before_digest binary(32)       NULL,
    after_digest  binary(32)       NULL,
    outcome       nvarchar(1000)   NOT NULL,
    previous_hash binary(32)       NOT NULL,
    hash          binary(32)       NOT NULL);

  CREATE INDEX ix_audit_log_operation ON dbo.audit_log (operation, number);
END;
GO

-- As a text, because CREATE TRIGGER has to be the first of its batch.
IF OBJECT_ID(N'dbo.tr_audit_log_append_only', N'TR') IS NULL
BEGIN
  EXEC sys.sp_executesql N'CREATE TRIGGER dbo.tr_audit_log_append_only ON dbo.audit_log INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 50002, N''the audit log is only ever added to'', 1;
END;';
END;
GO
