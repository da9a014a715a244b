INSERT INTO log_positions (log_id, topic, kafka_partition, next_offset, updated_at) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (log_id, topic, kafka_partition) DO UPDATE SET next_offset = excluded.next_offset, updated_at = excluded.updated_at
WHERE excluded.next_offset > log_positions.next_offset
