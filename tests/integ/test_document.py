# SPDX-License-Identifier: Apache-2.0
"""Statements of the document that need no Kafka: ports, files, credentials, intervals, the alerts' table, the dashboard's panels.

docs/document.md has a row for each; the row's test is a function here, or elsewhere. `vigie run` starts with the files of
`monitoring/`, but with the document's own block as its alertmanager.yml.
"""
import json
import pathlib
import re
import shutil
import sys
import tempfile

import browser
import peers
from peers import wait_for

VIGIE = sys.argv[1]
# The document's block of monitoring/alertmanager.yml, as it stands there.
NOTIFICATIONS = """route:
  receiver: 'default-receiver'
  group_by: ['alertname', 'severity', 'component']
  group_wait: 10s
  group_interval: 10s
  repeat_interval: 12h

receivers:
  - name: 'default-receiver'
    email_configs:
      - to: 'ops@dreamscape.ai'
        from: 'alertmanager@dreamscape.ai'
        smarthost: 'smtp.example.com:587'
        auth_username: 'alertmanager'
        auth_password: '${SMTP_PASSWORD}'
    slack_configs:
      - api_url: '${SLACK_WEBHOOK_URL}'
        channel: '#kafka-alerts'
        title: 'Kafka Alert: {{ .GroupLabels.alertname }}'
        text: '{{ range .Alerts }}{{ .Annotations.description }}{{ end }}'
"""
# The document's tables of alerts: group, alert, severity, condition as the rule has it, duration in seconds, impact, action.
ALERTS = [
    ("kafka-availability", "KafkaBrokerDown", "critical", 'up{job="kafka-exporter"} == 0', 120, None, "Vérifier le broker Kafka et le réseau"),
    ("kafka-availability", "KafkaJMXExporterDown", "warning", 'up{job="kafka-jmx"} == 0', 120, None, "Vérifier JMX exporter, métriques broker indisponibles"),
    ("kafka-performance", "KafkaConsumerLagHigh", "warning", "kafka_consumergroup_lag > 1000", 300,
     "Délais dans le traitement des événements", "Vérifier la santé des consumers, scaler si besoin"),
    ("kafka-performance", "KafkaConsumerLagCritical", "critical", "kafka_consumergroup_lag > 10000", 300,
     "Délais sévères, risque de perte de données", "ACTION IMMÉDIATE: Scaler consumers"),
    ("kafka-performance", "KafkaUnderReplicatedPartitions", "warning", "kafka_server_replicamanager_underreplicatedpartitions > 0", 300,
     "Risque de perte de données si broker fail", "Vérifier réseau, performances broker"),
    ("kafka-performance", "KafkaOfflinePartitions", "critical", "kafka_controller_kafkacontroller_offlinepartitionscount > 0", 60,
     "Topics indisponibles, prod/conso bloquée", "ACTION IMMÉDIATE: Redémarrer brokers"),
    ("kafka-throughput", "KafkaHighRequestRate", "warning", "sum by (broker) (rate(kafka_network_requestmetrics_requests_total[5m])) > 1000", 600,
     "Charge élevée, latence possible", None),
    ("kafka-throughput", "KafkaLowMessagesInRate", "info", "sum by (broker) (rate(kafka_server_brokertopicmetrics_messagesin_total[10m])) < 1", 900,
     "Problème producteurs ou trafic faible attendu", None),
    ("kafka-errors", "KafkaFailedProduceRequests", "warning", "rate(kafka_server_brokertopicmetrics_failedproducerequests_total[5m]) > 0", 300,
     "Messages peuvent échouer à être écrits", None),
    ("kafka-errors", "KafkaISRShrinks", "warning", "rate(kafka_server_replicamanager_isrshrinks_total[5m]) > 0", 300,
     "Replicas en retard, tolérance aux pannes réduite", None),
    ("kafka-disk", "KafkaDiskUsageHigh", "warning", "kafka_log_size_bytes / kafka_log_size_limit_bytes > 0.8", 300,
     "Risque de manquer d'espace disque", "Augmenter fréquence cleanup, réduire rétention"),
    ("kafka-disk", "KafkaDiskUsageCritical", "critical", "kafka_log_size_bytes / kafka_log_size_limit_bytes > 0.95", 120,
     "ÉCHEC IMMINENT: Kafka arrêtera d'accepter messages", "ACTION IMMÉDIATE: Libérer espace disque"),
]
PANELS = [
    ("Kafka Broker Status", "stat"), ("Kafka Throughput - Messages In", "timeseries"), ("Consumer Lag by Group and Topic", "table"),
    ("Under-Replicated Partitions", "stat"), ("Offline Partitions", "stat"), ("Request Rate by Type", "timeseries"), ("Request Latency (P99)", "timeseries"),
]
LOGIN = {"Authorization": "Basic YWRtaW46YWRtaW4="}  # admin:admin


def every_row_names_a_test():
    """docs/document.md: the last cell of a row is a list of `file: name`, and the file has that name."""
    rows = 0
    for line in (peers.ROOT / "docs" / "document.md").read_text().splitlines():
        if not line.startswith("| ") or line.startswith("| the document says"):
            continue
        found, rows = re.findall(r"`([\w./-]+): (\w+)`", line.strip(" |").rsplit(" | ", 1)[1]), rows + 1
        assert found, f"no test in: {line}"
        for file, name in found:
            path = peers.ROOT / file
            assert path.is_file() and re.search(rf"\b{name}\b", path.read_text()), f"no {name} in {file}: {line}"
    assert rows > 50, rows


def the_ports_are_the_documents():
    import subprocess
    for role, port in peers.ROLES.items():
        said = subprocess.run([VIGIE, role, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
        assert re.search(rf'--(web\.listen-address="[\d.]*:{port}"|http-port={port})', said), f"{role} has another port than {port}"


def the_services_answer(v):
    for role, path in (("prometheus", "/"), ("grafana", "/"), ("alertmanager", "/"), ("prometheus", "/targets")):
        assert v.get(role, path)[0] == 200, (role, path)
    for role in ("kafka-exporter", "jmx-exporter"):  # no broker is there: the page says so, and 503 makes `up` fall
        wait_for(lambda r=role: v.get(r, "/metrics")[0] == 503, 20, f"{role} to say that nobody is there")


def kafka_is_scraped_every_30_seconds(v):
    jobs = {t["labels"]["job"]: t["scrapeInterval"] for t in v.api("targets")["activeTargets"]}
    assert jobs["kafka-exporter"] == "30s", jobs
    assert [j for j in jobs if "kafka" in j] == ["kafka-exporter", "kafka-jmx"], jobs
    assert "kafka-exporter" in v.get("prometheus", "/targets")[2]


def fifteen_days_are_kept(v):
    assert v.api("status/flags")["storage.tsdb.retention.time"] == "15d"
    assert v.api("status/runtimeinfo")["storageRetention"] == "15d"


def the_alerts_are_the_documents(v):
    groups = {g["name"]: g for g in v.api("rules")["groups"]}
    assert [g for g in groups if g.startswith("kafka-")] == sorted({a[0] for a in ALERTS}, key=[a[0] for a in ALERTS].index), list(groups)
    assert groups["kafka-availability"]["file"].endswith("monitoring/rules/kafka-alerts.yaml")
    got = [(g, r["name"], r["labels"]["severity"], re.sub(r"\s+", " ", r["query"]), r["duration"], r["annotations"].get("impact"), r["annotations"].get("action"))
           for g in groups if g.startswith("kafka-") for r in groups[g]["rules"]]
    for want, have in zip(ALERTS, got, strict=True):
        assert want == have, (want, have)
    assert all(r["labels"]["component"] == "kafka" for g in groups if g.startswith("kafka-") for r in groups[g]["rules"])


def the_notifications_block_loads_as_written(v):
    assert json.loads(v.get("alertmanager", "/api/v2/receivers")[2]) == [{"name": "default-receiver"}]
    said = json.loads(v.get("alertmanager", "/api/v2/status")[2])["config"]["original"]
    for text in ("to: ops@dreamscape.ai", "from: alertmanager@dreamscape.ai", "smarthost: smtp.example.com:587", "auth_username: alertmanager",
                 "group_wait: 10s", "group_interval: 10s", "repeat_interval: 12h", "'#kafka-alerts'", "{{ .GroupLabels.alertname }}",
                 "{{ range .Alerts }}{{ .Annotations.description }}{{ end }}"):
        assert text in said, (text, said)
    for label in ("alertname", "severity", "component"):
        assert f"- {label}" in said, said
    assert "pass word" not in said and "hooks.example" not in said, "a secret is shown"


def the_dashboard_is_provisioned(v):
    found = json.loads(v.get("grafana", "/api/dashboards/uid/kafka-monitoring-dreamscape", headers=LOGIN)[2])
    dash, meta = found["dashboard"], found["meta"]
    assert dash["title"] == "Kafka Monitoring - DreamScape" and meta["provisioned"] and meta["provisionedExternalId"] == "kafka-monitoring.json", meta
    assert [(p["title"], p["type"]) for p in sorted(dash["panels"], key=lambda p: p["id"])] == PANELS
    folder = peers.ROOT / "monitoring" / "grafana"
    assert (folder / "dashboards" / "kafka-monitoring.json").is_file() and (folder / "provisioning" / "dashboards" / "dashboards.yml").is_file()


def the_dashboard_is_imported_by_hand(v):
    """Dashboards > Import > paste > Load, in a browser."""
    text = (peers.ROOT / "monitoring" / "grafana" / "dashboards" / "kafka-monitoring.json").read_text().replace('"kafka-monitoring-dreamscape"', '"by-hand"')
    _, headers, _ = v.get("grafana", "/login", method="POST", body=b'{"user":"admin","password":"admin"}', headers={"Content-Type": "application/json"})
    with browser.Browser() as b:
        b.cookie(v.url("grafana"), "grafana_session", re.search(r"grafana_session=(\w+)", headers["Set-Cookie"])[1])
        b.open(v.url("grafana") + "/dashboards")
        b.wait("document.querySelector('a[href=\"/dashboard/import\"]')", 30)
        b.js("document.querySelector('a[href=\"/dashboard/import\"]').click()")
        b.wait("document.querySelector('textarea')", 30)
        b.js(f"(()=>{{const e=document.querySelector('textarea');e.value={json.dumps(text)};e.dispatchEvent(new Event('input',{{bubbles:true}}))}})()")
        b.wait("[...document.querySelectorAll('button')].find(x=>/^(Load|Import|Charger|Importer)/.test(x.innerText.trim())&&!x.disabled)", 10, "the Load button")
        b.js("[...document.querySelectorAll('button')].find(x=>/^(Load|Import|Charger|Importer)/.test(x.innerText.trim())&&!x.disabled).click()")
        b.wait("location.pathname.startsWith('/d/by-hand')", 20, "the imported dashboard")
        b.wait(f"document.querySelectorAll('section.dpanel').length === {len(PANELS)}", 20, "its panels")


def admin_admin_opens_grafana(v):
    assert v.get("grafana", "/api/dashboards/uid/kafka-monitoring-dreamscape", headers=LOGIN)[0] == 200
    assert v.get("grafana", "/api/dashboards/uid/kafka-monitoring-dreamscape")[0] == 401


def the_data_source_is_prometheus_9090(v):
    """Configuration > Data Sources > Prometheus, its URL, and its test."""
    sources = {s["name"]: s for s in json.loads(v.get("grafana", "/api/datasources", headers=LOGIN)[2])}
    assert sources["Prometheus"]["url"] == "http://prometheus:9090" and sources["Prometheus"]["isDefault"]
    status, _, said = v.get("grafana", f"/api/datasources/uid/{sources['Prometheus']['uid']}/health", headers=LOGIN)
    assert status == 200 and json.loads(said)["status"] == "OK", said
    said = v.get("grafana", "/api/datasources/proxy/uid/prometheus/api/v1/query?query=up", headers=LOGIN)[2]
    assert json.loads(said)["status"] == "success", said


def main():
    peers.run(every_row_names_a_test, the_ports_are_the_documents)
    home = pathlib.Path(tempfile.mkdtemp(prefix="vigie-document-"))
    ports = {r: peers.free_port() for r in peers.ROLES}
    try:
        shutil.copytree(peers.ROOT / "monitoring", home / "monitoring")
        prometheus = home / "monitoring" / "prometheus.yml"
        prometheus.write_text(peers.Run.localise(prometheus.read_text(), ports))
        (home / "monitoring" / "alertmanager.yml").write_text(NOTIFICATIONS)
        env = {"SMTP_PASSWORD": "pass word", "SLACK_WEBHOOK_URL": "http://hooks.example/x"}
        with peers.Run(VIGIE, home / "monitoring", home / "data", [f"127.0.0.1:{peers.free_port()}"], [f"127.0.0.1:{peers.free_port()}"], ports, home / "log", env=env) as v:
            wait_for(lambda: len(v.api("targets")["activeTargets"]) == 5, 20, "five targets")
            peers.run(*(named(t, v) for t in (
                the_services_answer, kafka_is_scraped_every_30_seconds, fifteen_days_are_kept, the_alerts_are_the_documents,
                the_notifications_block_loads_as_written, the_dashboard_is_provisioned, the_dashboard_is_imported_by_hand, admin_admin_opens_grafana,
                the_data_source_is_prometheus_9090)))
    finally:
        shutil.rmtree(home, ignore_errors=True)


def named(test, v):
    def one():
        test(v)
    one.__name__ = test.__name__
    return one


main()
