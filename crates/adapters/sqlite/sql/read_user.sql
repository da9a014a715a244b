SELECT u.user_id, u.email, u.first_name, u.last_name, u.created_at, u.updated_at,
       o.order_id, o.user_id, o.total_amount, o.currency, o.placed_at, o.updated_at
FROM users AS u
LEFT JOIN (
  SELECT * FROM orders WHERE user_id = ?1 ORDER BY placed_at DESC, order_id DESC LIMIT ?2
) AS o ON o.user_id = u.user_id
WHERE u.user_id = ?1
ORDER BY o.placed_at DESC, o.order_id DESC
