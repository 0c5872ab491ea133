# SPDX-License-Identifier: Apache-2.0
"""The way of one number, end to end: a real broker, `vigie run` with the document's files, a mail server, a Slack sink.

The document's durations are divided by one factor (60) in a copy of its files; everything else is as the user has it.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

import browser
import peers
import sinks
from peers import wait_for

VIGIE = sys.argv[1]
DOCUMENT_NAMES = [
    "kafka_consumergroup_lag", "kafka_consumergroup_current_offset", "kafka_consumergroup_offset",
    "kafka_server_brokertopicmetrics_messagesin_total", "kafka_server_brokertopicmetrics_bytesi_total",
    "kafka_server_brokertopicmetrics_bytesout_total", "kafka_server_replicamanager_underreplicatedpartitions",
    "kafka_controller_kafkacontroller_offlinepartitionscount", "kafka_network_requestmetrics_requests_total",
    "kafka_network_requestmetrics_99percentile", "kafka_network_requestmetrics_totaltimems",
    "kafka_server_replicamanager_isrshrinks_total", "kafka_server_replicamanager_isrexpands_total",
]


def faster(text, factor=60):
    """`for: 5m` becomes `for: 5s`, and so on; groups are evaluated each second."""
    text = re.sub(r"\binterval: \d+s", "interval: 1s", text)
    unit = {"s": 1, "m": 60, "h": 3600}
    return re.sub(r"\bfor: (\d+)([smh])\b", lambda m: f"for: {max(1, int(m[1]) * unit[m[2]] // factor)}s", text)


class Whole:
    """The document's folder with other ports, Kafka, Vigie, and the sinks."""

    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="vigie-whole-"))
        self.port = {r: peers.free_port() for r in peers.ROLES}
        self.mail, self.slack = sinks.MailSink(), sinks.HookSink()
        self.kafka = peers.Kafka(folder=self.home / "kafka")
        self.vigie = None

    def write_files(self):
        shutil.copytree(peers.ROOT / "monitoring", self.home / "monitoring")
        prom = self.home / "monitoring" / "prometheus.yml"
        text = peers.Run.localise(prom.read_text(), self.port)
        text = re.sub(r"(scrape_interval|evaluation_interval): \d+s", r"\1: 2s", text)
        prom.write_text(re.sub(r"scrape_timeout: \d+s", "scrape_timeout: 2s", text))
        for rules in (self.home / "monitoring" / "rules").glob("*.yaml"):
            rules.write_text(faster(rules.read_text()))
        am = self.home / "monitoring" / "alertmanager.yml"
        text = am.read_text().replace("smtp.example.com:587", f"127.0.0.1:{self.mail.port}")
        text = re.sub(r"group_wait: \w+", "group_wait: 1s", text)
        text = re.sub(r"group_interval: \w+", "group_interval: 2s", text)
        text = re.sub(r"( +)auth_username: .*\n +auth_password: .*\n", r"\1require_tls: false\n", text)
        text = re.sub(r"receiver: 'heartbeat'", "receiver: 'default-receiver'", text)  # here the watchdog is a person's business
        am.write_text(text)

    def start(self):
        self.vigie = peers.Run(VIGIE, self.home / "monitoring", self.home / "data", [self.kafka.bootstrap], [f"127.0.0.1:{self.kafka.jmx[0]}"], self.port,
                               self.home / "vigie.log", "--prometheus.rules.alert.resend-delay=5s",
                               env={"SLACK_WEBHOOK_URL": self.slack.url, "SMTP_PASSWORD": "unused"})
        self.url, self.get, self.query, self.value, self.alert = (getattr(self.vigie, x) for x in ("url", "get", "query", "value", "alert"))

    def mails(self, name):
        return [m for m in self.mail.mails if name in m["Subject"]]

    def slacks(self, name):
        return [b for b in self.slack.bodies if name in json.dumps(b)]

    def __enter__(self):
        try:
            self.kafka.__enter__()
            self.kafka.topic("orders", 3)
            self.write_files()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.vigie:
            self.vigie.stop()
        self.kafka.__exit__()
        shutil.rmtree(self.home, ignore_errors=True)


def every_name_of_the_document_is_there(w):
    w.kafka.produce("orders", 3000)
    w.kafka.consume("orders", "billing", 2400)
    for name in DOCUMENT_NAMES:
        wait_for(lambda: w.query(name), 60, f"series of {name}")
    missing = [s for s in w.query('{__name__=~"kafka_server_.*|kafka_network_.*|kafka_controller_.*"}') if "broker" not in s["metric"]]
    assert not missing, f"JMX series without a broker label: {missing[:2]}"
    assert {r["metric"]["job"]: r["value"][1] for r in w.query("up")} == {j: "1" for j in ("kafka-exporter", "kafka-jmx", "prometheus", "alertmanager", "grafana")}


def values_equal_kafkas_own(w):
    theirs = w.kafka.groups()
    for (group, topic, partition), (committed, end, lag) in theirs.items():
        at = f'{{consumergroup="{group}",topic="{topic}",partition="{partition}"}}'
        wait_for(lambda: w.value("kafka_consumergroup_lag" + at) == lag, 30, f"lag {lag} of {at}")
        assert w.value("kafka_consumergroup_current_offset" + at) == committed
        assert w.value("kafka_consumergroup_offset" + at) == committed
    wait_for(lambda: w.value('sum(kafka_server_brokertopicmetrics_messagesin_total{topic="orders"})') == 3000 or
             w.value('sum(kafka_topic_partition_current_offset{topic="orders"})') == 3000, 30, "3,000 messages")


def the_pages_of_both_exporters_please_promtool(w):
    for role in ("kafka-exporter", "jmx-exporter"):
        page = w.get(role, "/metrics")[2]
        run = subprocess.run(["promtool", "check", "metrics"], input=page, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
        # Style hints about the document's own names are not errors of the format.
        assert run.returncode in (0, 3) and "error" not in run.stdout.lower(), run.stdout[:500]


PANELS = ["Kafka Broker Status", "Kafka Throughput - Messages In", "Consumer Lag by Group and Topic", "Under-Replicated Partitions", "Offline Partitions",
          "Request Rate by Type", "Request Latency (P99)"]


def the_page_shows_data_in_all_seven_panels(w):
    login = json.dumps({"user": "admin", "password": "admin"}).encode()
    _, headers, _ = peers.http(w.url("grafana") + "/login", method="POST", body=login, headers={"Content-Type": "application/json"})
    with browser.Browser() as b:
        b.cookie(w.url("grafana"), "grafana_session", re.search(r"grafana_session=(\w+)", headers["Set-Cookie"])[1])
        b.open(w.url("grafana") + "/d/kafka-monitoring-dreamscape?from=now-5m&to=now&refresh=5s")
        for title in PANELS:
            panel = f"document.querySelector('section.dpanel[aria-label={json.dumps(title)}]')"
            # A state box stands in the body of a panel that loads, failed or has nothing to draw.
            b.wait(f"{panel} && {panel}.querySelector('.body') && !{panel}.querySelector('.body .state') && "
                   f"({panel}.querySelector('canvas') || {panel}.querySelector('.body').innerText.trim())", 60, f"data in panel {title}")
        b.open(w.url("grafana") + "/")
        b.wait("document.querySelector('main, #app').innerText.includes('billing')", 30, "the group on the home page")
        assert not b.errors, b.errors[:3]


def lag_pages_and_consuming_heals(w):
    wait_for(lambda: w.alert("KafkaConsumerLagHigh") is None, 30, "no lag alert yet")
    w.kafka.produce("orders", 6000)
    wait_for(lambda: w.alert("KafkaConsumerLagHigh") == "pending", 30, "KafkaConsumerLagHigh pending")
    wait_for(lambda: w.alert("KafkaConsumerLagHigh") == "firing", 60, "KafkaConsumerLagHigh firing")
    wait_for(lambda: w.mails("KafkaConsumerLagHigh") or w.mail.mails, 30, "an e-mail")
    body = wait_for(lambda: w.slacks("KafkaConsumerLagHigh"), 30, "a Slack message")[0]
    assert body["channel"] == "#kafka-alerts", body
    assert "Kafka Alert: KafkaConsumerLagHigh" in json.dumps(body, ensure_ascii=False), body
    w.kafka.consume("orders", "billing", 6600)
    wait_for(lambda: w.alert("KafkaConsumerLagHigh") is None, 60, "the lag alert to end")


def a_stopped_broker_fires_and_heals(w):
    w.kafka.stop(0)
    for name in ("KafkaBrokerDown", "KafkaJMXExporterDown"):
        wait_for(lambda: w.alert(name) == "firing", 60, f"{name} firing")
    assert w.get("kafka-exporter", "/metrics")[0] == 503
    assert w.get("jmx-exporter", "/metrics")[0] == 503
    w.kafka.start(0)
    w.kafka.ready(0)
    for name in ("KafkaBrokerDown", "KafkaJMXExporterDown"):
        wait_for(lambda: w.alert(name) is None, 60, f"{name} to end")


def silence(w):
    body = json.dumps({"matchers": [{"name": "alertname", "value": "Watchdog", "isRegex": False, "isEqual": True}], "startsAt": "2020-01-01T00:00:00Z",
                       "endsAt": "2099-01-01T00:00:00Z", "createdBy": "test", "comment": "kept over kill -9"}).encode()
    status, _, text = peers.http(w.url("alertmanager") + "/api/v2/silences", method="POST", body=body, headers={"Content-Type": "application/json"})
    assert status == 200, text
    return json.loads(text)["silenceID"]


def children_of(pid):
    return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def kill_9_loses_nothing(w):
    known = silence(w)
    wait_for(lambda: w.alert("Watchdog") == "firing", 30, "Watchdog")
    wait_for(lambda: w.slacks("Watchdog"), 60, "the Watchdog's message")
    sent = len(w.slacks("Watchdog"))
    child = children_of(w.vigie.p.pid)[0]
    os.kill(child, signal.SIGKILL)
    wait_for(lambda: children_of(w.vigie.p.pid) not in ([], [child]), 30, "new collectors")
    wait_for(lambda: w.get("kafka-exporter", "/metrics")[0] == 200, 30, "their page")
    before = {(s["metric"]["instance"], t): v for s in w.query('scrape_samples_scraped[10m]') for t, v in s["values"]}
    w.vigie.kill()
    w.start()
    after = {(s["metric"]["instance"], t): v for s in w.query('scrape_samples_scraped[20m]') for t, v in s["values"]}
    lost = {k: v for k, v in before.items() if after.get(k) != v}
    assert not lost, f"{len(lost)} of {len(before)} samples are gone: {list(lost)[:3]}"
    kept = json.loads(w.get("alertmanager", f"/api/v2/silence/{known}")[2])
    assert kept["status"]["state"] == "active", kept
    wait_for(lambda: w.alert("Watchdog") == "firing", 30, "Watchdog again")
    time.sleep(6)  # three group intervals: a second message would have come by now
    assert len(w.slacks("Watchdog")) == sent, "a message came twice"


def debians_prometheus_reads_our_directory(w):
    end = time.time()
    exprs = ["count(up)", "sum(scrape_samples_scraped)", 'sum by (topic) (kafka_topic_partition_current_offset{topic="orders"})',
             "count(kafka_consumergroup_lag)", 'max_over_time(up{job="kafka-jmx"}[5m])']
    ask = [f"{e} @ {end:.3f}" if "by" not in e and "over_time" not in e and "(" not in e else e for e in exprs]
    at = urllib.parse.urlencode({"time": f"{end:.3f}"})

    def answers(base):
        out = {}
        for e in ask:
            r = json.loads(peers.http(f"{base}/api/v1/query?{at}&" + urllib.parse.urlencode({"query": e}))[2])["data"]["result"]
            out[e] = sorted((json.dumps(x["metric"], sort_keys=True), x["value"]) for x in r)
        return out

    ours = answers(w.url("prometheus"))
    assert all(ours.values()), ours
    w.vigie.stop()
    port = peers.free_port()
    empty = w.home / "empty.yml"
    empty.write_text("global: {}\n")
    with peers.Process(["prometheus", f"--config.file={empty}", f"--storage.tsdb.path={w.home / 'data' / 'prometheus'}", f"--web.listen-address=127.0.0.1:{port}"],
                       w.home / "prometheus.log") as p:
        wait_for(lambda: p.alive() and peers.http(f"http://127.0.0.1:{port}/-/ready")[0] == 200, 30, "Debian's prometheus on our directory")
        theirs = answers(f"http://127.0.0.1:{port}")
    assert ours == theirs, (ours, theirs)
    w.start()
    again = answers(w.url("prometheus"))
    assert again == ours, (again, ours)


def main():
    tests = [every_name_of_the_document_is_there, values_equal_kafkas_own, the_pages_of_both_exporters_please_promtool, the_page_shows_data_in_all_seven_panels, lag_pages_and_consuming_heals,
             a_stopped_broker_fires_and_heals, kill_9_loses_nothing, debians_prometheus_reads_our_directory]
    with Whole() as w:
        for test in tests:
            begin = time.monotonic()
            try:
                test(w)
            except BaseException:
                print(w.vigie.text()[-4000:], file=sys.stderr)
                raise
            print(f"ok {test.__name__} ({time.monotonic() - begin:.1f} s)", flush=True)
    print(f"{len(tests)} passed, 0 failed", flush=True)


main()
