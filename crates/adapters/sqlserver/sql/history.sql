-- The migrations that ran.
SELECT m.version, m.name, m.checksum
FROM dbo.schema_migrations m
ORDER BY m.version;
