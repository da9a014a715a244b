-- Applies one batch of events in one transaction and one round trip. Returns a row (ord, outcome) for every event that was not applied, and
-- always a last word (ord -1): 'end N' when the transaction is closed, with N other rows. No last word, or another one, or another number of rows
-- means that nothing may be believed.
-- A row with ord -2 says that parked events wait for users or orders of this batch that are in their tables now.
--   'duplicate'  the row already shows this very event, or the ledger holds it
--   'stale'      the row shows a newer event
--   'parked'     the row is not there because its parent was in neither the table nor the batch when the MERGE looked; of a user, because
--                its address is another's, or goes to somebody else of this batch
--   'conflict'   the ledger holds this event id with another SKU or delta
--   'folded'     the event is older than the ledger holds line by line, and it has no line: whether it counts already cannot be told
--   'taken'      (ord -1) a released event had already left the parking table: everything is rolled back, read it again
--   'waiting'    (ord -2) see above
--   'free'       (ord -3) a parked event waits for an e-mail address that a user of this batch gave up
--
-- Parameters: JSON arrays as nvarchar(max), and how many elements they have as int.
--   @P1  users        {o, ev, at, id, em, ek: e-mail key, fn, ln, ca}   @P6  their number
--   @P2  orders       {o, ev, at, id, u: user, ta, c, pa}               @P7  their number
--   @P3  order items  {ev, id: order, l, s, q, p}
--   @P4  payments     {o, ev, at, id, u: order, a, c, m, s, sa}         @P8  their number
--   @P5  adjustments  {o, ev, at, s, d, ty, r, aa}                      @P9  their number
--   @P10 released     {o, t: topic, k: partition, f: offset, r: record} @P11 their number: events of this batch that come from the parking table
--   @P12 0; or 1 for a dry run: the outcomes are told, and everything is rolled back
--   @P13 positions    {l: log, t: topic, k: partition, f: next offset}  @P14 their number: moved if the tables hold every event of the batch
-- o: the event's position in the batch; ev: event id; at: event timestamp. Times are UTC without a zone, 'YYYY-MM-DDThh:mm:ss.ffffff',
-- truncated (not rounded) to microseconds before anything compares them; decimals travel as strings, so that no float ever holds money.
-- Strings are declared wider than their columns: a value too long must fail at the INSERT, OPENJSON would cut it silently.
--
-- Rows are last-writer-wins registers over (event_at, event_id), and stock is the sum of a ledger whose key is the event id: applying any
-- events in any order any number of times ends in the same rows. The guard is inside MERGE, so a concurrent older writer cannot win, and
-- outcomes are read from the target row alone, so a parent that lands in between cannot make a lost row look applied.
--
-- An address has at most one holder, who keeps it until its own newer event gives it up; of those who claim a free one here, the earliest by
-- (event_at, event_id) gets it. The end of the batch is what counts: holders that move make room, in chains and in circles. Whoever cannot have
-- its address (@refused) is left out of the MERGE. Where two batches meet at one address, the second fails with 2627 on uq_users_email.
--
-- Texts out of OPENJSON have the database's collation, our columns their own: a comparison says which one it means.
--
-- The caller sends at most one row per entity (two new rows with one key fail with 2627, two on an existing row with 8672), each event id
-- once, and classifies the error number when something fails: XACT_ABORT has rolled back everything by then.
SET NOCOUNT ON;
SET XACT_ABORT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
DECLARE @now datetime2(6) = SYSUTCDATETIME();
DECLARE @gone int;
DECLARE @again int;
DECLARE @waiting int = 0;
DECLARE @free int = 0;
DECLARE @fell int = 1;
DECLARE @folded_before datetime2(6);
-- Users whose event would be written, while somebody claims an address that is not free for the taking. holds: its own row has the address.
DECLARE @claim TABLE (ord int NOT NULL PRIMARY KEY, user_id uniqueidentifier NOT NULL UNIQUE, email_key nvarchar(4000) COLLATE Latin1_General_100_BIN2 NOT NULL, event_at datetime2(6) NOT NULL, event_id char(36) COLLATE Latin1_General_100_BIN2 NOT NULL, holds bit NOT NULL);
DECLARE @refused TABLE (ord int NOT NULL PRIMARY KEY);
DECLARE @given_up TABLE (email_key nvarchar(255) COLLATE Latin1_General_100_BIN2 NOT NULL PRIMARY KEY);
DECLARE @outcome TABLE (ord int NOT NULL PRIMARY KEY, outcome varchar(12) NOT NULL);
DECLARE @delta TABLE (sku nvarchar(50) COLLATE Latin1_General_100_BIN2 NOT NULL, delta bigint NOT NULL);

BEGIN TRANSACTION;

-- Users -----------------------------------------------------------------------------------------------------------------------
IF @P6 > 0
BEGIN
  IF EXISTS (SELECT 1
             FROM OPENJSON(@P1) WITH (user_id uniqueidentifier '$.id', email_key nvarchar(4000) '$.ek') AS s
             INNER JOIN dbo.users h ON h.email_key = s.email_key COLLATE Latin1_General_100_BIN2
             WHERE h.user_id <> s.user_id)
     OR EXISTS (SELECT 1
                FROM OPENJSON(@P1) WITH (email_key nvarchar(4000) '$.ek') AS s
                GROUP BY s.email_key COLLATE Latin1_General_100_BIN2
                HAVING COUNT(*) > 1)
  BEGIN
    INSERT INTO @claim (ord, user_id, email_key, event_at, event_id, holds)
    SELECT s.ord, s.user_id, s.email_key, s.event_at, CONVERT(char(36), s.event_id), CASE WHEN t.email_key = s.email_key COLLATE Latin1_General_100_BIN2 THEN 1 ELSE 0 END
    FROM OPENJSON(@P1) WITH (ord int '$.o', user_id uniqueidentifier '$.id', email_key nvarchar(4000) '$.ek', event_id uniqueidentifier '$.ev', event_at datetime2(6) '$.at') AS s
    LEFT JOIN dbo.users t ON t.user_id = s.user_id
    WHERE t.user_id IS NULL OR s.event_at > t.event_at OR (s.event_at = t.event_at AND CONVERT(char(36), s.event_id) COLLATE Latin1_General_100_BIN2 > CONVERT(char(36), t.event_id) COLLATE Latin1_General_100_BIN2);
    -- Each address keeps one claim, which nothing later changes: that of its holder, or the earliest.
    INSERT INTO @refused (ord)
    SELECT c.ord
    FROM @claim c
    WHERE c.holds = 0 AND EXISTS (SELECT 1 FROM @claim v
                                  WHERE v.email_key = c.email_key AND v.ord <> c.ord
                                    AND (v.holds = 1 OR v.event_at < c.event_at OR (v.event_at = c.event_at AND v.event_id < c.event_id)));
    -- Then a claim falls whose address is held by somebody who does not move. One that falls does not move, so others may fall after it.
    WHILE @fell > 0
    BEGIN
      INSERT INTO @refused (ord)
      SELECT c.ord
      FROM @claim c
      INNER JOIN dbo.users h ON h.email_key = c.email_key AND h.user_id <> c.user_id
      WHERE NOT EXISTS (SELECT 1 FROM @refused r WHERE r.ord = c.ord)
        AND NOT EXISTS (SELECT 1 FROM @claim m
                        WHERE m.user_id = h.user_id AND m.holds = 0 AND NOT EXISTS (SELECT 1 FROM @refused r WHERE r.ord = m.ord));
      SET @fell = @@ROWCOUNT;
    END;
  END;
  -- What these users may give up, if anybody waits for an address at all. Who begins to wait after this look is found by the sweep.
  IF EXISTS (SELECT 1 FROM dbo.parked_events p WHERE p.waits_for_type = 3 AND p.expired = 0)
    INSERT INTO @given_up (email_key)
    SELECT t.email_key
    FROM OPENJSON(@P1) WITH (user_id uniqueidentifier '$.id', email_key nvarchar(4000) '$.ek') AS s
    INNER JOIN dbo.users t ON t.user_id = s.user_id
    WHERE t.email_key <> s.email_key COLLATE Latin1_General_100_BIN2;
  MERGE INTO dbo.users AS t
  USING (SELECT j.user_id, j.email, j.email_key, j.first_name, j.last_name, j.created_at, j.event_id, j.event_at
         FROM OPENJSON(@P1) WITH (ord int '$.o', user_id uniqueidentifier '$.id', email nvarchar(4000) '$.em', email_key nvarchar(4000) '$.ek', first_name nvarchar(4000) '$.fn', last_name nvarchar(4000) '$.ln', created_at datetime2(6) '$.ca', event_id uniqueidentifier '$.ev', event_at datetime2(6) '$.at') AS j
         WHERE NOT EXISTS (SELECT 1 FROM @refused r WHERE r.ord = j.ord)) AS s
  ON t.user_id = s.user_id
  WHEN MATCHED AND (s.event_at > t.event_at OR (s.event_at = t.event_at AND CONVERT(char(36), s.event_id) COLLATE Latin1_General_100_BIN2 > CONVERT(char(36), t.event_id) COLLATE Latin1_General_100_BIN2))
    THEN UPDATE SET email = s.email, email_key = s.email_key, first_name = s.first_name, last_name = s.last_name, created_at = s.created_at, event_id = s.event_id, event_at = s.event_at, updated_at = @now
  WHEN NOT MATCHED
    THEN INSERT (user_id, email, email_key, first_name, last_name, created_at, event_id, event_at, updated_at)
         VALUES (s.user_id, s.email, s.email_key, s.first_name, s.last_name, s.created_at, s.event_id, s.event_at, @now);
  IF @@ROWCOUNT < @P6
    INSERT INTO @outcome (ord, outcome)
    SELECT s.ord, CASE WHEN EXISTS (SELECT 1 FROM @refused r WHERE r.ord = s.ord) THEN 'parked' WHEN t.event_id = s.event_id THEN 'duplicate' WHEN (t.event_at > s.event_at OR (t.event_at = s.event_at AND CONVERT(char(36), t.event_id) COLLATE Latin1_General_100_BIN2 > CONVERT(char(36), s.event_id) COLLATE Latin1_General_100_BIN2)) THEN 'stale' ELSE 'lost' END
    FROM OPENJSON(@P1) WITH (ord int '$.o', user_id uniqueidentifier '$.id', event_id uniqueidentifier '$.ev', event_at datetime2(6) '$.at') AS s
    LEFT JOIN dbo.users t ON t.user_id = s.user_id
    WHERE t.user_id IS NULL OR t.event_id <> s.event_id OR t.updated_at <> @now;
END;

-- Orders and their items ------------------------------------------------------------------------------------------------------
IF @P7 > 0
BEGIN
  MERGE INTO dbo.orders AS t
  USING (SELECT j.order_id, j.user_id, j.total_amount, j.currency, j.placed_at, j.event_id, j.event_at
         FROM OPENJSON(@P2) WITH (order_id uniqueidentifier '$.id', user_id uniqueidentifier '$.u', total_amount decimal(19,4) '$.ta', currency nvarchar(4000) '$.c', placed_at datetime2(6) '$.pa', event_id uniqueidentifier '$.ev', event_at datetime2(6) '$.at') AS j
         WHERE EXISTS (SELECT 1 FROM dbo.users u WHERE u.user_id = j.user_id)) AS s
  ON t.order_id = s.order_id
  WHEN MATCHED AND (s.event_at > t.event_at OR (s.event_at = t.event_at AND CONVERT(char(36), s.event_id) COLLATE Latin1_General_100_BIN2 > CONVERT(char(36), t.event_id) COLLATE Latin1_General_100_BIN2))
    THEN UPDATE SET user_id = s.user_id, total_amount = s.total_amount, currency = s.currency, placed_at = s.placed_at, event_id = s.event_id, event_at = s.event_at, updated_at = @now
  WHEN NOT MATCHED
    THEN INSERT (order_id, user_id, total_amount, currency, placed_at, event_id, event_at, updated_at)
         VALUES (s.order_id, s.user_id, s.total_amount, s.currency, s.placed_at, s.event_id, s.event_at, @now);
  IF @@ROWCOUNT < @P7
    INSERT INTO @outcome (ord, outcome)
    SELECT s.ord, CASE WHEN t.event_id = s.event_id THEN 'duplicate' WHEN (t.event_at > s.event_at OR (t.event_at = s.event_at AND CONVERT(char(36), t.event_id) COLLATE Latin1_General_100_BIN2 > CONVERT(char(36), s.event_id) COLLATE Latin1_General_100_BIN2)) THEN 'stale' ELSE 'parked' END
    FROM OPENJSON(@P2) WITH (ord int '$.o', order_id uniqueidentifier '$.id', event_id uniqueidentifier '$.ev', event_at datetime2(6) '$.at') AS s
    LEFT JOIN dbo.orders t ON t.order_id = s.order_id
    WHERE t.order_id IS NULL OR t.event_id <> s.event_id OR t.updated_at <> @now;
  -- Items follow their order's row: only where this batch made the row show this event.
  DELETE i
  FROM dbo.order_items i
  INNER JOIN OPENJSON(@P2) WITH (order_id uniqueidentifier '$.id', event_id uniqueidentifier '$.ev') AS s ON s.order_id = i.order_id
  INNER JOIN dbo.orders t ON t.order_id = s.order_id AND t.event_id = s.event_id AND t.updated_at = @now;
  INSERT INTO dbo.order_items (order_id, line_no, sku, quantity, price)
  SELECT s.order_id, s.line_no, s.sku, s.quantity, s.price
  FROM OPENJSON(@P3) WITH (order_id uniqueidentifier '$.id', event_id uniqueidentifier '$.ev', line_no int '$.l', sku nvarchar(4000) '$.s',
                           quantity int '$.q', price decimal(19,4) '$.p') AS s
  INNER JOIN dbo.orders t ON t.order_id = s.order_id AND t.event_id = s.event_id AND t.updated_at = @now;
END;

-- Payments --------------------------------------------------------------------------------------------------------------------
IF @P8 > 0
BEGIN
  MERGE INTO dbo.payments AS t
  USING (SELECT j.payment_id, j.order_id, j.amount, j.currency, j.payment_method, j.status, j.settled_at, j.event_id, j.event_at
         FROM OPENJSON(@P4) WITH (payment_id uniqueidentifier '$.id', order_id uniqueidentifier '$.u', amount decimal(19,4) '$.a', currency nvarchar(4000) '$.c', payment_method nvarchar(4000) '$.m', status nvarchar(4000) '$.s', settled_at datetime2(6) '$.sa', event_id uniqueidentifier '$.ev', event_at datetime2(6) '$.at') AS j
         WHERE EXISTS (SELECT 1 FROM dbo.orders o WHERE o.order_id = j.order_id)) AS s
  ON t.payment_id = s.payment_id
  WHEN MATCHED AND (s.event_at > t.event_at OR (s.event_at = t.event_at AND CONVERT(char(36), s.event_id) COLLATE Latin1_General_100_BIN2 > CONVERT(char(36), t.event_id) COLLATE Latin1_General_100_BIN2))
    THEN UPDATE SET order_id = s.order_id, amount = s.amount, currency = s.currency, payment_method = s.payment_method, status = s.status, settled_at = s.settled_at, event_id = s.event_id, event_at = s.event_at, updated_at = @now
  WHEN NOT MATCHED
    THEN INSERT (payment_id, order_id, amount, currency, payment_method, status, settled_at, event_id, event_at, updated_at)
         VALUES (s.payment_id, s.order_id, s.amount, s.currency, s.payment_method, s.status, s.settled_at, s.event_id, s.event_at, @now);
  IF @@ROWCOUNT < @P8
    INSERT INTO @outcome (ord, outcome)
    SELECT s.ord, CASE WHEN t.event_id = s.event_id THEN 'duplicate' WHEN (t.event_at > s.event_at OR (t.event_at = s.event_at AND CONVERT(char(36), t.event_id) COLLATE Latin1_General_100_BIN2 > CONVERT(char(36), s.event_id) COLLATE Latin1_General_100_BIN2)) THEN 'stale' ELSE 'parked' END
    FROM OPENJSON(@P4) WITH (ord int '$.o', payment_id uniqueidentifier '$.id', event_id uniqueidentifier '$.ev', event_at datetime2(6) '$.at') AS s
    LEFT JOIN dbo.payments t ON t.payment_id = s.payment_id
    WHERE t.payment_id IS NULL OR t.event_id <> s.event_id OR t.updated_at <> @now;
END;

-- Stock: only what the ledger did not hold counts -----------------------------------------------------------------------------
IF @P9 > 0
BEGIN
  -- The lock stays until the end, under row versioning too: lines are folded only when nobody counts on an older horizon any more, so that a
  -- line that is not there was never there, or stood before the horizon that is read here.
  SET @folded_before = (SELECT h.events_before FROM dbo.ledger_horizon h WITH (REPEATABLEREAD));
  IF @folded_before IS NULL THROW 50003, N'dbo.ledger_horizon has lost its row', 1;
  INSERT INTO dbo.inventory_adjustments (event_id, sku, delta, adjustment_type, reason, adjusted_at, event_at, applied_at)
  OUTPUT inserted.sku, inserted.delta INTO @delta (sku, delta)
  SELECT s.event_id, s.sku, s.delta, s.adjustment_type, s.reason, s.adjusted_at, s.event_at, @now
  FROM OPENJSON(@P5) WITH (event_id uniqueidentifier '$.ev', sku nvarchar(4000) '$.s', delta bigint '$.d', adjustment_type nvarchar(4000) '$.ty',
                           reason nvarchar(4000) '$.r', adjusted_at datetime2(6) '$.aa', event_at datetime2(6) '$.at') AS s
  WHERE s.event_at >= @folded_before AND NOT EXISTS (SELECT 1 FROM dbo.inventory_adjustments a WHERE a.event_id = s.event_id);
  IF @@ROWCOUNT < @P9
    INSERT INTO @outcome (ord, outcome)
    SELECT s.ord, CASE WHEN a.event_id IS NULL THEN 'folded' WHEN a.sku = s.sku COLLATE Latin1_General_100_BIN2 AND a.delta = s.delta THEN 'duplicate' ELSE 'conflict' END
    FROM OPENJSON(@P5) WITH (ord int '$.o', event_id uniqueidentifier '$.ev', sku nvarchar(50) '$.s', delta bigint '$.d') AS s
    LEFT JOIN dbo.inventory_adjustments a ON a.event_id = s.event_id
    WHERE a.event_id IS NULL OR a.applied_at <> @now;
  MERGE INTO dbo.inventory AS t
  USING (SELECT d.sku, SUM(d.delta) AS delta FROM @delta d GROUP BY d.sku) AS s
  ON t.sku = s.sku
  WHEN MATCHED THEN UPDATE SET quantity = t.quantity + s.delta, updated_at = @now
  WHEN NOT MATCHED THEN INSERT (sku, quantity, updated_at) VALUES (s.sku, s.delta, @now);
END;

-- Parking: what this batch released leaves the table with it, unless it was parked again or someone took it -------------------
IF @P11 > 0
BEGIN
  DELETE p
  FROM dbo.parked_events p
  INNER JOIN OPENJSON(@P10) WITH (ord int '$.o', topic nvarchar(249) '$.t', kafka_partition int '$.k', kafka_offset bigint '$.f',
                                           record_id char(64) '$.r') AS r
    ON p.topic = r.topic COLLATE Latin1_General_100_BIN2 AND p.kafka_partition = r.kafka_partition AND p.kafka_offset = r.kafka_offset
    AND p.record_id = r.record_id COLLATE Latin1_General_100_BIN2
  WHERE p.expired = 0 AND NOT EXISTS (SELECT 1 FROM @outcome x WHERE x.ord = r.ord AND x.outcome = 'parked');
  SET @gone = @@ROWCOUNT;
  SET @again = (SELECT COUNT(*) FROM OPENJSON(@P10) WITH (ord int '$.o') AS r INNER JOIN @outcome x ON x.ord = r.ord WHERE x.outcome = 'parked');
  IF @gone + @again < @P11
  BEGIN
    ROLLBACK TRANSACTION;
    SELECT -1 AS ord, 'taken' AS outcome;
    RETURN;
  END;
END;

-- The log: how far the tables hold it. An event that is parked or in conflict is not durable yet. Positions never go back. Each row is
-- found by its key: consumers of different partitions do not wait for each other. ----------------------------------------------
IF @P14 > 0 AND NOT EXISTS (SELECT 1 FROM @outcome x WHERE x.outcome IN ('parked', 'conflict'))
BEGIN
  UPDATE p
  SET next_offset = s.next_offset, updated_at = @now
  FROM OPENJSON(@P13) WITH (log_id uniqueidentifier '$.l', topic nvarchar(4000) '$.t', kafka_partition int '$.k', next_offset bigint '$.f') AS s
  INNER JOIN dbo.log_positions p WITH (FORCESEEK)
    ON p.log_id = s.log_id AND p.topic = s.topic COLLATE Latin1_General_100_BIN2 AND p.kafka_partition = s.kafka_partition
  WHERE s.next_offset > p.next_offset;
  INSERT INTO dbo.log_positions (log_id, topic, kafka_partition, next_offset, updated_at)
  SELECT s.log_id, s.topic, s.kafka_partition, s.next_offset, @now
  FROM OPENJSON(@P13) WITH (log_id uniqueidentifier '$.l', topic nvarchar(4000) '$.t', kafka_partition int '$.k', next_offset bigint '$.f') AS s
  WHERE NOT EXISTS (SELECT 1 FROM dbo.log_positions p WITH (FORCESEEK) WHERE p.log_id = s.log_id AND p.topic = s.topic COLLATE Latin1_General_100_BIN2 AND p.kafka_partition = s.kafka_partition);
END;

IF @P12 = 0 COMMIT TRANSACTION;

-- Children: looked for after the commit. Whoever parks one looks for its parent after storing it, so one of the two finds the other.
-- A dry run looks while its work still stands: rolled back, what it released would wait again. ---------------------------------
IF @P6 > 0 AND EXISTS (SELECT 1
                       FROM OPENJSON(@P1) WITH (ord int '$.o', user_id uniqueidentifier '$.id') AS s
                       INNER JOIN dbo.parked_events p ON p.waits_for_type = 1 AND p.waits_for_id = s.user_id
                       WHERE p.expired = 0 AND NOT EXISTS (SELECT 1 FROM @outcome x WHERE x.ord = s.ord AND x.outcome = 'parked'))
  SET @waiting = 1;
IF @P7 > 0 AND EXISTS (SELECT 1
                       FROM OPENJSON(@P2) WITH (ord int '$.o', order_id uniqueidentifier '$.id') AS s
                       INNER JOIN dbo.parked_events p ON p.waits_for_type = 2 AND p.waits_for_id = s.order_id
                       WHERE p.expired = 0 AND NOT EXISTS (SELECT 1 FROM @outcome x WHERE x.ord = s.ord AND x.outcome = 'parked'))
  SET @waiting = 1;
IF EXISTS (SELECT 1
           FROM @given_up g
           INNER JOIN dbo.parked_events p ON p.waits_for_key = g.email_key
           WHERE p.expired = 0 AND NOT EXISTS (SELECT 1 FROM dbo.users u WHERE u.email_key = g.email_key))
  SET @free = 1;

-- Table variables keep what they hold.
IF @P12 = 1 ROLLBACK TRANSACTION;

SELECT ord, outcome FROM @outcome
UNION ALL SELECT -1, CASE WHEN @@TRANCOUNT = 0 THEN CONCAT('end ', (SELECT COUNT(*) FROM @outcome) + @waiting + @free) ELSE 'open' END
UNION ALL SELECT -2, 'waiting' WHERE @waiting = 1
UNION ALL SELECT -3, 'free' WHERE @free = 1
ORDER BY ord;
