# SPDX-License-Identifier: Apache-2.0
"""Ours beside Debian's promtool 2.42 on the same inputs: both streams and the exit code, but for the table of masks.

A mask says where 3.14, which we follow, or a sentence of ours is newer; a mask that masks nothing is an error.
"""
import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

import peers

VIGIE = os.path.abspath(sys.argv[1])
TESTDATA = peers.DATA / "prometheus-config" / "cmd" / "promtool" / "testdata"
RULES = peers.DATA / "alert-rules"

# Done on both sides before they are compared.
SAME = [
    (r"; (did you mean|expected) [^\n]*", ""),  # ours says what would be right
    (r"(\n  line \d+: field [^\n]*?)(\n  line \d+: field [^\n]*)+", r"\1"),  # ours stops at the first unknown key
    (r"(?m)^(\S+\.ya?ml): \d+:\d+: (group .*(annotation|label) )", r"\1: \2"),  # 2.42 knows no place of a template
    (r"(?m)^     lint error", "lint error"),  # 3.x: without blanks in check config, too
    (r"\[\{__name__=\"join_2\"[^\]]*\]", "[both]"),  # the original's order is that of its hashes
    (r"open \./", "open "),
]

# arguments begin with -> why they may differ
MASKS = {
    "test rules no-test-group-interval.yml": "3.x: interval falls back to evaluation_interval (promtool-test-rules-expected.json)",
    "test rules rules_run_fuzzy.yml": "3.x: fuzzy_compare",
    "test rules rules_run_no_fuzzy.yml": "3.x: fuzzy_compare",
    "test rules start-time-test.yml": "3.x: start_timestamp",
    "test rules unittest.yml": "3.x: histogram in exp_samples",
}
used = set()


def both(args, cwd, stdin=b""):
    out = []
    for tool in ([VIGIE, "promtool"], ["promtool"]):
        p = subprocess.run([*tool, *args], cwd=cwd, input=stdin, capture_output=True, timeout=120)
        texts = [p.stdout.decode(), p.stderr.decode()]
        for pattern, to in SAME:
            texts = [re.sub(pattern, to, t) for t in texts]
        out.append((p.returncode, *texts))
    return out


def compare(args, cwd, stdin=b""):
    name = " ".join(args)
    ours, theirs = both(args, cwd, stdin)
    if ours == theirs:
        return 1
    if name in MASKS:
        used.add(name)
        return 0
    raise AssertionError(f"{name}\nours   {ours}\ntheirs {theirs}")


def unit_tests():
    files = sorted(f.name for f in TESTDATA.glob("*.yml") if re.search("test|failing|long|rules_run|bad-input|bad-promql", f.name))
    same = sum(compare(["test", "rules", f], TESTDATA) for f in files)
    same += compare(["test", "rules", "failing.yml", "long-period.yml"], TESTDATA)
    for f in sorted(RULES.glob("unit-tests/**/*test*.y*ml")):
        same += compare(["test", "rules", f.name], f.parent)
    print(f"{same} unit test files alike")
    assert same >= 22, same


def expected_exit_codes():
    """What 3.14 answers, features of the language that are always on aside."""
    rows = json.loads((peers.DATA / "prometheus-config" / "promtool-test-rules-expected.json").read_text())
    wrong = []
    for r in rows:
        flags = [f"--run={x}" for x in r.get("run") or []] + (["--ignore-unknown-fields"] if r.get("ignore_unknown_fields") else [])
        p = subprocess.run([VIGIE, "promtool", "test", "rules", *flags, *r["files"]], cwd=TESTDATA, capture_output=True)
        always_on = r["name"] in ("Disabled feature (@ modifier)", "Disabled feature (negative offset)")
        if p.returncode != r["exit_code"] and not always_on:
            wrong.append(r["name"])
    # The one file of them that holds native histograms.
    assert set(wrong) <= {"Passing Unit Tests"}, wrong


def own_unit_test():
    with tempfile.TemporaryDirectory() as d:
        d = pathlib.Path(d)
        (d / "r.yml").write_text("""groups:
- name: a
  rules:
  - {record: x, expr: y + 1}
  - {alert: A, expr: up == 1, labels: {sev: 'p{{ $value }}'}, annotations: {d: '{{ $labels.job }} {{ $externalLabels.cluster }} {{ $externalURL }}'}}
- name: b
  rules: [{record: y, expr: up}]
""")
        (d / "t.yml").write_text(r"""rule_files: [r.yml]
evaluation_interval: 1m
group_eval_order: [b, a]
tests:
- interval: 1m
  external_labels: {cluster: c1}
  external_url: http://x
  input_series:
  - {series: 'up{job="a"}', values: '0 1 _ 1 stale 3'}
  promql_expr_test:
  - {expr: up, eval_time: 1m, exp_samples: [{labels: 'up{job="b"}', value: 2.5}]}
  - {expr: '{__name__=~".+"}', eval_time: 1m, exp_samples: []}
  - {expr: time(), eval_time: 2m, exp_samples: [{value: 1e10}]}
  - {expr: '"abc"', eval_time: 2m}
  - {expr: 'up[5m]', eval_time: 2m}
  - {expr: 'up (', eval_time: 2m}
  - {expr: up, eval_time: 3m, exp_samples: [{labels: 'up{job="b"', value: .nan}]}
  - {expr: '-Inf', exp_samples: [{value: 123456.789}]}
  alert_rule_test:
  - {eval_time: 90s, alertname: A, exp_alerts: [{exp_labels: {job: a, x: "q\"\n"}, exp_annotations: {s: "l1\nl2"}}]}
""")
        (d / "none.yml").write_text("tests: []\nrule_files: [nothing*.yml]\n")
        (d / "nameless.yml").write_text("tests:\n- alert_rule_test: [{eval_time: 1m}]\n")
        (d / "twice.yml").write_text("rule_files: [r.yml]\ngroup_eval_order: [a, a]\ntests:\n- name: foo\n  alert_rule_test: [{eval_time: 1m, alertname: A}]\n")
        for f in ("t.yml", "none.yml", "nameless.yml", "twice.yml"):
            assert compare(["test", "rules", f], d)
        p = subprocess.run([VIGIE, "promtool", "test", "rules", "--junit=out.xml", "--diff", "--debug", "t.yml"], cwd=d, capture_output=True, text=True)
        assert p.returncode == 1 and "diff:" in p.stderr and "DEBUG: Starting test" in p.stdout, p
        assert 'failures="9"' in (d / "out.xml").read_text(), (d / "out.xml").read_text()


def rules_and_configurations():
    same = 0
    for f in sorted(TESTDATA.glob("*rules*.yml")):
        same += compare(["check", "rules", f.name], TESTDATA)
    for f in sorted(RULES.glob("rules/*")):
        same += compare(["check", "rules", f.name], f.parent)
    for f in sorted(TESTDATA.glob("*.yml")):
        if re.search("config|url_in|features", f.name):
            same += compare(["check", "config", f"testdata/{f.name}"], TESTDATA.parent)
    for flags in (["--lint=all", "--lint-fatal"], ["--lint=none"]):
        same += compare(["check", "rules", *flags, "rules_duplicates.yml"], TESTDATA)
        same += compare(["check", "config", *flags, "testdata/prometheus-config.lint.yml"], TESTDATA.parent)
    same += compare(["check", "config", "--syntax-only", "testdata/config_with_rule_files.yml"], TESTDATA.parent)
    print(f"{same} rule files and configurations alike")
    assert same >= 50, same
    p = subprocess.run([VIGIE, "promtool", "check", "config", "--lint=too-long-scrape-interval", "--lint-fatal", "prometheus-config.lint.too_long_scrape_interval.yml"],
                       cwd=TESTDATA, capture_output=True, text=True)
    assert p.returncode == 3 and "too long scrape interval found" in p.stderr, p
    p = subprocess.run([VIGIE, "promtool", "check", "rules"], input=b"groups: [{name: a, rules: [{record: b, expr: c}]}]", capture_output=True)
    assert p.returncode == 0 and b"SUCCESS: 1 rules found" in p.stdout, p


PAGES = [
    b"", b"x\n", b"# HELP a_total b\n# TYPE a_total counter\na_total 1\n",
    b'h_bucket{le="1"} 1\n# TYPE x histogram\nx_bucket{le="1"} 1\nx_sum 1\nx_count 1\n# TYPE s summary\ns{quantile="0.5"} 1\ns_sum 1\ns_count 2\n# HELP only desc\n',
    b'foo_total 1\n# TYPE bar counter\nbar 1\n# TYPE fooBar_ms gauge\nfooBar_ms{leX="1"} 2\nx_milliseconds 1\n# TYPE a_b_gauge gauge\na_b_gauge{le="a",quantile="2"} 3\n'
    b'a:b 1\n# HELP foo_bucket x\n# TYPE foo_bucket untyped\nfoo_bucket 1\n# TYPE y gauge\ny_sum{a="b"} 1\n# TYPE z_count gauge\nz_count 1\n# TYPE w_total gauge\nw_total 2\n',
    b'# TYPE a counter\na_total{xY="1"} 1\na_total{xY="2"} 1\n',
]


def metrics():
    for page in [*PAGES, (TESTDATA / "metrics-test.prom").read_bytes()]:
        for flags in ([], ["--extended"]):
            if page == b"x\n":
                ours, theirs = both(["check", "metrics", *flags], TESTDATA, page)
                assert ours[0] == theirs[0] == 1 and ours[2].startswith("error while linting: text format parsing error in line 1: "), ours
            else:
                assert compare(["check", "metrics", *flags], TESTDATA, page)


HASH = "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze"
WEB = [
    "", f"basic_auth_users: {{alice: {HASH}}}", "basic_auth_users: {alice: plain}", "basic_auth_user: {}", "tls_server_config: {cert_fil: x}",
    "tls_server_config: {cert_file: no.crt, key_file: no.key}", "tls_server_config: {cert_file: no.crt}", "http_server_config: {http2: 'yes'}",
    "tls_server_config: {cert_file: a.crt, key_file: a.key}", "tls_server_config: {cert_file: a.crt, key_file: a.key, min_version: TLS9}",
    "tls_server_config: {cert_file: a.crt, key_file: a.key, client_auth_type: X}", "tls_server_config: {cert_file: a.crt, key_file: a.key, client_ca_file: a.crt}",
    "tls_server_config: {cert_file: a.crt, key_file: a.key, cipher_suites: [TLS_FOO]}", "tls_server_config: {cert_file: a.crt, key_file: a.key, curve_preferences: [X]}",
    "http_server_config: {headers: {X-Frame-Options: maybe}}", "http_server_config: {headers: {X-Foo: a}}", "http_server_config: {headers: {Strict-Transport-Security: a}}",
]


def web_configurations():
    with tempfile.TemporaryDirectory() as d:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "a.key", "-out", "a.crt", "-days", "3", "-subj", "/CN=x"],
                       cwd=d, check=True, capture_output=True)
        for text in WEB:
            pathlib.Path(d, "w.yml").write_text(text + "\n")
            assert compare(["check", "web-config", "w.yml"], d), text


def mistakes_on_the_command_line():
    for args in (["foo"], ["check"], ["check", "foo"], ["check", "config"], ["check", "config", "nothing.yml"], ["test", "rules"], ["query", "instant"],
                 ["query", "instant", "http://127.0.0.1:1"], ["check", "rules", "--nothing", "a"]):
        ours, theirs = both(args, TESTDATA)
        assert ours[0] == theirs[0] == 1, (args, ours, theirs)
        if args != ["check"]:
            assert ours == theirs, (args, ours, theirs)
    assert compare(["query", "instant", "http://127.0.0.1:1", "up"], TESTDATA)


ANSWERS = {
    "/api/v1/query": {"vector": [{"metric": {"__name__": "up", "job": "a\"b"}, "value": [1700000000.123, "1"]}, {"metric": {}, "value": [1700000000, "0.0000001"]}],
                      "scalar": [1700000000.5, "+Inf"], "string": [1, "text"], "vector0": [],
                      "matrix": [{"metric": {"a": "b"}, "values": [[1, "1"], [2.5, "NaN"]]}]},
    "/api/v1/series": [{"__name__": "up", "job": "x"}, {"b": "c"}],
    "/api/v1/label/job/values": ["a", "b"],
}
asked = []


class Server(http.server.BaseHTTPRequestHandler):
    def answer(self, body):
        path = self.path.split("?")[0]
        asked.append((self.command, self.path, body, self.headers.get("Authorization")))
        data, code = ANSWERS.get(path), 200
        if path in ("/api/v1/query", "/api/v1/query_range"):
            kind = re.search("query=([a-z]+0?)", body)[1]
            if kind == "bad":
                code, data = 400, None
            else:
                data = {"resultType": kind.rstrip("0"), "result": ANSWERS["/api/v1/query"][kind]}
        said = {"status": "success", "data": data} if code == 200 else {"status": "error", "errorType": "bad_data", "error": "1:1: parse error"}
        if path == "/-/healthy":
            said = None
        text = b"Prometheus Server is Healthy.\n" if said is None else json.dumps(said).encode()
        self.send_response(503 if path == "/-/ready" else code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        self.answer("")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def log_message(self, *_):
        pass


def queries():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    for kind in ("vector", "vector0", "scalar", "matrix", "bad"):  # 2.42 cannot read a string
        for flags in ([], ["-o", "json"]):
            assert compare(["query", "instant", *flags, url, kind], TESTDATA)
    for flags in ([], ["--start=1700000000", "--end=1700001000"], ["--start=1700000000", "--end=1700001000", "--step=15s"], ["--start=2", "--end=1"], ["--start=x"]):
        asked.clear()
        assert compare(["query", "range", *flags, url, "matrix"], TESTDATA)
        if len(flags) > 1 and asked:
            ours, theirs = [dict(p.split("=") for p in a[2].split("&")) for a in asked]
            assert {k: float(ours[k]) for k in ("start", "end", "step")} == {k: float(theirs[k]) for k in ("start", "end", "step")}, asked
    assert compare(["query", "series", "--match=up", "--match={a=\"b\"}", url], TESTDATA)
    assert compare(["query", "labels", url, "job"], TESTDATA)
    asked.clear()
    subprocess.run([VIGIE, "promtool", "query", "instant", url.replace("//", "//me:secret@"), "vector"], check=True, capture_output=True)
    assert asked[0][3] == "Basic bWU6c2VjcmV0", asked
    p = subprocess.run([VIGIE, "promtool", "check", "healthy", f"--url={url}"], capture_output=True, text=True)
    assert p.returncode == 0 and p.stderr == "  SUCCESS:  Prometheus Server is Healthy.\n\n", p
    p = subprocess.run([VIGIE, "promtool", "check", "ready", f"--url={url}"], capture_output=True, text=True)
    assert p.returncode == 1 and p.stderr == f"check failed: URL={url}, status=503\n", p
    server.shutdown()


def page():
    """Five hours of counters, one of a gauge with an odd label."""
    lines = ["# HELP reqs r", "# TYPE reqs counter"]
    for job in range(3):
        lines += [f'reqs_total{{job="j{job}",code="200"}} {i * (job + 1)} {1700000000 + i}' for i in range(0, 5 * 3600, 60)]
    lines += ["# TYPE temp gauge"] + [f'temp{{a="x y\\"z"}} {20 + i / 7} {1700000000.5 + i}' for i in range(0, 3600, 30)]
    return "\n".join([*lines, "# EOF", ""])


def blocks():
    """Each tool's blocks in the other's hands."""
    with tempfile.TemporaryDirectory() as d:
        d = pathlib.Path(d)
        (d / "in.om").write_text(page())
        for tool, out in ((["promtool"], "theirs"), ([VIGIE, "promtool"], "ours")):
            p = subprocess.run([*tool, "tsdb", "create-blocks-from", "openmetrics", "in.om", out], cwd=d, capture_output=True, text=True)
            assert p.returncode == 0 and len(p.stdout.splitlines()) == 4, p
            (d / out / "wal").mkdir()  # 2.42 cannot dump without one
        dumps = set()
        for folder in ("ours", "theirs"):
            assert compare(["tsdb", "list", folder], d) and compare(["tsdb", "list", "-r", folder], d)
            ours, theirs = both(["tsdb", "dump", folder], d)  # theirs goes block by block
            assert sorted(ours[1].splitlines()) == sorted(theirs[1].splitlines())
            dumps.add(ours[1])
            assert compare(["tsdb", "dump", "--match={__name__=\"temp\"}", "--min-time=1700000000000", "--max-time=1700000100000", folder], d)
            ours, theirs = both(["tsdb", "analyze", folder], d)  # ties in any order; 3.x says Total Series
            assert sorted(ours[1].replace("Total Series", "Series").splitlines()) == sorted(theirs[1].splitlines()), (ours, theirs)
        assert len(dumps) == 1 and len(dumps.pop().splitlines()) == 1020
        for text in ("a 1\n# EOF\n", "a 1 1\n", "# EOF\n"):
            (d / "bad.om").write_text(text)
            assert compare(["tsdb", "create-blocks-from", "openmetrics", "bad.om", "x"], d), text
        for args in (["list", "nowhere"], ["dump", "nowhere"], ["analyze", "ours", "XYZ"]):
            assert compare(["tsdb", *args], d)


def a_running_servers_directory():
    """The head comes out of the log, and the directory in use is only read."""
    with tempfile.TemporaryDirectory() as d:
        d, port = pathlib.Path(d), peers.free_port()
        (d / "p.yml").write_text(f"scrape_configs:\n- job_name: me\n  scrape_interval: 1s\n  static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n")
        p = peers.Process([VIGIE, "prometheus", f"--config.file={d}/p.yml", f"--storage.tsdb.path={d}/data", f"--web.listen-address=127.0.0.1:{port}"], d / "log")
        try:
            url = f"http://127.0.0.1:{port}"
            peers.wait_for(lambda: json.loads(peers.http(url + "/api/v1/query?query=up==1")[2])["data"]["result"], 30, "a first scrape")
            got = subprocess.run([VIGIE, "promtool", "tsdb", "dump", "--match=up", f"{d}/data"], capture_output=True, text=True)
            assert got.returncode == 0 and got.stdout.startswith('{__name__="up", instance="127.0.0.1:'), got
            got = subprocess.run([VIGIE, "promtool", "query", "instant", url, "up"], capture_output=True, text=True)
            assert got.returncode == 0 and got.stdout.startswith('up{instance="127.0.0.1:'), got
            assert peers.http(url + "/-/healthy")[0] == 200
        finally:
            p.stop()


def formatting():
    p = subprocess.run([VIGIE, "promtool", "--experimental", "promql", "format", "sum(rate(up[5m]))by(job)"], capture_output=True, text=True)
    assert (p.returncode, p.stdout) == (0, "sum by (job) (rate(up[5m]))\n"), p
    with tempfile.TemporaryDirectory() as d:  # by a link of the original's name
        os.symlink(VIGIE, pathlib.Path(d, "promtool"))
        p = subprocess.run([pathlib.Path(d, "promtool"), "--version"], capture_output=True, text=True)
        assert p.returncode == 0 and p.stdout.startswith("promtool, version 3."), p


def masks_are_needed():
    assert set(MASKS) == used, set(MASKS) - used


if __name__ == "__main__":
    try:
        peers.need("promtool", "apt-get install prometheus")
        peers.run(unit_tests, expected_exit_codes, own_unit_test, rules_and_configurations, metrics, web_configurations, mistakes_on_the_command_line,
                  queries, blocks, a_running_servers_directory, formatting, masks_are_needed)
    except peers.Missing as why:
        sys.exit(str(why))
