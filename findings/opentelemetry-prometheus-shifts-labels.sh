#!/usr/bin/env bash
# One failed request of one library, and OpenTelemetry's Prometheus page says of another's requests that their method is 200 and their error is GET.
#
# One would guess: a metric's labels are its own. Two libraries may use one name, which the semantic conventions ask of them (http.client.request.duration is
# what every HTTP client is measured by); otel_scope_name is on the page to tell them apart.
# What happens, in opentelemetry-exporter-prometheus 0.66b2: metrics of one name become one family, whose label names are those of the first meter. The next
# meter's values are put behind them by their position (_collect_data_points sorts each meter's own keys; in the newer
# releases a family is found by name, description and unit alone). So all is right while both have the same attributes, as they have while all goes well.
# Once a request of `requests` fails, its series get error.type, which sorts first, and every series of httpx is shifted by one: error_type="GET",
# http_request_method="200", server_address is the port, otel_scope_name a link to the schema. It stays so until the process ends.
# Whom it hurts: alerts on error_type see errors where there are none, those on otel_scope_name lose a library, and both begin with somebody else's failure.
# The same befalls any two meters that have a counter of one name: of 50 orders in USD the page says that they are of the kind bank, which is the meter's name.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install opentelemetry-exporter-prometheus==0.66b2 opentelemetry-sdk==1.45.2 \
  opentelemetry-instrumentation-requests==0.66b2 opentelemetry-instrumentation-httpx==0.66b2 prometheus_client==0.26.0 requests==2.34.2 httpx==0.28.1
export OTEL_SEMCONV_STABILITY_OPT_IN=http
timeout 60 "$work/venv/bin/python" - <<'PYTHON'
import http.server
import threading
from importlib.metadata import version

import httpx
import requests
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import REGISTRY

print("opentelemetry-exporter-prometheus", version("opentelemetry-exporter-prometheus"))


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500 if self.path == "/fails" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url, port = f"http://127.0.0.1:{server.server_port}", str(server.server_port)
provider = MeterProvider(metric_readers=[PrometheusMetricReader()])
RequestsInstrumentor().instrument(meter_provider=provider)
HTTPXClientInstrumentor().instrument(meter_provider=provider)


def page(name):
    """The labels and the values of the page's samples with that name."""
    return [(sample.labels, sample.value) for metric in REGISTRY.collect() for sample in metric.samples if sample.name == name]


def of_httpx():
    """The series that is httpx', wherever its name may stand; the other library's are told by theirs."""
    series = page("http_client_request_duration_seconds_count")
    [labels] = [labels for labels, _ in series if labels.get("otel_scope_name") != "opentelemetry.instrumentation.requests"]
    shown = {name: labels.get(name) for name in ("error_type", "http_request_method", "http_response_status_code", "otel_scope_name", "server_address")}
    print("  httpx:", ", ".join(f"{name}={value}" for name, value in shown.items() if value is not None))
    return shown


requests.get(url + "/works")
httpx.get(url + "/works")
print("both libraries had their request answered")
assert of_httpx() == {
    "error_type": None,
    "http_request_method": "GET",
    "http_response_status_code": "200",
    "otel_scope_name": "opentelemetry.instrumentation.httpx",
    "server_address": "127.0.0.1",
}
requests.get(url + "/fails")
print("then one request of the library requests fails")
shown = of_httpx()
assert shown.pop("otel_scope_name").startswith("https://opentelemetry.io/schemas/")
assert shown == {"error_type": "GET", "http_request_method": "200", "http_response_status_code": "1.0", "server_address": port}, shown
httpx.get(url + "/works")
assert of_httpx()["error_type"] == "GET"

shop, bank = provider.get_meter("shop"), provider.get_meter("bank")
shop.create_counter("orders").add(1, {"currency": "EUR", "kind": "paid"})
bank.create_counter("orders").add(50, {"currency": "USD"})
print("two meters count orders, 1 in EUR of the kind paid, and 50 in USD:")
own = [({name: labels.get(name) for name in ("currency", "kind", "otel_scope_name")}, value) for labels, value in page("orders_total")]
for labels, value in own:
    print(" ", labels, value)
assert own == [
    ({"currency": "EUR", "kind": "paid", "otel_scope_name": "shop"}, 1),
    ({"currency": "USD", "kind": "bank", "otel_scope_name": ""}, 50),
], own
PYTHON
