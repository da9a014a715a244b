-- Folding old lines of the ledger into one opening balance per article: up to where, and how far that has come.

-- One row, always: every batch with adjustments reads it, and keeps it as it is until it commits.
IF OBJECT_ID(N'dbo.ledger_horizon', N'U') IS NULL
BEGIN
  CREATE TABLE dbo.ledger_horizon (
    one           tinyint      NOT NULL CONSTRAINT pk_ledger_horizon PRIMARY KEY,
    events_before datetime2(6) NOT NULL);   -- an adjustment whose event is older counts only if the ledger holds its line
END;
GO

IF NOT EXISTS (SELECT 1 FROM dbo.ledger_horizon h)
  INSERT INTO dbo.ledger_horizon (one, events_before) VALUES (1, '0001-01-01T00:00:00');
GO

IF OBJECT_ID(N'dbo.ledger_compactions', N'U') IS NULL
BEGIN
  CREATE TABLE dbo.ledger_compactions (
    number         bigint IDENTITY(1, 1) NOT NULL CONSTRAINT pk_ledger_compactions PRIMARY KEY,
    events_before  datetime2(6)          NOT NULL,   -- lines of events before it,
    applied_before datetime2(6)          NOT NULL,   -- that were applied before it
    after_event_id uniqueidentifier      NOT NULL,   -- what was looked at, in the order that the server gives to keys
    lines          bigint                NOT NULL,   -- folded so far
    begun_at       datetime2(6)          NOT NULL,
    updated_at     datetime2(6)          NOT NULL,
    ended_at       datetime2(6)          NULL);
END;
GO
