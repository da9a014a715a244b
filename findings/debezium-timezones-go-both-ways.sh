#!/usr/bin/env bash
# Debezium's TimezoneConverter, asked for New York's time, shows 10:00 UTC as 05:00 in one column and as 15:00 in the next.
#
# One would guess: the converter takes each time of a row from UTC to the zone that is set, as its documentation says of all timestamp fields
# (https://debezium.io/documentation/reference/stable/transformations/timezone-converter.html): 10:00 UTC is 05:00 in New York on a day of winter.
# What happens: a text with an offset (ZonedTimestamp, SQL Server's datetimeoffset) becomes 05:00-05:00, the same moment. A number (Timestamp,
# MicroTimestamp, NanoTimestamp and Connect's own; datetime and datetime2) is taken for a time of New York already and turned into UTC: it
# becomes the number of 15:00, ten hours from what was asked for, and another moment than the column beside it. In Berlin it is 09:00 instead of 11:00.
# In getTimestampWithTimezone the text goes through withOffsetSameInstant; of a number the clock time is kept and the offset put behind it (toEpochSecond,
# atOffset). The text's offset is looked up by the clock of UTC as if it were the zone's, so for hours around a change of the clock it is the wrong
# one: half past midnight on November 1 in New York becomes 23:30-05:00 on October 31.
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
cat >"$work/Finding.java" <<'JAVA'
import io.debezium.Module;
import io.debezium.data.Envelope;
import io.debezium.time.MicroTimestamp;
import io.debezium.time.NanoTimestamp;
import io.debezium.time.Timestamp;
import io.debezium.time.ZonedTimestamp;
import io.debezium.transforms.TimezoneConverter;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;

public class Finding {
    static final Schema ROW = SchemaBuilder.struct().name("shop.dbo.orders.Value")
            .field("datetimeoffset", ZonedTimestamp.schema())
            .field("datetime", Timestamp.schema())
            .field("datetime2_6", MicroTimestamp.schema())
            .field("datetime2_7", NanoTimestamp.schema())
            .field("connect", org.apache.kafka.connect.data.Timestamp.SCHEMA)
            .build();
    static final Schema SOURCE = SchemaBuilder.struct().name("io.debezium.connector.sqlserver.Source").field("table", Schema.STRING_SCHEMA).build();
    static final Envelope ENVELOPE = Envelope.defineSchema().withName("shop.dbo.orders.Envelope").withRecord(ROW).withSource(SOURCE).build();

    /** A row that holds this moment five times, as Debezium sends it, after the converter: the text, and the moment that each number stands for. */
    static void check(String zone, String moment, String text, String number) {
        Instant at = Instant.parse(moment);
        Struct row = new Struct(ROW)
                .put("datetimeoffset", moment)
                .put("datetime", at.toEpochMilli())
                .put("datetime2_6", at.toEpochMilli() * 1_000)
                .put("datetime2_7", at.toEpochMilli() * 1_000_000)
                .put("connect", Date.from(at));
        Struct event = ENVELOPE.create(row, new Struct(SOURCE).put("table", "orders"), at);
        SourceRecord record = new SourceRecord(Map.of(), Map.of(), "shop.dbo.orders", ENVELOPE.schema(), event);
        Struct after;
        try (TimezoneConverter<SourceRecord> converter = new TimezoneConverter<>()) {
            converter.configure(Map.of("converted.timezone", zone));
            after = ((Struct) converter.apply(record).value()).getStruct("after");
        }
        List<String> numbers = List.of(
                Instant.ofEpochMilli(after.getInt64("datetime")).toString(),
                Instant.ofEpochMilli(after.getInt64("datetime2_6") / 1_000).toString(),
                Instant.ofEpochMilli(after.getInt64("datetime2_7") / 1_000_000).toString(),
                ((Date) after.get("connect")).toInstant().toString());
        System.out.println(moment + " to " + zone + ": datetimeoffset " + after.getString("datetimeoffset") + ", the others " + numbers);
        if (!after.getString("datetimeoffset").equals(text) || !numbers.equals(List.of(number, number, number, number))) {
            throw new AssertionError("it is no longer " + text + " and " + number);
        }
    }

    public static void main(String[] arguments) {
        System.out.println("Debezium " + Module.version());
        check("UTC", "2026-12-01T10:00:00Z", "2026-12-01T10:00:00Z", "2026-12-01T10:00:00Z");
        // As it is: both ways.
        check("America/New_York", "2026-12-01T10:00:00Z", "2026-12-01T05:00:00-05:00", "2026-12-01T15:00:00Z");
        check("Europe/Berlin", "2026-12-01T10:00:00Z", "2026-12-01T11:00:00+01:00", "2026-12-01T09:00:00Z");
        // The clock goes back at 06:00 UTC, and New York has 00:30-04:00 still.
        check("America/New_York", "2026-11-01T04:30:00Z", "2026-10-31T23:30:00-05:00", "2026-11-01T09:30:00Z");
    }
}
JAVA
java -cp "$work/jars/*" "$work/Finding.java"
