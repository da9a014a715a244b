-- Gives the address of user ?1 free for a moment. No key of an address looks like this: none is empty or begins with a space.
UPDATE users SET email_key = ' ' || hex(user_id) WHERE user_id = ?1
