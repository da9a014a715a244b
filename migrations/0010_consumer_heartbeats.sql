-- Who consumes, and how it is: each process says so every two seconds, and takes its row with it when it stops.
IF OBJECT_ID(N'dbo.consumer_heartbeats', N'U') IS NULL
BEGIN
  CREATE TABLE dbo.consumer_heartbeats (
    instance     uniqueidentifier NOT NULL CONSTRAINT pk_consumer_heartbeats PRIMARY KEY,
    host         nvarchar(500)    NOT NULL,
    process_id   bigint           NOT NULL,
    version      nvarchar(500)    NOT NULL,
    group_name   nvarchar(500)    NOT NULL,
    topic        nvarchar(500)    NOT NULL,
    started_at   datetime2(6)     NOT NULL,
    heartbeat_at datetime2(6)     NOT NULL,
    state        nvarchar(max)    NOT NULL);
END;
GO
