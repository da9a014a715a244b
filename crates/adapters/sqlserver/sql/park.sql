-- Stores events that wait, unless they are stored already, and says whether a parent of any of them is persisted meanwhile, or its e-mail
-- address may be had (one row, persisted).
--   @P1  {t: topic, k: partition, f: offset, r: record, y: key as base64, at: the record's timestamp in ms, rc: redrives, hd: headers as JSON, ev: event id,
--         wt: waits for (1 user, 2 order, 3 e-mail), wi: its id, v: payload,
--         wk: the e-mail address's key, by: the user that claims it, ca: the event's own time}
-- The look comes after the rows are committed: a parent that is persisted later finds them.
SET NOCOUNT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;

INSERT INTO dbo.parked_events (topic, kafka_partition, kafka_offset, kafka_key, kafka_at, retry_count, event_id, waits_for_type, waits_for_id, parked_at, payload, waits_for_key, claimed_by, claimed_at, record_id, headers)
SELECT s.topic, s.kafka_partition, s.kafka_offset, s.kafka_key, s.kafka_at, s.retry_count, s.event_id, s.waits_for_type, s.waits_for_id, SYSUTCDATETIME(), s.payload, s.waits_for_key, s.claimed_by, s.claimed_at, s.record_id, s.headers
FROM OPENJSON(@P1) WITH (topic nvarchar(4000) '$.t', kafka_partition int '$.k', kafka_offset bigint '$.f', record_id varchar(100) '$.r', kafka_key varbinary(max) '$.y', kafka_at bigint '$.at', retry_count int '$.rc', event_id uniqueidentifier '$.ev', waits_for_type tinyint '$.wt', waits_for_id uniqueidentifier '$.wi', payload nvarchar(max) '$.v', waits_for_key nvarchar(4000) '$.wk', claimed_by uniqueidentifier '$.by', claimed_at datetime2(6) '$.ca', headers nvarchar(max) '$.hd') AS s
WHERE NOT EXISTS (SELECT 1 FROM dbo.parked_events p WHERE p.topic = s.topic COLLATE Latin1_General_100_BIN2 AND p.kafka_partition = s.kafka_partition AND p.kafka_offset = s.kafka_offset AND p.record_id = s.record_id COLLATE Latin1_General_100_BIN2);

SELECT CASE WHEN EXISTS (SELECT 1
                         FROM OPENJSON(@P1) WITH (waits_for_type tinyint '$.wt', waits_for_id uniqueidentifier '$.wi') AS s
                         INNER JOIN dbo.users u ON u.user_id = s.waits_for_id
                         WHERE s.waits_for_type = 1)
              OR EXISTS (SELECT 1
                         FROM OPENJSON(@P1) WITH (waits_for_type tinyint '$.wt', waits_for_id uniqueidentifier '$.wi') AS s
                         INNER JOIN dbo.orders o ON o.order_id = s.waits_for_id
                         WHERE s.waits_for_type = 2)
              OR EXISTS (SELECT 1
                         FROM OPENJSON(@P1) WITH (waits_for_key nvarchar(4000) '$.wk', claimed_by uniqueidentifier '$.by') AS s
                         WHERE s.waits_for_key IS NOT NULL
                           AND NOT EXISTS (SELECT 1 FROM dbo.users h
                                           WHERE h.email_key = s.waits_for_key COLLATE Latin1_General_100_BIN2 AND h.user_id <> s.claimed_by
                                             AND NOT EXISTS (SELECT 1 FROM dbo.parked_events w
                                                             WHERE w.claimed_by = h.user_id AND w.expired = 0 AND w.waits_for_key <> h.email_key)))
            THEN 1 ELSE 0 END AS persisted;
