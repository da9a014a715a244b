-- Adds @P3 to the stock of an article (@P1), unless it is not @P2 any more: what others add meanwhile is in the ledger too. An article that is
-- not there (@P2 is NULL) is made.
SET NOCOUNT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
IF @P2 IS NULL
  INSERT INTO dbo.inventory (sku, quantity, updated_at)
  SELECT @P1, @P3, SYSUTCDATETIME()
  WHERE NOT EXISTS (SELECT 1 FROM dbo.inventory i WHERE i.sku = @P1);
ELSE
  UPDATE dbo.inventory
  SET quantity = quantity + @P3, updated_at = SYSUTCDATETIME()
  WHERE sku = @P1 AND DATALENGTH(sku) = DATALENGTH(@P1) AND quantity = @P2;
SELECT @@ROWCOUNT AS changed;
