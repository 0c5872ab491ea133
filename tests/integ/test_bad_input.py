# SPDX-License-Identifier: Apache-2.0
"""What the world gets wrong: configuration files, ports that are not what they seem, pages, requests, full disks.

Everywhere the same is asked: clear words with a place, nothing lost, nobody else delayed, and the process lives.
usage: test_bad_input.py VIGIE
"""
import contextlib
import gzip
import http.server
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

import peers

VIGIE = sys.argv[1]
WORK = pathlib.Path(tempfile.mkdtemp(prefix="vigie-bad-"))
MONITORING = peers.ROOT / "monitoring"

# --- configuration files: (name of the case, file, text, what the one sentence must hold) ---

PROMETHEUS = [
    ("wrong key", "prometheus.yml", "global:\n  scrape_intervall: 15s\n",
     'prometheus.yml"): 2:3: field scrape_intervall not found in type config.plain; did you mean "scrape_interval"?'),
    ("unlike any key", "prometheus.yml", "scrape_configs:\n- job_name: a\n  hostnames: [b]\n", '3:3: field hostnames not found in type config.plain; expected one of job_name'),
    ("wrong type", "prometheus.yml", "global:\n  scrape_interval: [a]\n", "2:20: cannot unmarshal !!seq into string; expected a text"),
    ("wrong unit", "prometheus.yml", "global:\n  scrape_interval: 15q\n", '2:20: unknown unit "q" in duration "15q"'),
    ("tab", "prometheus.yml", "global:\n\tscrape_interval: 15s\n", "2:1: found character that cannot start any token; indent with spaces, not tabs"),
    ("bad nesting", "prometheus.yml", "global:\n  scrape_interval: 15s\n evaluation_interval: 15s\n", "3:2: did not find expected key while parsing a block mapping that began at 1:1"),
    ("unknown escape", "prometheus.yml", 'global:\n  external_labels:\n    a: "b\\d"\n', "3:10: found unknown escape character while parsing a quoted scalar that began at 3:8; expected one of"),
    ("rules: wrong key", "rules/a.yaml", "groups:\n- name: g\n  rules:\n  - alert: A\n    exprr: up\n", 'rules/a.yaml: 5:5: field exprr not found in type rulefmt.Rule; did you mean "expr"?'),
    ("rules: wrong type", "rules/a.yaml", "groups: 5\n", "rules/a.yaml: 1:9: cannot unmarshal !!int `5` into []rulefmt.RuleGroup; expected a list"),
    ("rules: tab", "rules/a.yaml", "groups:\n\t- name: g\n", "rules/a.yaml: 2:1: found character that cannot start any token; indent with spaces, not tabs"),
    ("rules: expression", "rules/a.yaml", "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up ===\n", "rules/a.yaml: 5:11: "),
    ("rules: unknown escape", "rules/a.yaml", 'groups:\n- name: g\n  rules:\n  - alert: A\n    expr: "up\\d"\n', "rules/a.yaml: 5:14: found unknown escape character"),
]
ALERTMANAGER = [
    ("wrong key", "alertmanager.yml", "route:\n  reciever: a\nreceivers: [{name: a}]\n", 'alertmanager.yml:2:3: field reciever not found in type config.plain; did you mean "receiver"?'),
    ("wrong type", "alertmanager.yml", "route:\n  receiver: a\n  group_by: b\nreceivers: [{name: a}]\n", "alertmanager.yml:3:13: cannot unmarshal !!str `b` into []string; expected a list of texts"),
    ("no such receiver", "alertmanager.yml", "route:\n  receiver: b\nreceivers: [{name: a}]\n", 'alertmanager.yml:2:3: undefined receiver "b" used in route'),
    ("tab", "alertmanager.yml", "route:\n\treceiver: a\n", "alertmanager.yml:2:1: found character that cannot start any token; indent with spaces, not tabs"),
    ("bad nesting", "alertmanager.yml", "route:\n  receiver: a\n   group_wait: 10s\n", "alertmanager.yml:3:14: mapping values are not allowed in this context; check the indentation"),
    ("unknown escape", "alertmanager.yml", 'route:\n  receiver: "a\\d"\n', "alertmanager.yml:2:15: found unknown escape character"),
]
JMX = [
    ("wrong type", "kafka-jmx-config.yml", "hostPort: a:1\nrules: b\n", "kafka-jmx-config.yml:2:8: cannot unmarshal !!str `b` into []a rule; expected a list"),
    ("pattern", "kafka-jmx-config.yml", "hostPort: a:1\nrules:\n- pattern: '('\n", 'kafka-jmx-config.yml:3:12: pattern "("'),
    ("object name", "kafka-jmx-config.yml", "hostPort: a:1\nincludeObjectNames: [b]\n", 'kafka-jmx-config.yml:2:22: expected domain:key=value, got "b"'),
    ("tab", "kafka-jmx-config.yml", "hostPort: a:1\n\trules: []\n", "kafka-jmx-config.yml:2:1: found a tab character that violates indentation"),
    ("bad nesting", "kafka-jmx-config.yml", "rules:\n- pattern: a\n   name: b\n", "kafka-jmx-config.yml:3:8: mapping values are not allowed in this context"),
    ("nothing to read", "kafka-jmx-config.yml", "rules: []\n", "no JMX server to read: set hostPort in the configuration file, or give --jmx HOST:PORT"),
]
SOURCE = "apiVersion: 1\ndatasources:\n- name: P\n  type: prometheus\n"
PROVIDER = "apiVersion: 1\nproviders:\n- name: x\n"
GRAFANA = [
    ("wrong type", "datasources/d.yml", SOURCE + "  isDefault: banana\n", "datasources/d.yml:5:14: cannot unmarshal !!str `banana` into bool; expected true or false"),
    ("no list", "datasources/d.yml", "datasources: 5\n", "datasources/d.yml:1:14: cannot unmarshal !!int `5` into []map; expected a list"),
    ("no type", "datasources/d.yml", "datasources:\n- name: P\n", 'datasources/d.yml:2:3: data source "P" needs a type'),
    ("tab", "datasources/d.yml", "datasources:\n\t- name: P\n", "datasources/d.yml:2:1: found character that cannot start any token; indent with spaces, not tabs"),
    ("unknown escape", "datasources/d.yml", 'datasources:\n- name: "P\\d"\n', "datasources/d.yml:2:11: found unknown escape character"),
    ("provider: wrong type", "dashboards/p.yml", PROVIDER + "  updateIntervalSeconds: soon\n", "dashboards/p.yml:4:26: cannot unmarshal !!str `soon` into int; expected a whole number"),
    ("provider: no path", "dashboards/p.yml", PROVIDER, "dashboards/p.yml:3:3: a dashboard provider needs options.path"),
    ("provider: bad nesting", "dashboards/p.yml", PROVIDER + "   type: file\n", "dashboards/p.yml:4:8: mapping values are not allowed in this context"),
]
DASHBOARDS = [
    ("no JSON", '{"title": "x",\n  "panels": [}\n', "2:14: unexpected character"),
    ("wrong type", '{"title": "x",\n "panels": 5}\n', "2:12: panels must be a list"),
    ("in a panel", '{"title": "x",\n "panels": [{"type": "stat"},\n  {"type": 7}]}\n', "3:12: a panel's type must be a text"),
    ("no title", '{"titel": "x"}', "Dashboard title cannot be empty"),
    ("unknown escape", '{"title": "x\\d"}', "1:14: invalid string sequence"),
]


def folder(name, files):
    home = pathlib.Path(tempfile.mkdtemp(prefix=name + "-", dir=WORK))
    for path, text in files.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text)
    return home


def refused(role, flags, code, words):
    """The role ends by itself with this code and one line that holds the words."""
    run = subprocess.run([VIGIE, role, *flags], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20, check=False)
    said = [line for line in run.stdout.splitlines() if "level=INFO" not in line]
    assert run.returncode == code, f"exit code {run.returncode}, wanted {code}: {run.stdout}"
    assert len(said) == 1, f"wanted one sentence: {run.stdout}"
    plain = said[0].replace('\\"', '"').replace("\\\\", "\\")
    assert words in plain, f"wanted {words!r} in {plain}"


def cases(role, rows, flags, code=1, around=None):
    for name, file, text, words in rows:
        home = folder(role, {**(around or {}), file: text})
        try:
            refused(role, flags(home), code, words)
        except AssertionError as e:
            raise AssertionError(f"{role}, {name}: {e}") from e


def test_prometheus_files():
    cases("prometheus", PROMETHEUS[:7], prometheus_flags, 2)
    # As the original: a rule file is read by the first loading, after the configuration was good.
    cases("prometheus", PROMETHEUS[7:], prometheus_flags, 2, {"prometheus.yml": "rule_files: [rules/*.yaml]\n"})
    refused("prometheus", ["--config.file=/nowhere.yml"], 2, "open /nowhere.yml: no such file or directory")
    refused("prometheus", ["--no.such.flag"], 2, "no.such.flag")


def prometheus_flags(home):
    return [f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/data", "--web.listen-address=127.0.0.1:0"]


def test_alertmanager_files():
    cases("alertmanager", ALERTMANAGER, alertmanager_flags)


def alertmanager_flags(home):
    return [f"--config.file={home}/alertmanager.yml", f"--storage.path={home}/data", "--web.listen-address=127.0.0.1:0"]


def test_jmx_files():
    cases("jmx-exporter", JMX, lambda home: [f"--config.file={home}/kafka-jmx-config.yml", "--web.listen-address=127.0.0.1:0"])


def test_jmx_is_lenient():
    """As SnakeYAML: an unknown key and an unknown escape pass; the escape is told with its place."""
    home = folder("lenient", {"j.yml": 'hostPort: 127.0.0.1:1\nnoSuchKey: 1\nrules:\n- pattern: "a\\d"\n'})
    with peers.Vigie(VIGIE, "jmx-exporter", peers.free_port(), f"--config.file={home}/j.yml", log=home / "log") as v:
        assert v.get("/metrics")[0] == 503
        assert 'line=4 col=14 about="unknown escape \\\\d in double quotes, kept as written"' in v.text(), v.text()


def grafana_flags(home, port=0):
    return ["--http-addr=127.0.0.1", f"--http-port={port}", f"--paths.data={home}/data", f"--paths.provisioning={home}"]


def test_grafana_files():
    cases("grafana", GRAFANA, grafana_flags)


def grafana(home):
    port = peers.free_port()
    return peers.Vigie(VIGIE, "grafana", port, *grafana_flags(home, port)[1:], log=home / "log", listen="--http-addr=127.0.0.1")


def test_grafana_dashboards():
    """A bad file is told with its place and stops nothing; unknown keys of provisioning are told as well."""
    home = folder("grafana", {"datasources/d.yml": SOURCE + "  basicauth: true\n", "dashboards/p.yml": PROVIDER + "  options: {path: " + str(WORK / "boards") + "}\n"})
    boards = WORK / "boards"
    boards.mkdir()
    shutil.copy(MONITORING / "grafana" / "dashboards" / "kafka-monitoring.json", boards)
    for name, text, _ in DASHBOARDS:
        (boards / f"{name}.json").write_text(text)
    with grafana(home) as v:
        said = v.text().replace('\\"', '"')
        assert "5:3: key basicauth is not known and ignored; expected one of name, type" in said, said
        for name, _, words in DASHBOARDS:
            assert any(f"/{name}.json" in line and words in line for line in said.splitlines()), f"{name}: wanted {words!r} in {said}"
        assert v.get("/api/health")[0] == 200


# --- ports that are not what they seem: what they send after the first bytes, and whether they hang up then ---

PORTS = {
    "http": (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", True),
    "tls": (b"\x15\x03\x03\x00\x02\x02\x16", True),
    "silent": (b"", False),
    "half": (struct.pack(">i", 500) + b"abcdef", True),
    "garbage": (bytes(range(255, 0, -1)) * 50, False),
    "huge": (b"\x7f\xff\xff\xff" + b"a" * 100, False),
}
KAFKA_WORDS = {
    "http": "speaks HTTP, not Kafka's protocol", "tls": "speaks TLS, not Kafka's protocol",
    "silent": "no answer to ApiVersions within", "half": "closed the connection in the middle of its answer to ApiVersions",
    "garbage": "its answer to ApiVersions is not Kafka's protocol", "huge": "would be larger than the limit of 268435456 bytes",
}
JMX_WORDS = {"http": "this port speaks HTTP, not RMI", "tls": "this port speaks TLS", "silent": "no answer within", "garbage": "this is no RMI port"}


@contextlib.contextmanager
def bad_ports():
    """{name: port} of listeners that behave as PORTS says."""
    held, listeners = [], []

    def serve(listener, answer, hang_up):
        while True:
            try:
                c = listener.accept()[0]
            except OSError:
                return
            held.append(c)
            threading.Thread(target=converse, args=(c, answer, hang_up), daemon=True).start()

    def converse(c, answer, hang_up):
        with contextlib.suppress(OSError):
            c.recv(100)
            c.sendall(answer)
            if hang_up:
                c.close()

    ports = {}
    for name, (answer, hang_up) in PORTS.items():
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        ports[name] = listener.getsockname()[1]
        threading.Thread(target=serve, args=(listener, answer, hang_up), daemon=True).start()
    try:
        yield ports
    finally:
        for s in listeners + held:
            s.close()


def test_kafka_ports():
    """One exporter a port, all at once; each says what it met, in its log and in the body of its 503."""
    with contextlib.ExitStack() as stack:
        ports = stack.enter_context(bad_ports())
        exporters = {name: stack.enter_context(peers.Vigie(VIGIE, "kafka-exporter", peers.free_port(), f"--kafka.server=127.0.0.1:{port}")) for name, port in ports.items()}
        for name, v in exporters.items():
            peers.wait_for(lambda v=v, name=name: KAFKA_WORDS[name] in v.text(), 20, f"words for a port that is {name}: {v.text()}")
            status, _, body = v.get("/metrics")
            assert status == 503 and KAFKA_WORDS[name] in body, f"{name}: {status} {body[-300:]}"
            assert v.text().count(KAFKA_WORDS[name]) == 1, v.text()


def test_jmx_ports():
    with bad_ports() as ports:
        flags = [f"--jmx=127.0.0.1:{port}" for port in ports.values()] + ["--scrape.timeout=2s"]
        with peers.Vigie(VIGIE, "jmx-exporter", peers.free_port(), *flags) as v:
            peers.wait_for(lambda: all(w in v.text() for w in JMX_WORDS.values()), 20, f"words for every port: {v.text()}")
            assert v.get("/metrics", timeout=30)[0] == 503


# --- targets ---

class Target(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gone = threading.Event()

    def give(self, body, kind="text/plain", length=None, packed=False):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length or len(body)))
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.close_connection = True
        page = self.path.strip("/")
        with contextlib.suppress(OSError):
            if page == "endless":
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.end_headers()
                while not self.gone.is_set():
                    self.wfile.write(b"endless 1\n" * 10000)
            elif page == "slow":
                self.gone.wait(5)
            else:
                self.give(*PAGES[page])

    def log_message(self, *_):
        pass


PAGES = {
    "good": (b"good 1\n",),
    "html": (b"<html></html>", "text/html"),
    "json": (b"{}", "application/json"),
    "half": (b"half_a 1\nhalf_b", "text/plain", 500),
    "packed": (b"\x1f\x8bgarbage", "text/plain", None, True),
    "torn": (gzip.compress(b"torn 1\n# " + os.urandom(200).hex().encode())[:-60], "text/plain", None, True),
    "line": (b"line_a 1\nline_b{x=} 2\nline_c 3\n",),
}
TARGET_WORDS = {
    "html": 'received unsupported Content-Type "text/html"', "json": 'received unsupported Content-Type "application/json"',
    "half": "unexpected EOF", "packed": "gzip: invalid data", "torn": "unexpected EOF",
    "line": "(line 2 of the page)", "endless": "body size limit exceeded", "slow": "context deadline exceeded",
    "closed": "connection refused",
}


def test_targets():
    """Each bad target is down with its words, nothing of it is kept, and the good one is up all the while."""
    world = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Target)
    world.daemon_threads = True
    threading.Thread(target=world.serve_forever, daemon=True).start()
    at = f"127.0.0.1:{world.server_address[1]}"
    jobs = [f"- {{job_name: {n}, metrics_path: /{n}, static_configs: [{{targets: ['{'127.0.0.1:1' if n == 'closed' else at}']}}]}}\n" for n in ["good", *TARGET_WORDS]]
    home = folder("targets", {"prometheus.yml": "global: {scrape_interval: 1s, scrape_timeout: 1s, body_size_limit: 4MB}\nscrape_configs:\n" + "".join(jobs)})
    port = peers.free_port()
    try:
        with peers.Vigie(VIGIE, "prometheus", port, *prometheus_flags(home)[:2], log=home / "log") as v:
            missing = dict(TARGET_WORDS)

            def told():
                for t in json.loads(v.get("/api/v1/targets")[2])["data"]["activeTargets"]:
                    job = t["labels"]["job"]
                    if job in missing and missing[job] in t["lastError"]:
                        del missing[job]
                return not missing
            try:
                peers.wait_for(told, 20, "words for every target")
            except TimeoutError as e:
                raise AssertionError(f"{missing} in {v.get('/api/v1/targets')[2]}") from e
            kept = json.loads(v.get("/api/v1/label/__name__/values")[2])["data"]
            assert "good" in kept and not set(kept) & {"half_a", "torn", "line_a", "line_c", "endless"}, kept
            up = json.loads(v.get("/api/v1/query?query=min_over_time(up%7Bjob=%22good%22%7D%5B1m%5D)")[2])["data"]["result"]
            assert up[0]["value"][1] == "1", up
            assert len(v.text().splitlines()) < 10, v.text()
    finally:
        Target.gone.set()
        world.shutdown()


# --- secrets, and how much is said ---

def test_secrets():
    secret = "sEcReT"
    text = ("global: {smtp_smarthost: '127.0.0.1:1', smtp_from: a@b, smtp_auth_username: u, smtp_auth_password: sEcReT}\n"
            "route: {receiver: a, group_wait: 10ms, group_interval: 1s}\nreceivers:\n- name: a\n  email_configs: [{to: x@y}]\n"
            "  slack_configs: [{channel: c, api_url: 'http://127.0.0.1:1/sEcReT'}]\n  webhook_configs: [{url: 'http://u:sEcReT@127.0.0.1:1/sEcReT'}]\n")
    home = folder("secrets", {"alertmanager.yml": text})
    with peers.Vigie(VIGIE, "alertmanager", peers.free_port(), *alertmanager_flags(home)[:2], log=home / "log") as v:
        body = json.dumps([{"labels": {"alertname": "x"}}]).encode()
        assert v.get("/api/v2/alerts", method="POST", body=body, headers={"Content-Type": "application/json"})[0] == 200
        peers.wait_for(lambda: v.text().count("notify attempt failed") >= 3, 20, f"three failures: {v.text()}")
        peers.wait_for(lambda: failures(v) >= 9, 40, "more failures")
        assert "<redacted>" in v.text() and v.text().count("notify attempt failed") < 8, v.text()
        for said in (v.text(), v.get("/api/v2/status")[2], v.get("/metrics")[2]):
            assert secret not in said, said


def failures(v):
    return sum(float(n) for s, n in peers.samples(v.get("/metrics")[2]).items() if s.startswith("alertmanager_notification_requests_failed_total"))


# --- a full disk ---

@contextlib.contextmanager
def small_disk(size):
    home = pathlib.Path(tempfile.mkdtemp(prefix="disk-", dir=WORK))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", home], check=True)
    try:
        yield home
    finally:
        subprocess.run(["umount", "-l", home], check=True)


def fill(home):
    with contextlib.suppress(OSError), open(home / "fill", "wb", buffering=0) as f:
        while f.write(b"x" * 1024):
            pass


def test_full_disk():
    """A silence is refused and does not silence; samples are lost with a word; both go on when there is space."""
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False, stderr=subprocess.DEVNULL).returncode:
        print("   a full disk needs the right to mount: left out", flush=True)
        return
    subprocess.run(["umount", "/mnt"], check=True)
    with small_disk("64k") as home:
        (home / "alertmanager.yml").write_text("route: {receiver: a}\nreceivers: [{name: a}]\n")
        with peers.Vigie(VIGIE, "alertmanager", peers.free_port(), *alertmanager_flags(home)[:2], log=WORK / "full-am.log") as v:
            silence = json.dumps({"matchers": [{"name": "a", "value": "b", "isRegex": False}], "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z",
                                  "createdBy": "me", "comment": "c" * 6000}).encode()
            post = lambda: v.get("/api/v2/silences", method="POST", body=silence, headers={"Content-Type": "application/json"})
            states = lambda: sorted(s["status"]["state"] for s in json.loads(v.get("/api/v2/silences")[2]))
            fill(home)
            status, _, body = post()
            assert status == 500 and "No space left on device" in body, body
            assert states() == ["expired"], states()
            (home / "fill").unlink()
            assert post()[0] == 200
            v.kill()
        with peers.Vigie(VIGIE, "alertmanager", peers.free_port(), *alertmanager_flags(home)[:2], log=WORK / "full-am.log") as v:
            assert states() == ["active", "expired"], states()
    with small_disk("400k") as home:
        port = peers.free_port()
        (home / "prometheus.yml").write_text(f"global: {{scrape_interval: 1s}}\nscrape_configs: [{{job_name: self, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]\n")
        with peers.Vigie(VIGIE, "prometheus", port, *prometheus_flags(home)[:2], log=WORK / "full-p.log") as v:
            peers.wait_for(lambda: '"health":"up"' in v.get("/api/v1/targets")[2], 20, "a good scrape")
            fill(home)
            peers.wait_for(lambda: "samples are lost until the disk takes them" in v.text(), 20, f"a word in the log: {v.text()}")
            assert v.get("/api/v1/query?query=up")[0] == 200
            (home / "fill").unlink()
            peers.wait_for(lambda: "samples are written again" in v.text().splitlines()[-1], 20, f"samples again: {v.text()}")


# --- ports that are taken ---

def test_ports_taken():
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
        home = folder("taken", {"prometheus.yml": "", "alertmanager.yml": "route: {receiver: a}\nreceivers: [{name: a}]\n"})
        words = f'listen tcp 127.0.0.1:{port}: bind: address already in use ("ss -ltnp sport = :{port}" shows by whom'
        listen = f"--web.listen-address=127.0.0.1:{port}"
        refused("prometheus", [*prometheus_flags(home)[:2], listen], 1, words)
        refused("alertmanager", [*alertmanager_flags(home)[:2], listen], 1, words)
        refused("kafka-exporter", ["--kafka.server=127.0.0.1:1", listen], 1, words)
        refused("jmx-exporter", ["--jmx=127.0.0.1:1", listen], 1, words)
        refused("grafana", grafana_flags(home, port), 1, words)


TESTS = [test_prometheus_files, test_alertmanager_files, test_jmx_files, test_jmx_is_lenient, test_grafana_files, test_grafana_dashboards,
         test_kafka_ports, test_jmx_ports, test_targets, test_secrets, test_full_disk, test_ports_taken]

if __name__ == "__main__":
    try:
        peers.run(*TESTS)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
