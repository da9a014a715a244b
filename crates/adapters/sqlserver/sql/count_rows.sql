-- How many rows the tables have whose rows show one event each.
SELECT (SELECT COUNT_BIG(*) FROM dbo.users) AS users,
       (SELECT COUNT_BIG(*) FROM dbo.orders) AS orders,
       (SELECT COUNT_BIG(*) FROM dbo.payments) AS payments,
       (SELECT COUNT_BIG(*) FROM dbo.inventory_adjustments a WHERE a.adjustment_type <> N'opening_balance') AS inventory_adjustments;
