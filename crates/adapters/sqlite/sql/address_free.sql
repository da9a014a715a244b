-- Whether somebody waits for the address with the key ?1, and nobody has it.
SELECT EXISTS (SELECT 1 FROM parked_events WHERE waits_for_key = ?1 AND expired = 0)
   AND NOT EXISTS (SELECT 1 FROM users WHERE email_key = ?1)
