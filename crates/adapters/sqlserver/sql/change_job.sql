-- Takes a redrive job from one of some states to another, and says whether it was in one of them.
--   @P1  the job   @P2  the states, with a comma before and after each   @P3  the state to which it goes   @P4  why, or NULL
--   @P5  the rate from then on, or NULL where it stays
SET NOCOUNT ON;
IF @@TRANCOUNT > 0 THROW 50001, N'a transaction is open on entry', 1;
UPDATE dbo.redrive_jobs
SET state = @P3, problem = @P4, rate = COALESCE(@P5, rate), updated_at = SYSUTCDATETIME()
WHERE number = @P1 AND @P2 LIKE N'%,' + state + N',%';
SELECT @@ROWCOUNT AS changed;
