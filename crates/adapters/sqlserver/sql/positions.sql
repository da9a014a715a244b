-- How far the tables hold every log that a topic of this name (@P1) ever had.
SELECT p.log_id, p.topic, p.kafka_partition, p.next_offset
FROM dbo.log_positions p
WHERE p.topic = @P1;
