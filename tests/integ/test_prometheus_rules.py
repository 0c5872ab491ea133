# SPDX-License-Identifier: Apache-2.0
"""Rules end to end: an alert becomes pending, survives kill -9, fires, is told to an Alertmanager, is resolved.

Then the mistakes: a broken rule file or configuration is refused with its place, and what ran goes on.
"""
import http.server
import json
import pathlib
import sys
import tempfile
import threading
import time

import peers

RULES = """groups:
- name: g
  interval: 1s
  rules:
  - {record: "job:lag", expr: "sum by (job) (lag)"}
  - alert: Lag
    expr: job:lag > 3
    for: 10s
    labels: {severity: page}
    annotations: {summary: '{{ $labels.job }} at {{ $value }}, {{ $externalLabels.cluster }}'}
"""
CONFIG = """global: {scrape_interval: 1s, evaluation_interval: 1s, external_labels: {cluster: c1}}
rule_files: [rules/*.yml]
alerting:
  alert_relabel_configs: [{action: labeldrop, regex: secret}]
  alertmanagers: [{static_configs: [{targets: ['127.0.0.1:%d']}]}]
scrape_configs:
- job_name: page
  static_configs: [{targets: ['127.0.0.1:%d']}]
"""

told = []
lag = [9]


class World(http.server.BaseHTTPRequestHandler):
    """The scraped page and the Alertmanager in one."""

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(b"lag %d\n" % lag[0], "text/plain")

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        told.extend((self.path, self.headers["Content-Type"], a) for a in body)
        self.answer(b"", "application/json")

    def log_message(self, *_):
        pass


class Ours:
    def __init__(self, vigie, work, port, arguments=()):
        self.url = f"http://127.0.0.1:{port}"
        self.p = peers.Process([vigie, "prometheus", f"--config.file={work}/prometheus.yml", f"--storage.tsdb.path={work}/data",
                                f"--web.listen-address=127.0.0.1:{port}", "--rules.alert.for-grace-period=1s", "--rules.alert.resend-delay=1s",
                                "--web.enable-lifecycle", "--web.external-url=http://p.example/", *arguments], work / "log")
        peers.wait_for(lambda: peers.http(self.url + "/-/ready")[0] == 200, 30, "our prometheus to be ready")

    def get(self, path):
        return json.loads(peers.http(f"{self.url}/api/v1/{path}")[2])["data"]

    def alert(self):
        alerts = self.get("alerts")["alerts"]
        return alerts[0] if alerts else None

    def reload(self):
        return peers.http(self.url + "/-/reload", method="POST")


def seconds(text):
    return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


def life(vigie, work, port):
    ours = Ours(vigie, work, port)
    try:
        before = peers.wait_for(ours.alert, 20, "the alert to be pending")
        assert before["state"] == "pending", before
        peers.wait_for(lambda: ours.get("query?query=ALERTS_FOR_STATE")["result"], 20, "its state to be stored")
        time.sleep(2)
        died = time.time()
        ours.p.kill()
        ours = Ours(vigie, work, port)
        # a new alert would be active since after the restart; the old one's time is taken over, moved by the time nobody looked
        after = peers.wait_for(lambda: (a := ours.alert()) and seconds(a["activeAt"]) < time.mktime(time.gmtime(died)) and a, 20,
                               "the for state to be restored")
        print("active before", before["activeAt"], "after", after["activeAt"])
        assert not told, told
        peers.wait_for(lambda: ours.alert()["state"] == "firing", 30, "the alert to fire")
        path, kind, alert = peers.wait_for(lambda: told and told[0], 10, "the Alertmanager to be told")
        assert path == "/api/v2/alerts" and kind == "application/json", (path, kind)
        assert alert["labels"] == {"alertname": "Lag", "job": "page", "severity": "page", "cluster": "c1"}, alert
        assert alert["annotations"] == {"summary": "page at 9, c1"}, alert
        assert alert["generatorURL"] == "http://p.example/graph?g0.expr=job%3Alag+%3E+3&g0.tab=1", alert
        assert alert["endsAt"] > alert["startsAt"], alert
        broken(ours, work)
        lag[0] = 1
        peers.wait_for(lambda: not ours.alert(), 20, "the alert to end")
        peers.wait_for(lambda: seconds(told[-1][2]["endsAt"]) <= time.mktime(time.gmtime()) + 1, 20, "the end to be told")
        gone = ours.get("query?query=ALERTS")["result"]
        assert not gone, gone
    finally:
        print((work / "log").read_text(errors="replace")[-1500:])
        ours.p.stop()


# file, its broken text, what the refusal must say
BROKEN = [
    ("rules/a.yml", RULES.replace("for: 10s", "fro: 10s"), ["rules/a.yml", "field fro not found in type rulefmt.Rule"]),
    ("rules/a.yml", RULES.replace("job:lag > 3", "job:lag >"), ["rules/a.yml: 7:11", 'group "g", rule 2, "Lag": could not parse expression: 1:10: parse error']),
    ("rules/a.yml", RULES.replace("{{ $value }}", "{{ $valu }}"), ["rules/a.yml: 10:", 'undefined variable "$valu"']),
    ("rules/a.yml", RULES.replace("  - alert", "   - alert"), ["rules/a.yml", "6:"]),
    ("prometheus.yml", CONFIG.replace("scrape_configs", "scrape_cofigs"), ['prometheus.yml"): 6:1: field scrape_cofigs not found in type config.plain']),
]


def broken(ours, work):
    """A refused reload says why and changes nothing."""
    for name, text, wanted in BROKEN:
        file = work / name
        good = file.read_text()
        file.write_text(text if "%d" not in text else text % (1, 1))
        status, _, said = ours.reload()
        print(status, said.strip())
        assert status == 500 and all(w in said for w in wanted), (wanted, said)
        assert ours.alert()["state"] == "firing"
        file.write_text(good)
    assert ours.reload()[0] == 200
    assert ours.alert()["state"] == "firing"  # an unchanged group keeps its alerts


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), World)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        (work / "rules").mkdir()
        (work / "rules" / "a.yml").write_text(RULES)
        (work / "prometheus.yml").write_text(CONFIG % (port, port))
        life(sys.argv[1], work, peers.free_port())
    server.shutdown()


if __name__ == "__main__":
    main()
