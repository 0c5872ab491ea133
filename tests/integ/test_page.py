#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page where it changes something: a silence is made and ended in a real browser, and Alertmanager knows it."""
import json
import pathlib
import re
import sys
import tempfile

import browser
import peers
from peers import wait_for

VIGIE = sys.argv[1]
ROLES = ("kafka-exporter", "jmx-exporter", "prometheus", "alertmanager", "grafana")
RULES = """groups:
- name: page
  interval: 1s
  rules:
  - {alert: AlwaysSlow, expr: vector(1), labels: {severity: warning, component: kafka}, annotations: {description: it is slow}}
"""
AM = "route: {receiver: nobody, group_wait: 1s}\nreceivers: [{name: nobody}]\n"


class Run:
    """`vigie run` without a Kafka, with one alert that always fires."""

    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.port = {r: peers.free_port() for r in ROLES}
        (self.home / "rules").mkdir()
        (self.home / "rules" / "page.yml").write_text(RULES)
        (self.home / "alertmanager.yml").write_text(AM)
        (self.home / "prometheus.yml").write_text(
            f"rule_files: [rules/*.yml]\nalerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{self.port['alertmanager']}']}}]}}]}}\n")

    def __enter__(self):
        flags = [f"--{r}.web.listen-address=127.0.0.1:{self.port[r]}" for r in ROLES[:4]]
        flags += [f"--grafana.http-port={self.port['grafana']}", "--grafana.http-addr=127.0.0.1", "--alertmanager.cluster.listen-address=",
                  f"--grafana.self.prometheus={self.url('prometheus')}", f"--grafana.self.alertmanager={self.url('alertmanager')}"]
        self.vigie = peers.Process([VIGIE, "run", self.home, "--data", self.home / "data", "--kafka", "127.0.0.1:9", *flags], self.home / "log")
        wait_for(lambda: peers.http(self.url("grafana") + "/api/health")[0] == 200, 20, "the grafana role")
        wait_for(lambda: self.silences_and_alerts()[1], 20, "the alert to reach Alertmanager")
        return self

    def __exit__(self, *_):
        self.vigie.stop()

    def url(self, role):
        return f"http://127.0.0.1:{self.port[role]}"

    def silences_and_alerts(self):
        return tuple(json.loads(peers.http(self.url("alertmanager") + "/api/v2/" + what)[2]) for what in ("silences", "alerts"))

    def session(self):
        body = json.dumps({"user": "admin", "password": "admin"}).encode()
        headers = peers.http(self.url("grafana") + "/login", method="POST", body=body, headers={"Content-Type": "application/json"})[1]
        return re.search(r"grafana_session=(\w+)", headers["Set-Cookie"])[1]


def a_silence_is_made_and_ended():
    with tempfile.TemporaryDirectory(prefix="vigie-page-") as home, Run(home) as r, browser.Browser() as b:
        b.cookie(r.url("grafana"), "grafana_session", r.session())
        b.open(r.url("grafana") + "/alerting", width=1440, height=900)
        b.wait("document.querySelector('.sil summary')", 30, "the button that opens the form")
        b.js("document.querySelector('.sil summary').click()")
        assert b.js("document.querySelector('.sil .btn.pri').disabled"), "a silence without a reason can be sent"
        b.js("""(() => { const i = document.querySelector('.sil input'); i.value = 'rolling restart'; i.dispatchEvent(new Event('input', {bubbles: true})); })()""")
        b.wait("!document.querySelector('.sil .btn.pri').disabled", 10)
        b.js("document.querySelector('.sil .btn.pri').click()")
        made = wait_for(lambda: r.silences_and_alerts()[0], 10, "the silence in Alertmanager")[0]
        assert {m["name"]: m["value"] for m in made["matchers"]} == {"alertname": "AlwaysSlow", "component": "kafka", "severity": "warning"}, made
        assert (made["comment"], made["createdBy"], made["status"]["state"]) == ("rolling restart", "admin", "active"), made
        assert r.silences_and_alerts()[1][0]["status"]["silencedBy"] == [made["id"]]
        b.wait("document.querySelector('td .btn') && document.body.innerText.includes('rolling restart') && !document.querySelector('.sil')", 15, "the page to show it")
        b.js("document.querySelector('td .btn').click()")
        wait_for(lambda: r.silences_and_alerts()[0][0]["status"]["state"] == "expired", 10, "the silence to end")
        b.wait("document.querySelector('.sil summary')", 15, "the alert to be loud again")
        assert not b.errors, b.errors


peers.run(a_silence_is_made_and_ended)
