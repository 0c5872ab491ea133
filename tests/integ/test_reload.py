# SPDX-License-Identifier: Apache-2.0
"""A reload is all or nothing, whichever file is wrong; and files that change are seen without one being asked for."""
import json
import pathlib
import sys
import tempfile

import peers

CONFIG = """
global: {scrape_interval: 1h}
rule_files: [rules/*.yml]
scrape_config_files: [more/*.yml]
scrape_configs:
- {job_name: main, static_configs: [{targets: ['127.0.0.1:%d']}]}
%s
"""
RULES = "groups: [{name: g, rules: [{record: r, expr: %s}]}]\n"
MORE = "scrape_configs: [{job_name: more, static_configs: [{targets: ['127.0.0.1:%d']}], %s}]\n"


def state(v):
    """What a reload changes."""
    data = [json.loads(v.get(path)[2])["data"] for path in ("/api/v1/status/config", "/api/v1/targets", "/api/v1/rules")]
    return (data[0]["yaml"], sorted(t["scrapeUrl"] for t in data[1]["activeTargets"]), [r["query"] for g in data[2]["groups"] for r in g["rules"]])


def write(folder, port=1, rule="1", more_port=2, more="", extra=""):
    (folder / "rules/a.yml").write_text(RULES % rule)
    (folder / "more/m.yml").write_text(MORE % (more_port, more))
    (folder / "prometheus.yml").write_text(CONFIG % (port, extra))


def succeeded(v):
    return peers.samples(v.get("/metrics")[2])["prometheus_config_last_reload_successful"]


WRONG = {  # name: (what is written, what the answer says)
    "the main file": ({"extra": "nonsense: 1"}, "field nonsense not found"),
    "a rule": ({"rule": "'sum('"}, "rules/a.yml"),
    "another scrape file": ({"more": "scrape_timeout: 1y"}, "scrape timeout"),
    "a job of the same name": ({"extra": "- {job_name: more}"}, "found multiple scrape configs with job name"),
    "a discovery": ({"extra": "- {job_name: sd, file_sd_configs: [{files: ['*/x.json']}]}"}, "is not valid for file discovery"),
    "a discovery that is not there": ({"extra": "- {job_name: sd, consul_sd_configs: [{}]}"}, "discovery by consul is not supported yet"),
    "two logins": ({"extra": "- {job_name: sd, basic_auth: {username: u}, bearer_token: t}"}, "at most one of basic_auth"),
    "an expression": ({"more": "relabel_configs: [{regex: '('}]"}, "missing closing )"),
}


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="vigie-reload-") as name:
        folder = pathlib.Path(name)
        (folder / "rules").mkdir()
        (folder / "more").mkdir()
        write(folder)
        flags = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
        with peers.Vigie(binary, "prometheus", peers.free_port(), *flags, "--web.enable-lifecycle") as v:
            all_or_nothing(v, folder)
        write(folder)
        with peers.Vigie(binary, "prometheus", peers.free_port(), *flags, "--config.auto-reload", "--config.auto-reload-interval=1s") as v:
            by_itself(v, folder)
    print("2 passed, 0 failed")


def all_or_nothing(v, folder):
    before = state(v)
    assert before[1] == ["http://127.0.0.1:1/metrics", "http://127.0.0.1:2/metrics"] and before[2] == ["1"], before
    for name, (files, says) in WRONG.items():
        # All that is right in the same reload must not count either.
        write(folder, **{"port": 11, "rule": "2", "more_port": 12, **files})
        status, _, text = v.get("/-/reload", method="POST")
        assert status == 500 and says in text, (name, status, text)
        assert state(v) == before, name
        assert float(succeeded(v)) == 0, name
    write(folder, port=11, rule="2", more_port=12)
    assert v.get("/-/reload", method="POST")[0] == 200
    after = state(v)
    assert after[1] == ["http://127.0.0.1:11/metrics", "http://127.0.0.1:12/metrics"] and after[2] == ["2"], after
    assert float(succeeded(v)) == 1
    print(f"ok a reload is all or nothing: {len(WRONG)} mistakes", flush=True)


def by_itself(v, folder):
    for change, seen in (({"rule": "3"}, lambda s: s[2] == ["3"]), ({"rule": "3", "more_port": 22}, lambda s: "http://127.0.0.1:22/metrics" in s[1]),
                         ({"rule": "3", "more_port": 22, "port": 21}, lambda s: "http://127.0.0.1:21/metrics" in s[1])):
        write(folder, **change)
        peers.wait_for(lambda seen=seen: seen(state(v)), 15, f"the change {change}")
    before = state(v)
    write(folder, rule="'sum('", port=31)
    peers.wait_for(lambda: float(succeeded(v)) == 0, 15, "a failed reload")
    assert state(v) == before
    write(folder, rule="4", port=31)
    peers.wait_for(lambda: state(v)[2] == ["4"] and float(succeeded(v)) == 1, 15, "the mended file")
    assert v.text().count("Error reloading config") == 1, v.text()
    print("ok changed files are loaded", flush=True)


if __name__ == "__main__":
    main()
