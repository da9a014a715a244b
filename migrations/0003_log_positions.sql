-- How far the tables hold each partition of each log. A log is a topic from its creation to its end: one of the same name that is made
-- later has another id.
IF OBJECT_ID(N'dbo.log_positions', N'U') IS NULL
BEGIN
  CREATE TABLE dbo.log_positions (
    log_id          uniqueidentifier NOT NULL,   -- Kafka's topic id; all zeros where the broker tells none
    topic           nvarchar(249)    COLLATE Latin1_General_100_BIN2 NOT NULL,
    kafka_partition int              NOT NULL,
    next_offset     bigint           NOT NULL,   -- what every record before it came to is durable; never goes back
    updated_at      datetime2(6)     NOT NULL,
    CONSTRAINT pk_log_positions PRIMARY KEY (log_id, topic, kafka_partition));
END;
GO
