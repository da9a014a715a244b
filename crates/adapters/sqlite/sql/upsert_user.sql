INSERT INTO users (user_id, email, email_key, first_name, last_name, created_at, event_id, event_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT (user_id) DO UPDATE SET
  email = excluded.email, email_key = excluded.email_key, first_name = excluded.first_name, last_name = excluded.last_name,
  created_at = excluded.created_at, event_id = excluded.event_id, event_at = excluded.event_at, updated_at = excluded.updated_at
WHERE (excluded.event_at, excluded.event_id) > (users.event_at, users.event_id)
