-- Redrives that outlive the process that does them, and what became of each of their letters.
IF OBJECT_ID(N'dbo.redrive_jobs', N'U') IS NULL
BEGIN
  CREATE TABLE dbo.redrive_jobs (
    number      bigint IDENTITY(1, 1) NOT NULL CONSTRAINT pk_redrive_jobs PRIMARY KEY,
    operation   uniqueidentifier      NOT NULL CONSTRAINT uq_redrive_jobs_operation UNIQUE,   -- that of its entries in the audit log
    made_at     datetime2(6)          NOT NULL,                                               -- by the clock of the program that made it
    actor       nvarchar(200)         NOT NULL,
    origin      nvarchar(50)          NOT NULL,
    subject     nvarchar(2000)        NOT NULL,
    rate        float                 NULL,                                                   -- letters per second at most
    max_retries int                   NOT NULL,
    state       nvarchar(20)          NOT NULL,
    problem     nvarchar(1000)        NULL,
    counts      nvarchar(1000)        NOT NULL,                                               -- such as 'sent 12, gone 1'
    updated_at  datetime2(6)          NOT NULL);
END;
GO

IF OBJECT_ID(N'dbo.redrive_job_letters', N'U') IS NULL
BEGIN
  CREATE TABLE dbo.redrive_job_letters (
    job    bigint                                           NOT NULL,
    id     nvarchar(20) COLLATE Latin1_General_100_BIN2     NOT NULL,
    result nvarchar(20)                                     NOT NULL,
    CONSTRAINT pk_redrive_job_letters PRIMARY KEY (job, id));
END;
GO
