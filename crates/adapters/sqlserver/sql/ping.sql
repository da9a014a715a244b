-- Whether our tables can be read at all.
SELECT TOP (1) 1 AS pong
FROM dbo.users;
