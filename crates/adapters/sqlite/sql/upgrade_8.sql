-- From version 7 to 8: parked events keep their records' headers. What waits already has kept how often it was redriven.
ALTER TABLE parked_events ADD COLUMN headers TEXT;
