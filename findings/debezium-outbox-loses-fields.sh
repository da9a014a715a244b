#!/usr/bin/env bash
# Debezium's outbox router drops the discount of an order's second item, and sends an order whose prices are 10 and 20.75 as a text in quotes.
#
# One would guess: with table.expand.json.payload an outbox's JSON comes out as the same JSON, with a schema that holds all of it. What cannot be parsed
# stays as it is, says the documentation (https://debezium.io/documentation/reference/stable/transformations/outbox-event-router.html), so valid JSON is
# not concerned; and what the schema cannot hold is an error.
# What happens, in debezium-connect-plugins 3.7.0.Final. Only of the last two the log has a warning:
# - In a list of objects the fields of all elements are gathered, but an object within them gets its schema from the first element alone. What a later
#   one has more is dropped, and what it lacks is there as null: {"amount":5} becomes {"percent":null}. Put in another order, the same items lose another field.
# - A list that is empty is no field at all: consumers that require "items": [] find none.
# - Numbers with a point are doubles: 12345678901234.5678 is 1.2345678901234568E13.
# - [10,20.75] has an integer and a double: the whole payload is sent as one text in quotes, while the next order, with [10.5,20.75], is an object again.
# - {"price":10} beside {"price":20.75}: the value is left a text and the schema is the object's, so that the converter fails ("Invalid type for STRUCT").
#   The connector stops, or loses the event where errors.tolerance is all. Prices without cents are whole numbers for most writers of JSON.
# Whom it hurts: who publishes orders by an outbox. Without table.expand.json.payload, with StringConverter, the JSON arrives as it was written.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>debezium</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>io.debezium</groupId><artifactId>debezium-connect-plugins</artifactId><version>3.7.0.Final</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>connect-json</artifactId><version>4.3.1</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>connect-transforms</artifactId><version>4.3.1</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/jars"
cat >"$work/Outbox.java" <<'JAVA'
import static java.nio.charset.StandardCharsets.UTF_8;

import io.debezium.transforms.outbox.EventRouter;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.StringConverter;

public class Outbox {
    static final Schema TEXT = Schema.STRING_SCHEMA;
    static final Schema ROW = SchemaBuilder.struct().name("shop.outbox.Value").field("id", TEXT).field("aggregatetype", TEXT)
        .field("aggregateid", TEXT).field("type", TEXT).field("payload", Schema.OPTIONAL_STRING_SCHEMA).build();
    static final Schema CHANGE = SchemaBuilder.struct().name("shop.outbox.Envelope").field("before", ROW).field("after", ROW)
        .field("op", TEXT).field("ts_ms", Schema.INT64_SCHEMA).build();

    /** What is sent for a row of the outbox with that payload. */
    static String sent(String payload, boolean expand, Converter converter) {
        EventRouter<SourceRecord> router = new EventRouter<>();
        router.configure(Map.of("table.expand.json.payload", String.valueOf(expand)));
        Struct row = new Struct(ROW).put("id", "1").put("aggregatetype", "order").put("aggregateid", "7").put("type", "placed").put("payload", payload);
        Struct change = new Struct(CHANGE).put("before", row).put("after", row).put("op", "c").put("ts_ms", 1L);
        SourceRecord record = router.apply(new SourceRecord(Map.of(), Map.of(), "shop.outbox", CHANGE, change));
        try {
            return new String(converter.fromConnectData(record.topic(), record.valueSchema(), record.value()), UTF_8);
        } catch (DataException error) {
            return error.getMessage();
        }
    }

    public static void main(String[] arguments) {
        System.out.println("Debezium " + EventRouter.class.getPackage().getImplementationVersion());
        JsonConverter json = new JsonConverter();
        json.configure(Map.of("schemas.enable", "false"), false);
        StringConverter text = new StringConverter();
        for (String[] pair : new String[][] {
            {"{\"items\":[{\"sku\":\"a\"},{\"sku\":\"b\",\"price\":5}]}", "{\"items\":[{\"sku\":\"a\",\"price\":null},{\"sku\":\"b\",\"price\":5}]}"},
            {"{\"items\":[{\"discount\":{\"percent\":10}},{\"discount\":{\"amount\":5}}]}",
                "{\"items\":[{\"discount\":{\"percent\":10}},{\"discount\":{\"percent\":null}}]}"},
            {"{\"items\":[{\"discount\":{\"amount\":5}},{\"discount\":{\"percent\":10}}]}",
                "{\"items\":[{\"discount\":{\"amount\":5}},{\"discount\":{\"amount\":null}}]}"},
            {"{\"id\":7,\"items\":[]}", "{\"id\":7}"},
            {"{\"amount\":12345678901234.5678}", "{\"amount\":1.2345678901234568E13}"},
            {"{\"prices\":[10.5,20.75]}", "{\"prices\":[10.5,20.75]}"},
            {"{\"prices\":[10,20.75]}", "\"{\\\"prices\\\":[10,20.75]}\""},
            {"{\"items\":[{\"price\":10},{\"price\":20.75}]}", "Invalid type for STRUCT: class java.lang.String"},
        }) {
            String found = sent(pair[0], true, json);
            System.out.println(pair[0] + " is sent as " + found);
            if (!found.equals(pair[1])) throw new AssertionError("not as it was: " + pair[1]);
            if (!sent(pair[0], false, text).equals(pair[0])) throw new AssertionError("changed without being expanded");
        }
    }
}
JAVA
java -cp "$work/jars/*" "$work/Outbox.java" 2>"$work/log" || { cat "$work/log"; exit 1; }
