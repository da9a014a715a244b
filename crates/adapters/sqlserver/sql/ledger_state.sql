-- How far the ledger is compacted, and the compaction that has not come to its end, if there is one.
SELECT h.events_before,
       (SELECT COALESCE(SUM(c.lines), 0) FROM dbo.ledger_compactions c) AS folded,
       u.number, u.events_before AS their_events_before, u.applied_before, u.lines
FROM dbo.ledger_horizon h
LEFT JOIN (SELECT TOP (1) c.number, c.events_before, c.applied_before, c.lines
           FROM dbo.ledger_compactions c
           WHERE c.ended_at IS NULL
           ORDER BY c.number) AS u ON 1 = 1;
