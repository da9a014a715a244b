-- Goes on with the compaction @P1: looks at the next @P2 lines of the ledger, folds the old ones among them into one opening balance per article,
-- and notes how far it has come, in one transaction. Returns one row (looked_at, folded, ended).
--
-- Writers wait as little as can be: only lines that are folded are locked, and no stock is, which stays the sum of the ledger. Nobody writes a line
-- of such an event any more (the horizon). Of two who go on with one compaction, the second waits at its row, and goes on behind the first.
--
-- The key of an opening balance is made of its article, so that it is found without an index. Where somebody else's event has that key,
-- nothing is done.
SET NOCOUNT ON;
SET XACT_ABORT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
DECLARE @now datetime2(6) = SYSUTCDATETIME();
DECLARE @events_before datetime2(6);
DECLARE @applied_before datetime2(6);
DECLARE @after uniqueidentifier;
DECLARE @looked_at int = 0;
DECLARE @folded int = 0;
DECLARE @articles int = 0;
DECLARE @ended int = 1;
DECLARE @page TABLE (event_id uniqueidentifier NOT NULL PRIMARY KEY, is_old bit NOT NULL);
DECLARE @line TABLE (sku nvarchar(50) COLLATE Latin1_General_100_BIN2 NOT NULL, delta bigint NOT NULL);
DECLARE @sum TABLE (event_id uniqueidentifier NOT NULL PRIMARY KEY, sku nvarchar(50) COLLATE Latin1_General_100_BIN2 NOT NULL, delta bigint NOT NULL);

BEGIN TRANSACTION;
UPDATE dbo.ledger_compactions
SET updated_at = @now, @events_before = events_before, @applied_before = applied_before, @after = after_event_id
WHERE number = @P1 AND ended_at IS NULL;
IF @events_before IS NOT NULL
BEGIN
  INSERT INTO @page (event_id, is_old)
  SELECT TOP (@P2) a.event_id, CASE WHEN a.event_at < @events_before AND a.applied_at < @applied_before AND a.adjustment_type <> N'opening_balance' THEN 1 ELSE 0 END
  FROM dbo.inventory_adjustments a
  WHERE a.event_id > @after
  ORDER BY a.event_id;
  SET @looked_at = @@ROWCOUNT;
  SET @ended = CASE WHEN @looked_at < @P2 THEN 1 ELSE 0 END;
  SET @after = COALESCE((SELECT TOP (1) p.event_id FROM @page p ORDER BY p.event_id DESC), @after);
  DELETE a
  OUTPUT deleted.sku, deleted.delta INTO @line (sku, delta)
  FROM dbo.inventory_adjustments a
  INNER JOIN @page p ON p.event_id = a.event_id
  WHERE p.is_old = 1;
  SET @folded = @@ROWCOUNT;
  INSERT INTO @sum (event_id, sku, delta)
  SELECT CONVERT(uniqueidentifier, SUBSTRING(HASHBYTES('SHA2_256', N'opening_balance ' + l.sku), 1, 16)), l.sku, SUM(l.delta)
  FROM @line l
  GROUP BY l.sku;
  SET @articles = @@ROWCOUNT;
  MERGE INTO dbo.inventory_adjustments AS t
  USING (SELECT s.event_id, s.sku, s.delta FROM @sum s) AS s
  ON t.event_id = s.event_id
  WHEN MATCHED AND t.sku = s.sku AND t.adjustment_type = N'opening_balance'
    THEN UPDATE SET delta = t.delta + s.delta, adjusted_at = @events_before, event_at = @events_before, applied_at = @now
  WHEN NOT MATCHED
    THEN INSERT (event_id, sku, delta, adjustment_type, reason, adjusted_at, event_at, applied_at)
         VALUES (s.event_id, s.sku, s.delta, N'opening_balance', N'', @events_before, @events_before, @now);
  IF @@ROWCOUNT < @articles THROW 50002, N'an event has the key of an opening balance', 1;
  UPDATE dbo.ledger_compactions
  SET after_event_id = @after, lines = lines + @folded, ended_at = CASE WHEN @ended = 1 THEN @now END
  WHERE number = @P1;
END;
COMMIT TRANSACTION;
SELECT @looked_at AS looked_at, @folded AS folded, @ended AS ended;
