#!/usr/bin/env bash
# Confluent's Avro serializer for Python writes 1998.99 as 1998 into a long, and 3 000 000 000 into an int, of which Java makes 852 516 352.
#
# One would guess: a serializer that has the schema refuses what is no example of it, as Apache Avro's own writers do. A setting that is called
# validate.strict makes it certain.
# What happens, in confluent-kafka 2.16.1 with fastavro 1.13.1: nothing is refused. 19.99 * 100 euros in cents, which is 1998.9999999999998, becomes
# 1998; the text "false" becomes true; an int of 33 bits is written with all of them, and Java reads the same five bytes as another number, without
# an error. fastavro itself reads back what it wrote, so a round trip in a Python test is green.
# The reason: the serializer calls fastavro's writer without its validator, and validate.strict is about the names of fields alone. The writer that
# is compiled to C converts whatever it gets to a 64-bit integer, for int as for long; the same code in pure Python, which is used where there
# is no wheel, raises a TypeError for a float. Java's decoder takes four bits of an int's fifth byte, whatever the others are.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>avro</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency><groupId>org.apache.avro</groupId><artifactId>avro</artifactId><version>1.12.1</version></dependency></dependencies>
</project>
XML
mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/jars"
cat >"$work/Read.java" <<'JAVA'
import java.util.HexFormat;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.io.DecoderFactory;

public class Read {
    public static void main(String[] arguments) throws Exception {
        for (int i = 0; i < arguments.length; i += 2) {
            Schema schema = new Schema.Parser().parse(arguments[i]);
            byte[] bytes = HexFormat.of().parseHex(arguments[i + 1]);
            System.out.println(new GenericDatumReader<>(schema).read(null, DecoderFactory.get().binaryDecoder(bytes, null)));
        }
    }
}
JAVA
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install 'confluent-kafka[avro,schemaregistry]==2.16.1' fastavro==1.13.1 avro==1.12.2
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import io
import json
import subprocess
from importlib.metadata import version

import avro.io
import avro.schema
import fastavro
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

print(", ".join(f"{name} {version(name)}" for name in ("confluent-kafka", "fastavro", "avro")), "and Avro 1.12.1 for Java")
registry = SchemaRegistryClient.new_client({"url": "mock://finding"})  # one inside the process
cases = [
    # type, value, what Python reads, what Java reads
    ("int", 2147483647, 2147483647, 2147483647),  # as it is
    ("long", 19.99 * 100, 1998, 1998),
    ("int", 3_000_000_000, 3_000_000_000, 852_516_352),
    ("int", -3_000_000_000, -3_000_000_000, -852_516_352),
    ("boolean", "false", True, True),
]
arguments, seen = [], []
for number, (kind, value, _, _) in enumerate(cases):
    schema = json.dumps({"type": "record", "name": "Order", "fields": [{"name": "f", "type": kind}]})
    context = SerializationContext(f"orders-{number}", MessageField.VALUE)
    data = AvroSerializer(registry, schema, conf={"validate.strict": True})({"f": value}, context)
    seen.append(AvroDeserializer(registry)(data, context)["f"])
    arguments += [schema, data[5:].hex()]  # behind the schema's number
    try:
        avro.io.DatumWriter(avro.schema.parse(schema)).write({"f": value}, avro.io.BinaryEncoder(io.BytesIO()))
        assert number == 0, "Apache Avro for Python takes it too"
    except avro.errors.AvroTypeException:
        assert not fastavro.validate(value, kind, raise_errors=False)
output = subprocess.run(["java", "-cp", "jars/*", "Read.java", *arguments], capture_output=True, text=True, check=True).stdout
java = [json.loads(line)["f"] for line in output.splitlines()]
for (kind, value, python, expected), read, read_by_java in zip(cases, seen, java, strict=True):
    print(f"  {kind} {value!r}: Python reads {read}, Java {read_by_java}")
    assert (read, read_by_java) == (python, expected)
print("Apache Avro for Python refuses all of them but the first, and so would fastavro.validate.")
PYTHON
