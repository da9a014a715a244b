-- Gives the address of user ?1 free for a moment, if the event of ?2 with the id ?3 will write the row. No key of an address looks like this:
-- none is empty or begins with a space.
UPDATE users SET email_key = ' ' || hex(user_id) WHERE user_id = ?1 AND (event_at, event_id) < (?2, ?3)
