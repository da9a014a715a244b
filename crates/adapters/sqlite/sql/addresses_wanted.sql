-- Whether anything waits for an e-mail address. Asked for every batch: without the index being named SQLite takes the one by age, and looks at all
-- that waits for something else.
SELECT EXISTS (SELECT 1 FROM parked_events INDEXED BY ix_parked_events_waits_for WHERE waits_for_type = 3 AND expired = 0)
