#!/usr/bin/env bash
# Kafka Connect takes headers that look like numbers for numbers: 0042 is 42, 42:orders is 42, 12345678.9 is 12345679, and one span in 2 000 is another.
#
# One would guess: a header that a producer wrote as text reaches a sink as that text, or as something that is the same text when it is written again.
# Connect's default header converter is documented to infer the type that fits best, so a text that is no number would stay a text.
# What happens, in SimpleHeaderConverter of connect-api 4.3.1: it cuts the text at , : [ ] { } and tries the first piece as a number; when it is one,
# the rest is dropped. The number gets the smallest type into whose range it falls: a decimal of any length becomes a 32-bit float. Leading zeros and
# the zeros that money ends with are gone, "null" is no header, and an identifier of 16 hexadecimal digits (B3's X-B3-SpanId) is a number whenever
# it has nothing but digits, or digits with one e between them: 2166717e89632538 is 2.166717 times ten to a power of 89 million.
# One header has thus another type from record to record. A sink that takes the key from a header (or puts headers into columns) writes another key,
# and two keys meet: 42, 042, 42:orders and 42,5 are one row.
# With header.converter=org.apache.kafka.connect.storage.StringConverter text stays what it is.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>connect</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency><groupId>org.apache.kafka</groupId><artifactId>connect-api</artifactId><version>4.3.1</version></dependency></dependencies>
</project>
XML
mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/jars"
cat >"$work/Headers.java" <<'JAVA'
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.utils.AppInfoParser;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.storage.HeaderConverter;
import org.apache.kafka.connect.storage.SimpleHeaderConverter;
import org.apache.kafka.connect.storage.StringConverter;

public class Headers {
    static final HeaderConverter usual = new SimpleHeaderConverter(), text = new StringConverter();

    static SchemaAndValue read(HeaderConverter converter, String header) {
        return converter.toConnectHeader("orders", "header", header.getBytes(StandardCharsets.UTF_8));
    }

    /** What a header is when it was read and is written again. */
    static String again(HeaderConverter converter, String header) {
        SchemaAndValue value = read(converter, header);
        if (value == null) return null;
        return new String(converter.fromConnectHeader("orders", "header", value.schema(), value.value()), StandardCharsets.UTF_8);
    }

    public static void main(String[] arguments) {
        System.out.println("Kafka Connect " + AppInfoParser.getVersion());
        usual.configure(Map.of());
        text.configure(Map.of("converter.type", "header"));
        for (String[] pair : new String[][] {
            {"order-42", "order-42"}, // as it is
            {"42", "42"},
            {"0042", "42"},
            {"42:orders", "42"},
            {"3,50", "3"},
            {"10:45", "10"},
            {"19.90", "19.9"},
            {"12345678.9", "1.2345679E7"},
            {"16777217.5", "1.6777218E7"},
            {"2166717e89632538", "2.166717E+89632544"},
            {"null", null},
        }) {
            SchemaAndValue value = read(usual, pair[0]);
            String written = again(usual, pair[0]);
            System.out.println("  " + pair[0] + " is " + (value == null ? "no header" : value.schema().type() + ", written again as " + written));
            if (!String.valueOf(written).equals(String.valueOf(pair[1]))) throw new AssertionError("not as it was: " + pair[1]);
            if (!pair[0].equals(again(text, pair[0]))) throw new AssertionError("StringConverter changes " + pair[0]);
        }
        Random random = new Random(1);
        int count = 100_000, numbers = 0, changed = 0;
        for (int i = 0; i < count; i++) {
            String span = String.format("%016x", random.nextLong());
            if (!read(usual, span).schema().type().equals(Schema.Type.STRING)) numbers++;
            if (!span.equals(again(usual, span))) changed++;
        }
        System.out.println("of " + count + " span identifiers " + numbers + " are numbers, and " + changed + " are written again as something else");
        if (numbers < 50 || changed < 25 || changed > 100) throw new AssertionError();
    }
}
JAVA
java -cp "$work/jars/*" "$work/Headers.java" 2>"$work/log" || { cat "$work/log"; exit 1; }
