-- Whether anything waits for the parent ?2 of the kind ?1.
SELECT EXISTS (
  SELECT 1 FROM parked_events INDEXED BY ix_parked_events_waits_for WHERE waits_for_type = ?1 AND waits_for_id = ?2 AND expired = 0
)
