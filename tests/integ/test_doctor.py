# SPDX-License-Identifier: Apache-2.0
"""vigie doctor against faults made for real: brokers, JMX, targets, rules, panels, receivers, sources, files, disk, clock, ports.

A healthy cluster with `vigie run` beside it comes first: no finding, exit code 0. Then the same Prometheus is asked about a folder in
which everything is wrong, and about a second broker whose listeners, ACLs and JMX stub are.
"""
import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import socketserver
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import browser
import peers
import sinks
from peers import wait_for

VIGIE = sys.argv[1]
ROLES = ("kafka-exporter", "jmx-exporter", "prometheus", "alertmanager", "grafana")
STANDARD = (9308, 5556, 9090, 9093, 3000)
SECRET = "hunter2-is-secret"


class Broken(peers.Kafka):
    """One broker: OPEN (nobody may look), WRONG (advertises a closed port), SECURE (TLS), LOGIN (SASL); JMX hands out a name that leads nowhere."""

    def __init__(self, folder):
        self.wrong, self.secure, self.login, self.closed = (peers.free_port() for _ in range(4))
        super().__init__(folder=folder)
        home = pathlib.Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        certificate(home)
        jaas = f'org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="{SECRET}" user_admin="{SECRET}";'
        at = {"OPEN": self.ports[0], "WRONG": self.wrong, "SECURE": self.secure, "LOGIN": self.login}
        self.settings = {
            "listeners": ",".join(f"{n}://127.0.0.1:{p}" for n, p in [*at.items(), ("CONTROLLER", self.controllers[0])]),
            "advertised.listeners": ",".join(f"{n}://127.0.0.1:{self.closed if n == 'WRONG' else p}" for n, p in at.items()),
            "listener.security.protocol.map": "OPEN:PLAINTEXT,WRONG:PLAINTEXT,SECURE:SSL,LOGIN:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
            "inter.broker.listener.name": "LOGIN",
            "sasl.enabled.mechanisms": "PLAIN", "sasl.mechanism.inter.broker.protocol": "PLAIN", "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.login.plain.sasl.jaas.config": jaas, "listener.name.controller.plain.sasl.jaas.config": jaas,
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer", "super.users": "User:admin",
            "ssl.keystore.type": "PEM", "ssl.keystore.location": home / "both.pem",
        }

    def start(self, i):
        flags = ["-Djava.rmi.server.hostname=nowhere.invalid"] + [f"-Dcom.sun.management.jmxremote{x}" for x in (
            "", ".host=127.0.0.1", f".port={self.jmx[i]}", f".rmi.port={self.jmx[i]}", ".authenticate=false", ".ssl=false")]
        self.nodes[i] = peers.Process([*self.java(self.heap), *flags, "-cp", f"{peers.kafka_libs(self.version)}/*", "kafka.Kafka",
                                       self.folder / f"server{i + 1}.properties"], self.folder / f"node{i + 1}.log")


def certificate(home):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=somewhere-else", "-keyout", home / "key.pem",
                    "-out", home / "cert.pem"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (home / "both.pem").write_text((home / "key.pem").read_text() + (home / "cert.pem").read_text())


class Target(http.server.BaseHTTPRequestHandler):
    """A program whose health is JSON, whose metrics are elsewhere, and whose clock is an hour late on one page."""

    late = False

    def date_time_string(self, timestamp=None):
        return super().date_time_string(time.time() - (3600 if self.late else 0))

    def do_GET(self):
        self.late = self.path == "/late"
        pages = {"/health": ("application/json", b'{"status":"UP"}'), "/metrics": ("text/plain", b"up_and_well 1\n"), "/late": ("text/plain", b"late 1\n"),
                 "/page": ("text/html", b"<html>for people</html>")}
        kind, body = pages.get(self.path, ("text/plain", b"no such page\n"))
        self.send_response(200 if self.path in pages else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(handler=Target, tls=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls / "cert.pem", tls / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # plain text on a TLS port is what we ask for
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class Silent(socketserver.ThreadingTCPServer):
    """Takes connections and says nothing."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), socketserver.StreamRequestHandler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, client_address):
        with contextlib.suppress(OSError):
            while request.recv(1000):
                pass


class World:
    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="vigie-doctor-test-"))
        self.port = {r: peers.free_port() for r in ROLES}
        self.mail, self.hook, self.silent = sinks.MailSink(), sinks.HookSink(), Silent()
        self.mail.handle_error = lambda *_: None  # a doctor that meant Kafka hangs up in the middle
        self.kafka, self.broken, self.vigie = peers.Kafka(folder=self.home / "kafka"), Broken(self.home / "broken"), None
        self.env = {**os.environ, "SLACK_WEBHOOK_URL": self.hook.url + "/" + SECRET, "SMTP_PASSWORD": SECRET, "LC_ALL": "C.UTF-8"}

    def write_files(self):
        """The document's folder with other ports and short intervals; its receivers are our sinks."""
        shutil.copytree(peers.ROOT / "monitoring", self.home / "good")
        prom = self.home / "good" / "prometheus.yml"
        text = prom.read_text()
        for role, standard in zip(ROLES, STANDARD):
            text = text.replace(f"localhost:{standard}", f"127.0.0.1:{self.port[role]}")
        prom.write_text(re.sub(r"(scrape_interval|evaluation_interval|scrape_timeout): \d+s", r"\1: 1s", text))
        am = self.home / "good" / "alertmanager.yml"
        text = am.read_text().replace("smtp.example.com:587", f"127.0.0.1:{self.mail.port}")
        am.write_text(re.sub(r"( +)auth_username: .*\n +auth_password: .*\n", r"\1require_tls: false\n", text))

    def flags(self):
        flags = [f"--{r}.web.listen-address=127.0.0.1:{self.port[r]}" for r in ROLES[:4]]
        return flags + ["--grafana.http-port", str(self.port["grafana"]), "--grafana.http-addr=127.0.0.1", "--alertmanager.cluster.listen-address="]

    def start(self):
        self.vigie = peers.Process([VIGIE, "run", self.home / "good", "--data", self.home / "data", "--kafka", self.kafka.bootstrap,
                                    "--jmx", f"127.0.0.1:{self.kafka.jmx[0]}", *self.flags()], self.home / "vigie.log", env=self.env)
        wait_for(lambda: self.names() >= {"kafka_consumergroup_lag", "kafka_server_replicamanager_underreplicatedpartitions"}, 60, "metrics of both exporters")
        wait_for(lambda: {t["health"] for t in self.api("/api/v1/targets")["activeTargets"]} == {"up"}, 60, "every target to be up")

    def api(self, path):
        if not self.vigie.alive():
            raise RuntimeError(f"vigie run ended: {self.vigie.text()[-2000:]}")
        return json.loads(peers.http(f"http://127.0.0.1:{self.port['prometheus']}{path}")[2])["data"]

    def names(self):
        return set(self.api("/api/v1/label/__name__/values"))

    def doctor(self, folder, *flags, kafka=None, jmx=None, env=None, text=False):
        """(exit code, JSON or text)"""
        argv = [VIGIE, "doctor", folder, "--data", self.home / "data", "--kafka", kafka or self.kafka.bootstrap, "--jmx",
                jmx or f"127.0.0.1:{self.kafka.jmx[0]}", *self.flags(), *flags, *([] if text else ["--json"])]
        run = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, env={**self.env, **(env or {})}, check=False)
        assert SECRET not in run.stdout + run.stderr, "a secret in the output"
        assert not run.stderr, run.stderr
        return run.returncode, run.stdout if text else json.loads(run.stdout)

    def __enter__(self):
        try:
            for k in (self.kafka, self.broken):
                k.format()
                k.start(0)
            for k in (self.kafka, self.broken):
                k.ready(0)
            wait_for(self.kafka.complete, 60, "the broker in its cluster")
            self.kafka.topic("orders", 3)
            self.kafka.produce("orders", 500)
            self.kafka.consume("orders", "billing", 400)
            self.write_files()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.vigie:
            self.vigie.stop()
        for k in (self.kafka, self.broken):
            k.__exit__()
        shutil.rmtree(self.home, ignore_errors=True)


def found(report, finding, cause=None):
    """The one finding of that name, or an error that shows what there is instead."""
    hits = [f for f in report["findings"] if f["id"] == finding and cause in (None, f["cause_id"])]
    assert len(hits) == 1, f"{finding} {cause}: {len(hits)} of {[(f['id'], f['cause_id'], f['title']) for f in report['findings']]}"
    return hits[0]


def a_healthy_cluster_is_well(w):
    code, report = w.doctor(w.home / "good")
    assert code == 0 and report["exit_code"] == 0 and report["severity"] == "ok", report["findings"]
    assert report["findings"] == [], report["findings"]
    assert [c["severity"] for c in report["checks"]] == ["ok"] * 10 and all(c["examined"] for c in report["checks"]), report["checks"]
    assert {r["state"] for r in report["roles"]} == {"up"} and all(r["memory_bytes"] > 0 for r in report["roles"] if r["name"] != "jmx-exporter"), report["roles"]
    assert not w.mail.mails and not w.hook.bodies, "the doctor sent something"
    code, text = w.doctor(w.home / "good", "--lang", "fr", text=True)
    assert code == 0 and "10 vérifications\u00a0: 0 en erreur, 0 à surveiller, 10 réussies." in text, text
    code, text = w.doctor(w.home / "good", text=True)
    assert "Kafka answers on" in text and "1 broker, " in text and "5 of 5" in text, text


def faults_of_brokers(w):
    b = w.broken
    refused = peers.free_port()
    addresses = [f"127.0.0.1:{p}" for p in (b.ports[0], b.wrong, b.secure, b.login, refused, w.silent.port, w.mail.port)] + ["nowhere.invalid:9092"]
    code, report = w.doctor(w.home / "good", "--timeout=50s", kafka=",".join(addresses), jmx=f"127.0.0.1:{b.jmx[0]}")
    assert code == 2 and report["severity"] == "error"
    f = found(report, "acl-cluster")
    assert "User:ANONYMOUS" in f["cause"] and "--add --allow-principal User:ANONYMOUS --operation Describe --cluster" in f["fix"], f
    # Two listeners of the cluster are asked; the first to answer is named.
    assert any(f"kafka-acls.sh --bootstrap-server 127.0.0.1:{p} " in f["fix"] for p in (b.ports[0], b.wrong)), f
    f = found(report, "listener-unreached", "refused")
    assert f["severity"] == "error" and f["check"] == 3 and f"127.0.0.1:{b.closed}" in f["title"] and f"advertised.listeners=PLAINTEXT://ADDRESS-KNOWN-HERE:{b.closed}" in f["fix"], f
    assert f"127.0.0.1:{b.secure} wants TLS" in found(report, "kafka-tls")["title"]
    assert "PLAIN" in found(report, "kafka-sasl")["cause"]
    assert f"127.0.0.1:{refused}" in found(report, "kafka-unreached", "refused")["title"]
    assert "nowhere.invalid" in found(report, "kafka-unreached", "name-unknown")["cause"]
    mute = [f for f in report["findings"] if f["id"] == "kafka-mute"]
    assert {x for f in mute for x in (w.silent.port, w.mail.port) if str(x) in f["title"]} >= {w.silent.port}, mute
    f = found(report, "jmx-stub")
    assert f["severity"] == "warning" and "nowhere.invalid" in f["title"] and "java.rmi.server.hostname=127.0.0.1" in f["fix"], f
    assert not [f for f in report["findings"] if f["id"] == "not-finished"], "a step without a deadline"
    _, report = w.doctor(w.home / "good", "--timeout=1s", kafka=f"127.0.0.1:{w.silent.port}")
    f = found(report, "not-finished")
    assert f["severity"] == "warning" and str(w.silent.port) in f["title"] and "--timeout" in f["fix"], f


def faults_of_files(w):
    """Everything that the folder can have wrong, in one run."""
    bad = w.home / "bad"
    shutil.copytree(w.home / "good", bad)
    port, tls_port = serve(), serve(tls=w.home / "broken")
    prom = (bad / "prometheus.yml").read_text()
    for job, scheme, path, at in (("health", "http", "/health", port), ("people", "http", "/page", port), ("late", "http", "/late", port), ("gone", "http", "/gone", port),
                                  ("plain", "https", "/metrics", port), ("tls", "http", "/metrics", tls_port), ("cert", "https", "/metrics", tls_port),
                                  ("mute", "http", "/metrics", w.silent.port), ("name", "http", "/metrics", "x")):
        target = "nowhere.invalid:80" if at == "x" else f"127.0.0.1:{at}"
        prom += f"  - job_name: {job}\n    scheme: {scheme}\n    metrics_path: {path}\n    static_configs:\n      - targets: ['{target}']\n"
    (bad / "prometheus.yml").write_text(prom)
    (bad / "rules" / "mine.yaml").write_text("groups:\n- name: mine\n  rules:\n"
                                             "  - alert: Misspelt\n    expr: kafka_server_replicamanager_underreplicatdpartitions > 0\n"
                                             "  - alert: WrongJob\n    expr: up{job=\"kafka-exportr\"} == 0\n"
                                             "  - alert: Either\n    expr: no_such_metric > 1 or up == 0\n"
                                             "  - alert: Absent\n    expr: absent(no_such_metric)\n")
    (bad / "rules" / "torn.yaml").write_text("groups:\n- name: torn\n  rules:\n  - alert: X\n    expr: up ==\n")
    board = {"title": "Mine", "uid": "mine", "panels": [
        {"id": 1, "type": "timeseries", "title": "Wrong label", "targets": [{"expr": 'sum(kafka_consumergroup_lag{consumergroup="biling"})'}]},
        {"id": 2, "type": "timeseries", "title": "No such label", "targets": [{"expr": 'up{datacentre="north"}'}]},
        {"id": 3, "type": "timeseries", "title": "Torn", "targets": [{"expr": "sum(up"}]},
        {"id": 4, "type": "timeseries", "title": "With variables", "targets": [{"expr": 'rate(kafka_topic_partition_current_offset{topic=~"$topic"}[$__rate_interval])'}]}]}
    (bad / "grafana" / "dashboards" / "mine.json").write_text(json.dumps(board, indent=1))
    source = bad / "grafana" / "provisioning" / "datasources" / "datasources.yml"
    source.write_text(source.read_text() + f"\n  - name: Elsewhere\n    type: prometheus\n    url: http://user:{SECRET}@127.0.0.1:{peers.free_port()}\n")
    down = peers.free_port()
    am = f"route:\n  receiver: people\nreceivers:\n- name: people\n  email_configs:\n  - to: a@example.com\n    from: b@example.com\n    smarthost: 127.0.0.1:{w.mail.port}\n"
    am += f"  - to: a@example.com\n    from: b@example.com\n    smarthost: 127.0.0.1:{down}\n"
    am += f"  - to: a@example.com\n    from: b@example.com\n    smarthost: 127.0.0.1:{w.mail.port}\n    require_tls: false\n    auth_username: u\n    auth_password: {SECRET}\n"
    am += f"  webhook_configs:\n  - url: https://hooks.invalid/{SECRET}\n  - url: https://127.0.0.1:{port}/{SECRET}\n  - url: https://127.0.0.1:{tls_port}/{SECRET}\n"
    am += "  slack_configs:\n  - api_url: https://hooks.slack.com/${NOT_SET_ANYWHERE}\n    channel: x\n"
    (bad / "alertmanager.yml").write_text(am)
    (bad / "kafka-jmx-config.yml").write_text("rules:\n- pattern: 'kafka<'\n  name: a\n   type: GAUGE\n")

    code, report = w.doctor(bad, "--disk-limit=1", "--timeout=50s")
    assert code == 2
    ids = {}
    for f in report["findings"]:
        ids.setdefault(f["id"], []).append(f)
    # targets
    f = found(report, "target-json", "target-json-why")
    assert f["severity"] == "error" and "job health" in f["title"] and "application/json" in f["cause"] and "metrics_path: /metrics" in f["fix"] and '{"status":"UP"}' in f["evidence"], f
    assert "job people" in found(report, "target-json", "target-html-why")["title"]
    assert "404" in found(report, "target-status")["title"] and "metrics_path: /metrics" in found(report, "target-status")["fix"]
    assert "job plain" in found(report, "target-no-tls")["title"] and "scheme: http" in found(report, "target-no-tls")["fix"]
    assert "job tls" in found(report, "target-wants-tls")["title"] and "scheme: https" in found(report, "target-wants-tls")["fix"]
    assert "job cert" in found(report, "target-cert")["title"]
    assert "job mute" in found(report, "target-mute")["title"]
    assert "job name" in found(report, "target-unreached", "name-unknown")["title"]
    # rules
    dead = {f["title"]: f for f in ids["rule-dead"]}
    assert set(dead) == {"The rule Misspelt can never fire", "The rule WrongJob can never fire"}, dead.keys()
    f = dead["The rule Misspelt can never fire"]
    assert f["severity"] == "warning" and f["cause_id"] == "metric-near" and f["fix"] == (
        f"sed -i 's/kafka_server_replicamanager_underreplicatdpartitions/kafka_server_replicamanager_underreplicatedpartitions/' {bad}/rules/mine.yaml"), f
    assert f["evidence"][0].startswith(f"{bad}/rules/mine.yaml:5:11  "), f
    assert dead["The rule WrongJob can never fire"]["cause_id"] == "label-near"
    # panels
    empty = {f["title"]: f for f in ids["panel-empty"]}
    assert set(empty) == {"The panel “Wrong label” shows nothing", "The panel “No such label” shows nothing"}, empty.keys()
    f = empty["The panel “Wrong label” shows nothing"]
    assert f["cause_id"] == "label-near" and 'consumergroup="biling"' in f["cause"] and "billing" in f["cause"], f
    assert empty["The panel “No such label” shows nothing"]["cause_id"] == "label-absent"
    assert "Torn" in found(report, "panel-bad")["title"] and found(report, "panel-bad")["severity"] == "error"
    assert "Elsewhere" in found(report, "source-unreached", "refused")["title"]
    # receivers
    f = found(report, "mail-no-starttls")
    assert f["severity"] == "error" and str(w.mail.port) in f["title"] and "require_tls" in f["cause"], f
    assert str(down) in found(report, "mail-unreached", "refused")["title"]
    assert "AUTH" in found(report, "mail-no-auth")["cause"]
    assert "hooks.invalid" in found(report, "hook-unreached", "name-unknown")["title"]
    assert str(port) in found(report, "hook-no-tls")["title"] and str(tls_port) in found(report, "hook-cert")["title"]
    f = found(report, "receiver-unset")
    assert f["severity"] == "warning" and "NOT_SET_ANYWHERE is not set" in f["title"], f
    # files, disk, clock
    bad_files = {pathlib.Path(f["file"]).name: f for f in ids["file-bad"]}
    assert set(bad_files) == {"torn.yaml", "kafka-jmx-config.yml"}, bad_files
    assert "Line 4, column" in bad_files["kafka-jmx-config.yml"]["cause"], bad_files["kafka-jmx-config.yml"]
    assert [x["errors"] for x in report["files"] if x["path"].endswith("torn.yaml")] == [1]
    assert "full" in found(report, "disk")["title"]
    f = found(report, "clock")
    assert f["severity"] == "error" and re.search(r"\b(3599|3600|3601) s apart", f["title"]), f
    assert not w.mail.mails and not w.hook.bodies, "the doctor sent something"

    # The same in French, for people: worst first, one sentence each.
    code, text = w.doctor(bad, "--lang=fr", text=True)
    assert code == 2
    for words in ("en erreur", "1 à surveiller", "La règle Misspelt ne peut jamais se déclencher", "n’est pas une page de métriques", "n’offre pas STARTTLS",
                  "Le panneau «\u202fWrong label\u202f» ne montre rien", "pour réparer\u00a0:", " s d’écart"):
        assert words in text, f"{words!r} is not in\n{text}"
    assert text.index("Erreur") < text.index("Attention") < text.index("Bon")


def faults_of_roles(w):
    """Nobody at home, one role missing, a port that is somebody else's."""
    spare = [peers.free_port() for _ in ROLES]
    nobody = [f"--{r}.web.listen-address=127.0.0.1:{p}" for r, p in zip(ROLES[:4], spare)] + [f"--grafana.http-port={spare[4]}"]
    code, report = w.doctor(w.home / "good", *nobody)
    f = found(report, "roles-none")
    assert f["severity"] == "warning" and "vigie run" in f["fix"]
    assert not {c["id"] for c in report["checks"] if c["examined"]} & {"rules"}, "praised without having looked"
    code, report = w.doctor(w.home / "good", nobody[3])
    assert code == 2 and "alertmanager" in found(report, "role-down")["title"]
    code, report = w.doctor(w.home / "good", f"--alertmanager.web.listen-address=127.0.0.1:{serve()}")
    assert "alertmanager" in found(report, "port-taken")["title"]


def the_page_shows_the_same(w):
    grafana = f"http://127.0.0.1:{w.port['grafana']}"
    assert peers.http(grafana + "/api/vigie/doctor")[0] == 401
    login = json.dumps({"user": "admin", "password": "admin"}).encode()
    token = re.search(r"grafana_session=(\w+)", peers.http(grafana + "/login", method="POST", body=login, headers={"Content-Type": "application/json"})[1]["Set-Cookie"])[1]
    cookie = {"Cookie": f"grafana_session={token}"}
    # Everybody who asks at once gets one answer.
    answers = []
    ask = [threading.Thread(target=lambda: answers.append(peers.http(grafana + "/api/vigie/doctor?lang=fr&fresh=1", timeout=40, headers=cookie))) for _ in range(4)]
    for a in ask:
        a.start()
    for a in ask:
        a.join()
    assert [a[0] for a in answers] == [200] * 4, answers
    reports = [json.loads(a[2]) for a in answers]
    assert len({r["at_ms"] for r in reports}) == 1 and reports[0]["lang"] == "fr" and reports[0]["findings"] == [], reports[0]
    (w.home / "good" / "rules" / "mine.yaml").write_text("groups:\n- name: mine\n  rules:\n  - alert: Misspelt\n    expr: kafka_broker > 0\n")
    with browser.Browser() as b:
        b.cookie(grafana, "grafana_session", token)
        for lang, title, again in (("en", "The rule Misspelt can never fire", "Check again"), ("fr", "La règle Misspelt ne peut jamais se déclencher", "Tout revérifier")):
            b.open(f"{grafana}/doctor?lang={lang}")
            b.wait("document.querySelectorAll('.ck').length >= 10", 40, "ten checks")
            b.js(f"[...document.querySelectorAll('.sum .btn')].find((x) => x.innerText === {json.dumps(again)}).click()")
            b.wait(f"[...document.querySelectorAll('.ck.w h3')].some((h) => h.innerText === {json.dumps(title)})", 40, title)
            assert "sed -i 's/kafka_broker/kafka_brokers/'" in b.js("document.querySelector('.ck.w .cmd code').innerText")
            shot(b, f"doctor-{lang}")
        b.open(f"{grafana}/doctor?lang=en", width=390, height=844, mobile=True)
        b.wait("document.querySelectorAll('.ck.w').length === 1", 40, "the finding on a phone")
        assert b.js("document.documentElement.scrollWidth") <= 390, "the page scrolls sideways"
        shot(b, "doctor-phone")
        assert not b.errors, b.errors[:3]


def shot(b, name):
    if os.environ.get("VIGIE_SHOTS"):
        b.screenshot(pathlib.Path(os.environ["VIGIE_SHOTS"]) / f"{name}.png")


def bad_command_lines(w):
    for flags in (["--lang=de"], ["--disk-limit=0"], ["--nonsense"], ["/no/such/folder"], [__file__], ["a", "b"]):
        run = subprocess.run([VIGIE, "doctor", *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        assert run.returncode == 3 and run.stderr and not run.stdout, (flags, run)
    assert "Exit code" in subprocess.run([VIGIE, "doctor", "--help"], stdout=subprocess.PIPE, text=True, timeout=30, check=True).stdout


TESTS = [a_healthy_cluster_is_well, faults_of_brokers, faults_of_files, faults_of_roles, the_page_shows_the_same, bad_command_lines]

if __name__ == "__main__":
    peers.need("openssl", "apt-get install openssl")
    with World() as world:
        for test in TESTS:
            begin = time.monotonic()
            test(world)
            print(f"ok {test.__name__} ({time.monotonic() - begin:.1f} s)", flush=True)
