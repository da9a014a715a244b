-- From version 3 to 4. What the columns are for stands in schema.sql. What is parked keeps NULL: the sweep tries it each time.
ALTER TABLE parked_events ADD COLUMN waits_for_key TEXT;

ALTER TABLE parked_events ADD COLUMN claimed_by BLOB;

ALTER TABLE parked_events ADD COLUMN claimed_at INTEGER;

CREATE INDEX ix_parked_events_claims ON parked_events (waits_for_key, claimed_at, event_id) WHERE expired = 0 AND waits_for_key IS NOT NULL;

CREATE INDEX ix_parked_events_claimant ON parked_events (claimed_by) WHERE expired = 0 AND claimed_by IS NOT NULL;
