-- When a consumer wrote last, a batch or its heartbeat, as this server has it, and what this server's clock says. NULL where none has.
SELECT CAST(MAX(w.written_at) AS datetime2(6)) AS as_of, CAST(SYSUTCDATETIME() AS datetime2(6)) AS now_at
FROM (SELECT MAX(p.updated_at) AS written_at FROM dbo.log_positions p
      UNION ALL
      SELECT MAX(h.heartbeat_at) AS written_at FROM dbo.consumer_heartbeats h) AS w;
