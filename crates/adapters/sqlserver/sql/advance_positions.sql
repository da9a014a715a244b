-- Moves positions forward, and begins those that are new; one that is further already stays.
--   @P1  [{l: log, t: topic, k: partition, f: next offset}]
-- Each row is found by its key, so that consumers of different partitions do not wait for each other.
SET NOCOUNT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
UPDATE p
SET next_offset = s.next_offset, updated_at = SYSUTCDATETIME()
FROM OPENJSON(@P1) WITH (log_id uniqueidentifier '$.l', topic nvarchar(4000) '$.t', kafka_partition int '$.k', next_offset bigint '$.f') AS s
INNER JOIN dbo.log_positions p WITH (FORCESEEK)
  ON p.log_id = s.log_id AND p.topic = s.topic COLLATE Latin1_General_100_BIN2 AND p.kafka_partition = s.kafka_partition
WHERE s.next_offset > p.next_offset;
INSERT INTO dbo.log_positions (log_id, topic, kafka_partition, next_offset, updated_at)
SELECT s.log_id, s.topic, s.kafka_partition, s.next_offset, SYSUTCDATETIME()
FROM OPENJSON(@P1) WITH (log_id uniqueidentifier '$.l', topic nvarchar(4000) '$.t', kafka_partition int '$.k', next_offset bigint '$.f') AS s
WHERE NOT EXISTS (SELECT 1 FROM dbo.log_positions p WITH (FORCESEEK) WHERE p.log_id = s.log_id AND p.topic = s.topic COLLATE Latin1_General_100_BIN2 AND p.kafka_partition = s.kafka_partition);
