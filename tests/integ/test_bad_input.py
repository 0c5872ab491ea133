# SPDX-License-Identifier: Apache-2.0
"""What the world gets wrong: configuration files, ports that are not what they seem, pages, requests, full disks.

Everywhere the same is asked: clear words with a place, nothing lost, nobody else delayed, and the process lives.
usage: test_bad_input.py VIGIE
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

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
    said = [line for line in run.stdout.splitlines() if "level=info" not in line]
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


TESTS = [test_prometheus_files, test_alertmanager_files, test_jmx_files, test_jmx_is_lenient, test_grafana_files, test_grafana_dashboards]

if __name__ == "__main__":
    try:
        peers.run(*TESTS)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
