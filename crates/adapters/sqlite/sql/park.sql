INSERT INTO parked_events (topic, kafka_partition, kafka_offset, kafka_key, kafka_at, retry_count, event_id, waits_for_type, waits_for_id,
                           parked_at, payload, waits_for_key, claimed_by, claimed_at, record_id, headers)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
ON CONFLICT (topic, kafka_partition, kafka_offset, record_id) DO NOTHING
