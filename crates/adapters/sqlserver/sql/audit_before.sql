-- The last @P1 entries of the audit log before the number @P2, the newest first.
SELECT TOP (@P1) a.number, a.at, a.actor, a.origin, a.action, a.operation, a.subject, a.before_digest, a.after_digest, a.outcome, a.previous_hash, a.hash
FROM dbo.audit_log a
WHERE a.number < @P2
ORDER BY a.number DESC;
