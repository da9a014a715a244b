-- Takes events out of the parking table that have become dead letters.
--   @P1  [{t: topic, k: partition, f: offset, r: record}]
SET NOCOUNT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
DELETE p
FROM dbo.parked_events p
INNER JOIN OPENJSON(@P1) WITH (topic nvarchar(249) '$.t', kafka_partition int '$.k', kafka_offset bigint '$.f', record_id char(64) '$.r') AS s
  ON p.topic = s.topic COLLATE Latin1_General_100_BIN2 AND p.kafka_partition = s.kafka_partition AND p.kafka_offset = s.kafka_offset
  AND p.record_id = s.record_id COLLATE Latin1_General_100_BIN2;
