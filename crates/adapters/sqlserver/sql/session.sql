-- What every session is set to, once. QUOTED_IDENTIFIER to ARITHABORT are what indexed and JSON features need; ANSI_WARNINGS also makes a
-- text too long an error instead of cutting it. Messages are read in one language. LOCK_TIMEOUT follows, as a number from the configuration.
SET XACT_ABORT ON;
SET NOCOUNT ON;
SET QUOTED_IDENTIFIER ON;
SET ANSI_NULLS ON;
SET ANSI_PADDING ON;
SET ANSI_WARNINGS ON;
SET CONCAT_NULL_YIELDS_NULL ON;
SET ARITHABORT ON;
SET NUMERIC_ROUNDABORT OFF;
SET IMPLICIT_TRANSACTIONS OFF;
SET LANGUAGE us_english;
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
