-- The last @P1 entries whose subject is @P2, or begins with it and a comma, among the newest @P3 of the audit log, the newest first. No index holds what
-- an entry is about: this reads that part of the table, in the order of its key.
SELECT TOP (@P1) a.number, a.at, a.actor, a.origin, a.action, a.operation, a.subject, a.before_digest, a.after_digest, a.outcome, a.previous_hash, a.hash
FROM dbo.audit_log a
WHERE a.number > (SELECT MAX(m.number) FROM dbo.audit_log m) - @P3 AND (a.subject = @P2 OR LEFT(a.subject, LEN(@P2) + 1) = @P2 + N',')
ORDER BY a.number DESC;
