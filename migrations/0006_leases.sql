-- Which of several processes does what one of them is to do, and until when it need not say so again.
IF OBJECT_ID(N'dbo.leases', N'U') IS NULL
BEGIN
  CREATE TABLE dbo.leases (
    name    nvarchar(300)    COLLATE Latin1_General_100_BIN2 NOT NULL CONSTRAINT pk_leases PRIMARY KEY,
    holder  uniqueidentifier NOT NULL,
    ends_at datetime2(6)     NOT NULL);
END;
GO
