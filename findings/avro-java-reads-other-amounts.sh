#!/usr/bin/env bash
# Apache Avro for Java reads 12.34 as 0.1234 and today as January 1970 once the schema says finer units, and calls both schemas compatible. Python does not.
#
# One would guess: a reader whose schema has a scale of 4 instead of 2, or timestamp-micros instead of timestamp-millis, is refused by the check that is
# there to be asked before a release (decimals match "if their scales and precisions match", says the specification under Decimal), or converts.
# What happens, on the same bytes and schemas: both libraries for Python convert by the writer's schema and are right. The one for Java resolves the plain
# types alone, bytes to bytes and long to long: neither Resolver nor SchemaCompatibility compares logical types. The number is then taken for what the
# reader's says (GenericDatumReader.read asks expected.getLogicalType()). Amounts are a hundredth, or a hundred times too large the other way; all times
# are of 1970, or of the year 58886. SchemaCompatibility and SchemaValidator say yes, and the fingerprint of single-object encoding is the same for both
# schemas, so a store of schemas does not tell them apart either.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>avro</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.avro</groupId><artifactId>avro</artifactId><version>1.12.2</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>2.0.17</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/jars"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install avro==1.12.2 fastavro==1.13.1
cat >"$work/Reader.java" <<'JAVA'
import java.util.HexFormat;
import java.util.List;
import org.apache.avro.Conversions;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.SchemaValidatorBuilder;
import org.apache.avro.data.TimeConversions;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;

/** Of a writer's schema, a reader's and a record in hexadecimal digits: what the check says, whether the fingerprints are the same, and what is read. */
public class Reader {
    public static void main(String[] arguments) throws Exception {
        Schema writer = new Schema.Parser().parse(arguments[0]), reader = new Schema.Parser().parse(arguments[1]);
        GenericData data = new GenericData();
        data.addLogicalTypeConversion(new Conversions.DecimalConversion());
        data.addLogicalTypeConversion(new TimeConversions.TimestampMillisConversion());
        data.addLogicalTypeConversion(new TimeConversions.TimestampMicrosConversion());
        new SchemaValidatorBuilder().mutualReadStrategy().validateAll().validate(reader, List.of(writer));
        byte[] bytes = HexFormat.of().parseHex(arguments[2]);
        GenericRecord read = new GenericDatumReader<GenericRecord>(writer, reader, data).read(null, DecoderFactory.get().binaryDecoder(bytes, null));
        System.out.print(SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getType());
        System.out.print(" " + (SchemaNormalization.parsingFingerprint64(writer) == SchemaNormalization.parsingFingerprint64(reader)));
        System.out.println(" " + read.get("value"));
    }
}
JAVA
"$work/venv/bin/python" - "$work" <<'PYTHON'
import io
import json
import subprocess
import sys
from datetime import datetime, timezone
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import avro.io
import avro.schema
import fastavro

WORK = Path(sys.argv[1])
java = next((WORK / "jars").glob("avro-*.jar")).stem
print(f"{java} for Java; avro {version('avro')} and fastavro {version('fastavro')} for Python")


def schema(value):
    return {"type": "record", "name": "Order", "fields": [{"name": "value", "type": value}]}


def decimal(scale):
    return schema({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": scale})


def timestamp(unit):
    return schema({"type": "long", "logicalType": f"timestamp-{unit}"})


def read(what, value, writer, reader):
    """What Java makes of it; both libraries for Python read what was written."""
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, writer, {"value": value})
    data = buffer.getvalue()
    by_fastavro = fastavro.schemaless_reader(io.BytesIO(data), writer, reader)["value"]
    schemas = [avro.schema.parse(json.dumps(each)) for each in (writer, reader)]
    by_avro = avro.io.DatumReader(*schemas).read(avro.io.BinaryDecoder(io.BytesIO(data)))["value"]
    command = ["java", "-cp", f"{WORK}/jars/*", f"{WORK}/Reader.java", json.dumps(writer), json.dumps(reader), data.hex()]
    said, same, by_java = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    print(f"{what}: written {value}; Python reads {by_avro} and {by_fastavro}; Java says {said}, same fingerprint: {same}, and reads {by_java}")
    assert by_avro == by_fastavro == value
    assert said == "COMPATIBLE"
    return same == "true", by_java


amount, moment = Decimal("12.34"), datetime(2026, 12, 1, 10, tzinfo=timezone.utc)
assert read("scale 2", amount, decimal(2), decimal(2)) == (True, "12.34")
assert read("millis", moment, timestamp("millis"), timestamp("millis")) == (True, "2026-12-01T10:00:00Z")
# As it is.
assert read("scale 2 to 4", amount, decimal(2), decimal(4)) == (True, "0.1234")
assert read("scale 2 to 0", amount, decimal(2), decimal(0)) == (True, "1234")
assert read("millis to micros", moment, timestamp("millis"), timestamp("micros")) == (True, "1970-01-21T18:55:19.200Z")
assert read("micros to millis", moment, timestamp("micros"), timestamp("millis")) == (True, "+58886-10-01T16:00:00Z")
PYTHON
