-- The first @P1 entries of the audit log after the number @P2 that belong to the operation @P3.
SELECT TOP (@P1) a.number, a.at, a.actor, a.origin, a.action, a.operation, a.subject, a.before_digest, a.after_digest, a.outcome, a.previous_hash, a.hash
FROM dbo.audit_log a
WHERE a.operation = @P3 AND a.number > @P2
ORDER BY a.number;
