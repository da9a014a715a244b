export S=/root/.cache/event-pipeline/wt-facts-target/debug
export PATH=$S:$PATH
export KAFKA_BROKERS=$(grep -o 'KAFKA_BROKERS=[^ ]*' /tmp/facts/run.log | cut -d= -f2)
export API_PORT=18231
