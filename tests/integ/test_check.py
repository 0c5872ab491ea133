# SPDX-License-Identifier: Apache-2.0
"""vigie check beside promtool and amtool over every good and bad file of the conformance data, and users' files as they are.

Verdicts must be equal. Where Debian's tools (2.42, 0.25) are older than what we follow, the data's own record of the newer
version decides (config-expected.json of 3.14, files.json and inline.json of 0.34); a few rows say why even that differs.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import peers

VIGIE = os.path.abspath(sys.argv[1])
PROM = peers.DATA / "prometheus-config"
ALERT = peers.DATA / "alertmanager"

# file -> why our verdict differs from the newer original's
MASKS = {
    "TestGroupByInvalidLabel": "recorded in classic mode; the default of 0.34 takes any UTF-8 label",
    "TestRouteLabelsInvalidLabelName": "recorded in classic mode; the default of 0.34 takes any UTF-8 label",
    "legacy_validation_annotation.bad.yaml": "bad under metric_name_validation_scheme legacy, which is not the default of 3.x",
    "rules_multi_doc.yaml": "2.42 reads the first document only; 3.x refuses several (rules_multi_doc in rules/manager_test.go)",
}


def check(files, *flags, env=None):
    """{file: [finding, ...]} of errors, and the whole answer."""
    p = subprocess.run([VIGIE, "check", "--json", *flags, *map(str, files)], capture_output=True, env=env, timeout=300)
    assert p.returncode in (0, 1), p
    answer = json.loads(p.stdout)
    errors = {str(f): [] for f in files}
    for x in answer["findings"]:
        if x["severity"] == "error":
            errors.setdefault(x["file"], []).append(x)
    assert (p.returncode == 1) == any(errors.values()), p
    return errors, answer


def verdicts(command, files):
    """Whether the original takes each file."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return dict(zip(map(str, files), pool.map(lambda f: subprocess.run([*command, str(f)], capture_output=True).returncode == 0, files)))


def has_place(x):
    return x["line"] > 0 or "not found" in x["text"] or "no route" in x["text"]


def hold_against(ours, theirs, newer, what):
    same = refused = 0
    differ = []
    for f, good in theirs.items():
        name, found = pathlib.Path(f).name, ours[f]
        mine = not found
        if mine == good or mine == newer.get(name):
            same += 1
        elif found and any("not supported" in x["text"] or "is not done" in x["text"] for x in found):
            refused += 1  # known by name and refused with a sentence, which docs/compat.md lists
        else:
            differ.append((name, "ours", found, "older original", good, "newer", newer.get(name)))
    differ = [d for d in differ if d[0] not in MASKS and d[0].split(".")[0] not in MASKS]
    assert not differ, (what, differ)
    print(f"{what}: {same} verdicts equal, {refused} refused as not supported")
    return refused


def prometheus_files():
    files = sorted(f for f in (PROM / "config" / "testdata").glob("*.yml"))
    newer = {k: v["ok"] and not v.get("scrape_configs_error") for k, v in json.loads((PROM / "config-expected.json").read_text()).items()}
    ours, _ = check(files, "--kind=prometheus", "--syntax-only")
    refused = hold_against(ours, verdicts(["promtool", "check", "config", "--syntax-only"], files), newer, "prometheus.yml")
    assert not refused, refused


def rule_files():
    files = sorted([*(PROM / "model" / "rulefmt" / "testdata").glob("*.yaml"), *(PROM / "rules" / "fixtures").glob("*.yaml"),
                    *(peers.DATA / "alert-rules").glob("rules/*"), *(f for f in (peers.DATA / "alert-rules").glob("unit-tests/**/*.y*ml") if "test" not in f.name)])
    newer = {r["file"]: r["ok"] for r in json.loads((PROM / "rulefmt-expected.json").read_text())}
    ours, _ = check(files, "--kind=rules")
    assert not hold_against(ours, verdicts(["promtool", "check", "rules", "--lint=none"], files), newer, "rule files")
    assert all(has_place(x) for v in ours.values() for x in v), ours


def alertmanager_files():
    rows = json.loads((ALERT / "config" / "files.json").read_text())
    files = [ALERT / "config" / "testdata" / r["file"] for r in rows if (ALERT / "config" / "testdata" / r["file"]).exists()]
    files += [ALERT / "amtool" / "conf.good.yml"] if (ALERT / "amtool" / "conf.good.yml").exists() else []
    ours, _ = check(files, "--kind=alertmanager")
    assert not hold_against(ours, verdicts(["amtool", "check-config"], files), {r["file"]: r["ok"] for r in rows}, "alertmanager.yml")
    with tempfile.TemporaryDirectory() as d:
        newer = {}
        for i, row in enumerate(json.loads((ALERT / "config" / "inline.json").read_text())):
            if isinstance(row["in"], str):
                pathlib.Path(d, f"{row['test'].replace('/', '-')}.{i}.yml").write_text(row["in"])
                newer[f"{row['test'].replace('/', '-')}.{i}.yml"] = row["ok"]
        files = sorted(pathlib.Path(d).glob("*.yml"))
        ours, _ = check(files, "--kind=alertmanager")
        assert not hold_against(ours, verdicts(["amtool", "check-config"], files), newer, "alertmanager.yml inline")


def jmx_and_dashboards():
    files = sorted(f for f in (peers.DATA / "jmx").glob("[ei]*/**/*.y*ml") if f.name.startswith("exporter") or "examples" in f.parts)
    ours, answer = check(files, "--kind=jmx")
    bad = {f: v for f, v in ours.items() if v}
    assert all("not supported" in x["text"] and x["line"] for v in bad.values() for x in v), bad
    files = sorted(f for f in (peers.DATA / "dashboards").rglob("*.json") if f.name != "INDEX.json")
    dashboards, answer = check(files)
    assert not any(dashboards.values()), {k: v for k, v in dashboards.items() if v}
    assert {f["kind"] for f in answer["files"]} == {"dashboard"}
    warned = [x for x in answer["findings"] if x["severity"] == "warning"]
    assert warned and all(x["line"] and x["column"] for x in warned)
    print(f"jmx: {len(ours)} files, {len(bad)} refused as not supported; {len(dashboards)} dashboards, {len(warned)} warnings")


# A user's own files, unedited: what is in it, its kind, what must be said and where.
USERS = [
    ("kafka-jmx-config.yml", "jmx", """lowercaseOutputName: true
whitelistObjectNames: ["kafka.server:type=*,name=*"]
rules:
- pattern: "kafka.server<type=(.+), name=(.+)><>(\\d+)thPercentile"
  name: kafka_$1_$2_$3
  labels: {broker: "$hostName"}
""", [("warning", 4, 50, "unknown escape \\d"), ("warning", 6, 20, "$hostName")]),
    ("crd.yaml", "rules", """apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: kafka}
spec:
  groups:
  - name: g
    rules: [{alert: A, expr: up == 0}]
""", [("warning", 2, 7, "PrometheusRule")]),
    ("crd-bad.yaml", "rules", "kind: PrometheusRule\nspec:\n  groups:\n  - name: g\n    rules:\n    - {alert: A, expr: up ==}\n", [("warning", 0, 0, None), ("error", 6, 24, "could not parse expression")]),
    ("alertmanager.yml", "alertmanager", """route: {receiver: r}
receivers:
- name: r
  slack_configs:
  - api_url: '${SLACK_WEBHOOK_URL}'
    channel: '#a'
""", [("warning", 5, 5, "SLACK_WEBHOOK_URL is not set")]),
    ("prometheus.yml", "prometheus", "global: {external_labels: {a: '${NOT_SET}'}}\nscrape_configs:\n- job_name: a\n  static_configs: [{targets: ['a:1']}]\n", []),
    ("scrape.yml", "prometheus", "scrape_configs:\n- job_name: a\n  static_config: []\n", [("error", 3, 3, "field static_config not found")]),
    ("old.json", "dashboard", '{"title": "x", "__inputs": [{"name": "DS_PROMETHEUS", "pluginId": "prometheus"}],\n"panels": [{"datasource": "${DS_PROMETHEUS}"},\n {"datasource": {"type": "prometheus", "uid": "abc"}}, {"datasource": null}, {"datasource": "Prometheus"}]}',
     [("warning", 2, 27, "${DS_PROMETHEUS}"), ("warning", 3, 47, "abc is not here: Prometheus is taken")]),
    ("broken.json", "dashboard", '{"title": "x",\n "panels": 5}', [("error", 2, 12, "panels must be a list")]),
    ("sources.yml", "datasources", "apiVersion: 1\ndatasources:\n- name: P\n  type: prometheus\n  url: ${PROM_URL}\n  basicauth: true\n", [("warning", 6, 3, "basicauth is not known")]),
    ("web.yml", "web", "basic_auth_users:\n  a: b\n", [("error", 2, 6, "too short to be a bcrypted password")]),
    ("kafka_test.yml", "unit-test", "rule_files: []\ntests:\n- input_series:\n  - {series: 'up{', values: '1 2'}\n  - {series: up, values: '1 b'}\n", [("error", 4, 14, "parse error"), ("error", 5, 26, 'unexpected "b"')]),
    ("mail.tmpl", "template", '{{ define "a" }}{{ .Nope }', [("error", 0, 0, None)]),
]


def users_files():
    env = {k: v for k, v in os.environ.items() if not k.startswith("SLACK")}
    with tempfile.TemporaryDirectory() as d:
        for name, kind, text, wanted in USERS:
            f = pathlib.Path(d, name)
            f.write_text(text)
            _, answer = check([f], env=env)
            assert answer["files"][0]["kind"] == kind, (name, answer)
            assert len(answer["findings"]) == len(wanted) or any(w[3] is None for w in wanted), (name, answer)
            for severity, line, column, part in wanted:
                if part:
                    assert any(x["severity"] == severity and (x["line"], x["column"]) == (line, column) and part in x["text"] for x in answer["findings"]), (name, wanted, answer)
        p = subprocess.run([VIGIE, "check", "scrape.yml"], cwd=d, capture_output=True, text=True)
        assert p.returncode == 1, p
        assert p.stdout.startswith("scrape.yml:3:3: error: field static_config not found in type config.") and "\n     3 |   static_config: []\n       |   ^\n" in p.stdout, p.stdout


def the_folder_and_the_command_line():
    p = subprocess.run([VIGIE, "check", "monitoring"], cwd=peers.ROOT, capture_output=True, text=True)
    assert p.returncode == 0 and "monitoring/rules/kafka-alerts.yaml: ok: rules, 12 rules in 5 groups" in p.stdout, p
    p = subprocess.run([VIGIE, "check", "--strict", "-q", "monitoring"], cwd=peers.ROOT, capture_output=True, text=True)
    assert p.returncode == 1 and "ok:" not in p.stdout, p
    for args in ([], ["--kind=nothing", "a"], ["--nothing"]):
        p = subprocess.run([VIGIE, "check", *args], capture_output=True, text=True)
        assert p.returncode == 2 and p.stderr.startswith("vigie check: "), p
    p = subprocess.run([VIGIE, "check", "/nowhere.yml"], capture_output=True, text=True)
    assert p.returncode == 1 and "/nowhere.yml: error: " in p.stdout, p
    with open("/dev/full", "w") as full:
        p = subprocess.run([VIGIE, "check", "monitoring"], cwd=peers.ROOT, stdout=full, stderr=subprocess.PIPE, text=True)
    assert p.returncode == 2 and "could not be written" in p.stderr, p


LEAKS = [
    ("scrape_configs:\n- job_name: x\n  static_configs: [{targets: ['http://u:geheim@h/']}]\n", "3:31: error: \"h/\" is not a valid hostname"),
    ("scrape_configs:\n- job_name: x\n  basic_auth: {username: u, password: geheim, nothing: 1}\n", "error: field nothing not found"),
    ("receivers: [{name: a, webhook_configs: [{url: 'http://geheim', nothing: 1}]}]\nroute: {receiver: a}\n", "error: field nothing not found"),
]


def no_secret_is_shown():
    with tempfile.TemporaryDirectory() as d:
        f = pathlib.Path(d, "a.yml")
        for text, wanted in LEAKS:
            f.write_text(text)
            for flags in ([], ["--json"]):
                p = subprocess.run([VIGIE, "check", *flags, f], capture_output=True, text=True)
                assert p.returncode == 1 and "geheim" not in p.stdout + p.stderr, p
            assert wanted in subprocess.run([VIGIE, "check", f], capture_output=True, text=True).stdout, (text, p)


def folders_of_any_shape():
    with tempfile.TemporaryDirectory() as home:
        home = pathlib.Path(home)
        p = subprocess.run([VIGIE, "check", home], capture_output=True, text=True)
        assert p.returncode == 0 and "no configuration file in this folder" in p.stdout, p
        (home / "below").mkdir()
        (home / "below" / "r.yml").write_text("groups: []\n")
        (home / "below" / "round").symlink_to(home)
        os.mkfifo(home / "pipe.yml")
        p = subprocess.run([VIGIE, "check", home], capture_output=True, text=True, timeout=30)
        assert p.returncode == 0 and p.stdout.count("ok: rules") == 1, p
        (home / "odd").write_bytes(b"a: \xff\n")
        p = subprocess.run([VIGIE, "check", home / "odd"], capture_output=True)
        assert p.returncode == 1 and b"it is not YAML (" in p.stdout, p


if __name__ == "__main__":
    try:
        peers.need("promtool", "apt-get install prometheus")
        peers.need("amtool", "apt-get install prometheus-alertmanager")
        peers.run(users_files, no_secret_is_shown, the_folder_and_the_command_line, folders_of_any_shape, jmx_and_dashboards, rule_files, alertmanager_files, prometheus_files)
    except peers.Missing as why:
        sys.exit(str(why))
