-- From version 8 to 9: whether the list of dead letters is still the one that was seen, without looking at it; and what is waited for, counted in
-- one index.
DROP INDEX ix_parked_events_waits_for;

CREATE INDEX ix_parked_events_waits_for ON parked_events (waits_for_type, waits_for_id, parked_at, event_id);

CREATE TABLE dead_letter_moves (
  moves INTEGER NOT NULL
) STRICT;

INSERT INTO dead_letter_moves (moves) VALUES (0);

CREATE TRIGGER dead_letters_that_leave AFTER DELETE ON dead_letters WHEN OLD.lease_ends IS NULL
BEGIN
  UPDATE dead_letter_moves SET moves = moves + 1;
END;

CREATE TRIGGER dead_letters_that_move AFTER UPDATE ON dead_letters WHEN OLD.lease_ends IS NULL OR NEW.lease_ends IS NULL
BEGIN
  UPDATE dead_letter_moves SET moves = moves + 1;
END;
