#!/usr/bin/env bash
# The CloudEvents SDK for Java reads an amount of 12345678901234.5678 in structured mode as 1.2345678901234568E13, and hands that over as the event's bytes.
#
# One would guess: the SDK leaves data alone. A CloudEvent of this SDK gives its data as bytes, for the program to parse as it likes; it writes JSON
# into the envelope as it was given, zeros and all, and in binary mode the bytes that come out are the bytes that went in.
# What happens, in cloudevents-json-jackson 4.0.1: to take data out of the envelope it is parsed into a tree whose numbers with a point are doubles, and
# getData().toBytes() prints that tree. 12345678901234.5678 is 1.2345678901234568E13, 299.90 is 299.9, and 1E400 is the text "Infinity". Who then parses the
# bytes with exact decimals gets the exact value of a wrong number. Whole numbers stay as they are, whatever their length, so identifiers show nothing.
# A bridge that reads structured events and writes binary ones sends the new numbers on, and a digest or a signature over data no longer fits.
# Whom it hurts: consumers of money, beside ones that get the same event in binary mode, or read it in another language, and have other amounts.
# PojoCloudEventDataMapper does not help: it is given the same tree. The deserializer for Kafka has no setting for the ObjectMapper that reads the envelope;
# to read the value by one's own, with USE_BIG_DECIMAL_FOR_FLOATS and JsonFormat's module, mends it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>cloudevents</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>io.cloudevents</groupId><artifactId>cloudevents-kafka</artifactId><version>4.0.1</version></dependency>
    <dependency><groupId>io.cloudevents</groupId><artifactId>cloudevents-json-jackson</artifactId><version>4.0.1</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/jars"
cat >"$work/Amounts.java" <<'JAVA'
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.cloudevents.CloudEvent;
import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.core.data.PojoCloudEventData;
import io.cloudevents.core.message.Encoding;
import io.cloudevents.jackson.JsonFormat;
import io.cloudevents.jackson.PojoCloudEventDataMapper;
import io.cloudevents.kafka.CloudEventDeserializer;
import io.cloudevents.kafka.CloudEventSerializer;
import io.cloudevents.rw.CloudEventDataMapper;
import java.math.BigDecimal;
import java.net.URI;
import java.util.Map;
import org.apache.kafka.common.header.internals.RecordHeaders;

public class Amounts {
    static final ObjectMapper exact = new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

    record Order(String orderId, BigDecimal amount) {}

    static CloudEvent event(byte[] data) {
        return CloudEventBuilder.v1().withId("1").withType("order.placed").withSource(URI.create("/shop"))
            .withDataContentType("application/json").withData(data).build();
    }

    static byte[] write(CloudEvent event, Encoding mode, RecordHeaders headers) {
        CloudEventSerializer serializer = new CloudEventSerializer();
        serializer.configure(Map.of(CloudEventSerializer.ENCODING_CONFIG, mode, CloudEventSerializer.EVENT_FORMAT_CONFIG, JsonFormat.CONTENT_TYPE), false);
        return serializer.serialize("orders", headers, event);
    }

    static CloudEvent again(CloudEvent event, Encoding mode, CloudEventDataMapper<?> mapper) {
        RecordHeaders headers = new RecordHeaders();
        byte[] value = write(event, mode, headers);
        if (!new String(value, UTF_8).contains(new String(event.getData().toBytes(), UTF_8))) throw new AssertionError("data is not written as it was given");
        CloudEventDeserializer deserializer = new CloudEventDeserializer();
        if (mapper != null) deserializer.configure(Map.of(CloudEventDeserializer.MAPPER_CONFIG, mapper), false);
        return deserializer.deserialize("orders", headers, value);
    }

    public static void main(String[] arguments) throws Exception {
        for (String[] pair : new String[][] {
            {"{\"amount\":2.5}", "{\"amount\":2.5}"},
            {"{\"id\":18446744073709551616}", "{\"id\":18446744073709551616}"},
            {"{\"amount\":299.90}", "{\"amount\":299.9}"},
            {"{\"amount\":12345678901234.5678}", "{\"amount\":1.2345678901234568E13}"},
            {"{\"amount\":0.30000000000000000001}", "{\"amount\":0.3}"},
            {"{\"amount\":1E400}", "{\"amount\":\"Infinity\"}"},
        }) {
            CloudEvent event = event(pair[0].getBytes(UTF_8));
            String binary = new String(again(event, Encoding.BINARY, null).getData().toBytes(), UTF_8);
            CloudEvent read = again(event, Encoding.STRUCTURED, null);
            String structured = new String(read.getData().toBytes(), UTF_8);
            System.out.println(pair[0] + " is read, in binary mode, as " + binary + " and in structured mode as " + structured);
            if (!binary.equals(pair[0]) || !structured.equals(pair[1])) throw new AssertionError("not as it was");
            // Who reads structured events and writes binary ones sends it on.
            byte[] onward = write(read, Encoding.BINARY, new RecordHeaders());
            if (!new String(onward, UTF_8).equals(pair[1])) throw new AssertionError(new String(onward, UTF_8));
        }
        CloudEvent order = event("{\"orderId\":\"A-7\",\"amount\":12345678901234.5678}".getBytes(UTF_8));
        BigDecimal sent = new BigDecimal("12345678901234.5678"), other = new BigDecimal("12345678901234.568");
        BigDecimal parsed = exact.readValue(again(order, Encoding.STRUCTURED, null).getData().toBytes(), Order.class).amount();
        CloudEventDataMapper<?> mapper = PojoCloudEventDataMapper.from(exact, Order.class);
        BigDecimal mapped = ((Order) ((PojoCloudEventData<?>) again(order, Encoding.STRUCTURED, mapper).getData()).getValue()).amount();
        BigDecimal fromBinary = exact.readValue(again(order, Encoding.BINARY, null).getData().toBytes(), Order.class).amount();
        ObjectMapper own = new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS).registerModule(JsonFormat.getCloudEventJacksonModule());
        byte[] mended = own.readValue(write(order, Encoding.STRUCTURED, new RecordHeaders()), CloudEvent.class).getData().toBytes();
        if (!exact.readValue(mended, Order.class).amount().equals(sent)) throw new AssertionError(new String(mended, UTF_8));
        System.out.println("with exact decimals: " + parsed.toPlainString() + " from the bytes, " + mapped.toPlainString() + " by the mapper, " + fromBinary + " in binary mode");
        if (parsed.compareTo(other) != 0 || mapped.compareTo(other) != 0 || !fromBinary.equals(sent)) throw new AssertionError();
    }
}
JAVA
java -cp "$work/jars/*" "$work/Amounts.java"
