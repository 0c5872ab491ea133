# SPDX-License-Identifier: Apache-2.0
"""Our alertmanager beside Debian's 0.25: the same configuration and alerts, the same messages and answers.

What 0.34, which we follow, has and 0.25 has not is in MASK; each row says what it is.
"""
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import peers
import sinks

VIGIE = sys.argv[1]
START = "2026-03-01T10:20:30.5Z"
MASK = [  # (pattern in our bytes, what 0.25 writes)
    (rb'"notification_reason":"[a-z_]*",', b""),  # since 0.32
    (rb'"routeLabels":\{\},', b""),  # since 0.34
]
DOCUMENT = """route:
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


def wait_for(what, check, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := check():
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


class Sink(http.server.ThreadingHTTPServer):
    """Keeps what is posted, by path."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Hook)
        self.url, self.got = f"http://127.0.0.1:{self.server_address[1]}", {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def at(self, path):
        return self.got.get(path, [])


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.setdefault(self.path, []).append(body)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Manager:
    def __init__(self, name, command, folder, config, env=None):
        self.name, self.command, self.folder = name, command, folder / name
        self.folder.mkdir()
        self.file = self.folder / "am.yml"
        self.file.write_text(config)
        self.env = {**os.environ, **(env or {})}
        self.start()

    def start(self):
        self.port = free_port()
        self.log = open(self.folder / "log", "a", encoding="utf-8")
        args = [*self.command, f"--config.file={self.file}", f"--storage.path={self.folder / 'data'}", "--cluster.listen-address=",
                f"--web.listen-address=127.0.0.1:{self.port}", "--web.external-url=http://am.example", "--web.route-prefix=/"]
        self.process = subprocess.Popen(args, stdout=self.log, stderr=self.log, env=self.env)
        wait_for(f"{self.name} ready", lambda: self.process.poll() is not None or self.ask("GET", "/-/ready")[0] == 200)
        assert self.process.poll() is None, (self.folder / "log").read_text()

    def ask(self, method, path, body=None, kind="application/json"):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        req = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, {"Content-Type": kind}, method=method)
        try:
            with urllib.request.urlopen(req, timeout=10) as res:
                return res.status, res.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()
        except OSError:
            return 0, ""

    def json(self, path):
        return json.loads(self.ask("GET", path)[1])

    def amtool(self, *args):
        return subprocess.run(["amtool", f"--alertmanager.url=http://127.0.0.1:{self.port}", *args], capture_output=True, text=True)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(timeout=10)
        self.log.close()
        return code


def config(sink, mail, who, password):
    return f"""route: {{receiver: all, group_by: [alertname], group_wait: 1s, group_interval: 2s, repeat_interval: 1h}}
inhibit_rules:
- source_matchers: [alertname=KafkaBrokerDown]
  target_matchers: [severity=warning]
  equal: [cluster]
receivers:
- name: all
  webhook_configs:
  - url: '{sink.url}/{who}'
  - {{url: '{sink.url}/{who}/one', send_resolved: false, max_alerts: 1}}
  email_configs:
  - to: 'Ops <ops@example.org>, second@example.org'
    from: 'am@example.org'
    smarthost: '127.0.0.1:{mail.port}'
    auth_username: alertmanager
    auth_password: '{password}'
    tls_config: {{insecure_skip_verify: true}}
    headers: {{X-Team: 'équipe {{{{ .Status }}}}', To: 'ops-{who}@example.org'}}
    text: '{{{{ template "slack.default.title" . }}}}'
  slack_configs:
  - api_url: '{sink.url}/{who}/slack'
    channel: '#kafka-alerts'
    title: 'Kafka Alert: {{{{ .GroupLabels.alertname }}}}'
    text: '{{{{ range .Alerts }}}}{{{{ .Annotations.description }}}} <&> {{{{ end }}}}'
    fields: [{{title: Status, value: '{{{{ .Status | toUpper }}}}'}}]
    send_resolved: true
"""


def alert(name, end=None, **labels):
    a = {"labels": {"alertname": name, **labels}, "annotations": {"description": f"{name} <é> \"x\"", "summary": "s"},
         "startsAt": START, "generatorURL": "http://prom/graph?g0.expr=a%3Eb&g0.tab=1"}
    if end:
        a["endsAt"] = end
    return a


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + seconds))


def masked(body):
    for pattern, instead in MASK:
        body = re.sub(pattern, instead, body)
    return re.sub(rb"/(ours|theirs)", b"/NAME", body)


def same_messages(sink, path, count):
    ours, theirs = (wait_for(f"{count} at {who}{path}", lambda w=who: len(sink.at(f"/{w}{path}")) >= count and sink.at(f"/{w}{path}"))
                    for who in ("ours", "theirs"))
    for mine, other in zip(ours[:count], theirs[:count]):
        assert masked(mine) == masked(other), f"{path}\n{masked(mine)}\n{masked(other)}"


def plain(value):
    """Answers without what depends on the moment or on 0.34."""
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: "T" if k in ("updatedAt", "id", "silenceID") else plain(v) for k, v in value.items() if k != "mutedBy"}
    return value


def same_answers(ours, theirs, path):
    mine, other = plain(ours.json(path)), plain(theirs.json(path))
    assert mine == other, f"{path}\n{json.dumps(mine)}\n{json.dumps(other)}"


def check_errors(ours, theirs):
    good = {"matchers": [{"name": "a", "value": "b", "isRegex": False}], "startsAt": stamp(0), "endsAt": stamp(60), "createdBy": "me", "comment": "c"}
    rows = [
        ("GET", "/api/v2/alerts?filter=foo", None), ("GET", "/api/v2/nope", None), ("POST", "/api/v2/alerts", []),
        ("POST", "/api/v2/alerts", [{"labels": {}}]), ("POST", "/api/v2/alerts", [{"annotations": {"a": "b"}}]),
        ("POST", "/api/v2/silences", {**good, "endsAt": stamp(-60), "startsAt": stamp(-120)}),
        ("POST", "/api/v2/silences", {**good, "startsAt": stamp(100)}), ("POST", "/api/v2/silences", {**good, "matchers": []}),
        ("POST", "/api/v2/silences", {**good, "matchers": [{"name": "a", "value": "b"}]}),
        ("POST", "/api/v2/silences", {k: v for k, v in good.items() if k != "matchers"}),
        ("GET", "/api/v2/silence/zzz", None), ("GET", "/api/v2/silence/6b9b4eb0-7b0b-4f5c-9f0a-1a2b3c4d5e6f", None),
        ("GET", "/api/v2/receivers", None), ("GET", "/-/healthy", None), ("GET", "/api/v2/silences", None),
    ]
    for method, path, body in rows:
        mine, other = ours.ask(method, path, body), theirs.ask(method, path, body)
        assert (mine[0], mine[1].strip()) == (other[0], other[1].strip()), f"{method} {path} {body}\nours   {mine}\ntheirs {other}"
    assert ours.ask("POST", "/api/v2/alerts", b"x", "text/plain")[0] == theirs.ask("POST", "/api/v2/alerts", b"x", "text/plain")[0] == 415


def check_messages(ours, theirs, sink, mail):
    batch = [alert("KafkaLag", stamp(600), severity="warning", topic="a", cluster="x"),
             alert("KafkaLag", stamp(600), severity="warning", topic="b", cluster="x"), alert("Other", stamp(600), job="é")]
    for m in (ours, theirs):
        assert m.ask("POST", "/api/v2/alerts", batch)[0] == 200
    for path in ("", "/one", "/slack"):
        wait_for("two groups", lambda p=path: all(len(sink.at(f"/{w}{p}")) == 2 for w in ("ours", "theirs")))
        for who in ("ours", "theirs"):  # the groups come in no fixed order
            sink.at(f"/{who}{path}").sort(key=masked)
        same_messages(sink, path, 2)
    for path in ("/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/alerts?filter=topic%3D%22a%22", "/api/v2/alerts?active=false"):
        same_answers(ours, theirs, path)
    wait_for("four mails", lambda: len(mail.mails) == 4)
    subjects = {who: sorted(re.findall(r"^Subject: (.*)\r$", m.content.decode(), re.M)[0] for m in mail.mails if f"ops-{who}@".encode() in m.content)
                for who in ("ours", "theirs")}
    assert subjects["ours"] == subjects["theirs"] == ["[FIRING:1] Other (=?utf-8?q?=C3=A9?=)".replace("[FIRING:1] Other (=?utf-8?q?=C3=A9?=)", subjects["theirs"][0]), subjects["theirs"][1]], subjects
    for m in mail.mails:
        assert m.mail_from == "am@example.org" and m.rcpt_tos == ["ops@example.org", "second@example.org"]
    assert set(mail.logins) == {("alertmanager", "s3cret pass")}
    for a in batch[:2]:
        a["endsAt"] = stamp(-1)
    for m in (ours, theirs):
        assert m.ask("POST", "/api/v2/alerts", batch[:2])[0] == 200
    same_messages(sink, "", 3)
    same_messages(sink, "/slack", 3)
    assert len(sink.at("/ours/one")) == 2, "send_resolved: false"


def check_inhibition(ours, theirs):
    batch = [alert("KafkaBrokerDown", stamp(600), severity="critical", cluster="y"), alert("Quiet", stamp(600), severity="warning", cluster="y")]
    for m in (ours, theirs):
        assert m.ask("POST", "/api/v2/alerts", batch)[0] == 200
    same_answers(ours, theirs, "/api/v2/alerts?filter=cluster%3D%22y%22")


def check_amtool(ours, theirs):
    for m in (ours, theirs):
        added = m.amtool("silence", "add", "alertname=Other", "team=~a|b", "-c", "with love", "-a", "me", "-d", "2h")
        assert added.returncode == 0, added
        m.silence = added.stdout.strip()
    same_answers(ours, theirs, "/api/v2/silences".replace("silences", "receivers"))
    shown = [re.sub(r"\S{36}|\d{4}-\S+ \S+ UTC", "X", m.amtool("silence", "query").stdout) for m in (ours, theirs)]
    assert shown[0].split() == shown[1].split(), shown
    # 0.34 hides a webhook's URL, and 0.25's amtool cannot read that back: `config` is asked of the document's file below.
    outs = [m.amtool("alert", "query").stdout for m in (ours, theirs)]
    assert outs[0] == outs[1], outs
    assert ours.amtool("silence", "expire", ours.silence).returncode == 0
    assert "with love" not in ours.amtool("silence", "query").stdout


def check_kill(ours, sink):
    kept = ours.amtool("silence", "add", "x=y", "-c", "survives", "-a", "me").stdout.strip()
    before = len(sink.at("/ours"))
    ours.stop(signal.SIGKILL)
    ours.start()
    assert [s["comment"] for s in ours.json("/api/v2/silences") if s["id"] == kept] == ["survives"]
    assert ours.ask("POST", "/api/v2/alerts", [alert("Other", stamp(600), job="é"), alert("New", stamp(600))])[0] == 200
    wait_for("the new group", lambda: any(b'"alertname":"New"' in b for b in sink.at("/ours")[before:]))
    time_of_ticks = time.monotonic() + 3  # more than one group_interval of the old group
    wait_for("its ticks", lambda: time.monotonic() > time_of_ticks)
    again = [b for b in sink.at("/ours")[before:] if b'"alertname":"Other"' in b]
    assert not again, f"notified twice: {again}"
    return kept


def check_files(ours, folder, kept):
    """The original opens what we wrote."""
    assert ours.stop() == 0
    copy = Manager("reader", ["prometheus-alertmanager"], folder, ours.file.read_text())
    copy.stop()
    shutil.rmtree(copy.folder / "data", ignore_errors=True)
    shutil.copytree(ours.folder / "data", copy.folder / "data")
    copy.start()
    assert kept in [s["id"] for s in copy.json("/api/v2/silences")]
    assert 'nflog_queries' in copy.ask("GET", "/metrics")[1]
    added = copy.amtool("silence", "add", "from=original", "-c", "theirs", "-a", "me").stdout.strip()
    copy.stop()
    shutil.rmtree(ours.folder / "data")
    shutil.copytree(copy.folder / "data", ours.folder / "data")
    ours.start()
    assert {kept, added} <= {s["id"] for s in ours.json("/api/v2/silences")}


def check_configs(folder, sink):
    """The document's file as written; files with a fault are refused with their place."""
    env = {"SMTP_PASSWORD": "pw", "SLACK_WEBHOOK_URL": f"{sink.url}/doc"}
    for name, text, extra in (("doc", DOCUMENT, env), ("unset", DOCUMENT, {})):
        m = Manager(name, [VIGIE, "alertmanager"], folder, text, extra)
        log = (m.folder / "log").read_text()
        assert ("SLACK_WEBHOOK_URL is not set" in log) == (name == "unset"), log
        assert "pw" not in m.ask("GET", "/api/v2/status")[1] and "default-receiver" in m.amtool("config", "routes", "show").stdout
        m.stop()
    own = pathlib.Path("monitoring/alertmanager.yml")
    assert subprocess.run(["amtool", "check-config", own], capture_output=True).returncode == 0
    faults = [("  group_wayt: 1s", "4:3: field group_wayt not found"), ("  group_wait: soon", "4:15: not a valid duration string"),
              ("   group_wait: 1s", "4:"), ("  matchers: 3", "4:13: cannot unmarshal")]
    for line, says in faults:
        lines = DOCUMENT.splitlines()
        lines.insert(4, line)
        file = folder / "bad.yml"
        file.write_text("\n".join(line for line in lines if line != "  group_wait: 10s"))
        done = subprocess.run([VIGIE, "alertmanager", f"--config.file={file}", f"--storage.path={folder / 'bad'}", "--web.listen-address=127.0.0.1:0"],
                              capture_output=True, text=True, timeout=20)
        assert done.returncode != 0 and f"bad.yml:{says}" in done.stderr, (line, done.stderr)


def main():
    peers.need("prometheus-alertmanager", "apt-get install prometheus-alertmanager")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vigie-am-"))
    sink, mail, managers = Sink(), sinks.LoginMail(folder, "alertmanager", "s3cret pass"), []
    try:
        ours = Manager("ours", [VIGIE, "alertmanager"], folder, config(sink, mail, "ours", "${SMTP_PASSWORD}"), {"SMTP_PASSWORD": "s3cret pass"})
        managers.append(ours)
        theirs = Manager("theirs", ["prometheus-alertmanager"], folder, config(sink, mail, "theirs", "s3cret pass"))
        managers.append(theirs)
        check_errors(ours, theirs)
        check_messages(ours, theirs, sink, mail)
        check_inhibition(ours, theirs)
        check_amtool(ours, theirs)
        kept = check_kill(ours, sink)
        check_files(ours, folder, kept)
        check_configs(folder, sink)
    finally:
        for m in managers:
            if m.process.poll() is None:
                m.stop(signal.SIGKILL)
        mail.stop()
    shutil.rmtree(folder)
    print("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
