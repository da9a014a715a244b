SELECT user_id, email, first_name, last_name, created_at, updated_at
FROM users
ORDER BY created_at DESC, user_id DESC
LIMIT ?1
