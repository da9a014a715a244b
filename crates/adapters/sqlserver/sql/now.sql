-- This instant by the database's clock, with which parking times compare.
SELECT CAST(SYSUTCDATETIME() AS datetime2(6)) AS now_at;
