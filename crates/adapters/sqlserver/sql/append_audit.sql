-- Adds entries to the audit log if its last entry is still the one that they are chained to, and says how many it has added and what is last now.
--   @P1  the number of that entry, 0 where there is none    @P2  its hash, in hexadecimal
--   @P3  [{n: number, w: time, a: actor, o: origin, c: action, i: operation, s: subject, b: digest before, d: digest after, r: outcome,
--          p: previous hash, h: hash}], digests in hexadecimal
-- One statement inserts all of them or none; of two writers that have seen the same last entry, the primary key refuses the second.
SET NOCOUNT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
DECLARE @appended int;
INSERT INTO dbo.audit_log (number, at, actor, origin, action, operation, subject, before_digest, after_digest, outcome, previous_hash, hash)
SELECT s.number, s.at, s.actor, s.origin, s.action, s.operation, s.subject, CONVERT(binary(32), s.before_digest, 2), CONVERT(binary(32), s.after_digest, 2), s.outcome,
       CONVERT(binary(32), s.previous_hash, 2), CONVERT(binary(32), s.hash, 2)
FROM OPENJSON(@P3) WITH (number bigint '$.n', at datetime2(6) '$.w', actor nvarchar(4000) '$.a', origin nvarchar(4000) '$.o', action nvarchar(4000) '$.c',
       operation uniqueidentifier '$.i', subject nvarchar(4000) '$.s', before_digest nvarchar(4000) '$.b', after_digest nvarchar(4000) '$.d',
       outcome nvarchar(4000) '$.r', previous_hash nvarchar(4000) '$.p', hash nvarchar(4000) '$.h') AS s
WHERE NOT EXISTS (SELECT 1 FROM dbo.audit_log a WHERE a.number > @P1)
  AND (@P1 = 0 OR EXISTS (SELECT 1 FROM dbo.audit_log a WHERE a.number = @P1 AND a.hash = CONVERT(binary(32), @P2, 2)));
SET @appended = @@ROWCOUNT;
SELECT TOP (1) @appended AS appended, a.number, a.hash
FROM dbo.audit_log a
ORDER BY a.number DESC;
