-- Creates the database @P1 when it is missing. Its name cannot be a parameter of CREATE DATABASE; the server quotes it.
DECLARE @create nvarchar(400) = N'CREATE DATABASE ' + QUOTENAME(@P1);
IF DB_ID(@P1) IS NULL
  EXEC sp_executesql @create;
