#!/usr/bin/env bash
# Kafka Connect reads JSON numbers that are too large as other numbers, and what has the wrong type as 0, false and null.
#
# One would guess: what JsonConverter can't hold in the type that it chose, or that the record's own schema names, is an error, which
# errors.tolerance and a dead letter queue are for. An optional field with a wrong value is no reason to write NULL.
# What happens, in connect-json 4.3.1: without schemas each integer becomes an INT64, cut to its lower 64 bits; an unsigned identifier of
# 18446744073709551615 reaches the sink as -1. With schemas an INT32 is cut to 32 bits and to its whole part, "12" in an INT64 is 0, "true" in a
# BOOLEAN is false, 42 in an optional STRING is null. Nothing fails, so no dead letter is written and no row looks broken.
# The reason: it asks Jackson's nodes with longValue(), intValue(), booleanValue() and textValue(), which cut, or answer 0, false or null for a node
# of another type; canConvertToLong() and canConvertToInt(), which would tell, are not asked. Only a null in a required field is noticed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>connect</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency><groupId>org.apache.kafka</groupId><artifactId>connect-json</artifactId><version>4.3.1</version></dependency></dependencies>
</project>
XML
mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/jars"
cat >"$work/Read.java" <<'JAVA'
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.common.utils.AppInfoParser;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.json.JsonConverter;

public class Read {
    static final JsonConverter plain = new JsonConverter(), typed = new JsonConverter();

    static Object read(JsonConverter converter, String json) {
        return converter.toConnectData("orders", json.getBytes(StandardCharsets.UTF_8)).value();
    }

    static void check(String what, Object seen, Object expected) {
        System.out.println(what + " is read as " + seen);
        if (!Objects.equals(seen, expected)) throw new AssertionError("not as it was: " + expected);
    }

    static String record(String type, String value, boolean optional) {
        String field = "{\"field\": \"f\", \"type\": \"" + type + "\", \"optional\": " + optional + "}";
        return "{\"schema\": {\"type\": \"struct\", \"fields\": [" + field + "]}, \"payload\": {\"f\": " + value + "}}";
    }

    static void field(String type, String value, Object expected) {
        check("  " + type + " " + value, ((Struct) read(typed, record(type, value, true))).get("f"), expected);
    }

    public static void main(String[] arguments) {
        System.out.println("Kafka Connect " + AppInfoParser.getVersion());
        plain.configure(Map.of("schemas.enable", "false"), false);
        typed.configure(Map.of("schemas.enable", "true"), false);
        System.out.println("without schemas:");
        for (String[] pair : new String[][] {
            {"9223372036854775807", "9223372036854775807"}, // as it is
            {"9223372036854775808", "-9223372036854775808"},
            {"12345678901234567890", "-6101065172474983726"},
            {"18446744073709551615", "-1"},
        }) {
            check("  " + pair[0], ((Map<?, ?>) read(plain, "{\"id\": " + pair[0] + "}")).get("id"), Long.valueOf(pair[1]));
        }
        System.out.println("with the schema in the record, in optional fields:");
        field("int32", "2000000000", 2000000000); // as it is
        field("int32", "3000000000", -1294967296);
        field("int16", "70000", (short) 4464);
        field("int32", "19.99", 19);
        field("int64", "\"12\"", 0L);
        field("double", "\"19.99\"", 0.0);
        field("boolean", "\"true\"", false);
        field("boolean", "1", false);
        field("string", "42", null);
        System.out.println("in a required field:");
        check("  int64 \"12\"", ((Struct) read(typed, record("int64", "\"12\"", false))).get("f"), 0L);
        // The one that is refused: null is no value for it.
        try {
            throw new AssertionError(read(typed, record("string", "42", false)));
        } catch (DataException refused) {
            System.out.println("  string 42 is refused: " + refused.getMessage());
        }
    }
}
JAVA
java -cp "$work/jars/*" "$work/Read.java" 2>"$work/log" || { cat "$work/log"; exit 1; }
