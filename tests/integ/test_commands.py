# SPDX-License-Identifier: Apache-2.0
"""What surrounds the roles: log lines beside the originals', the manual, a word to the service manager."""
import atexit
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

import peers

VIGIE = pathlib.Path(sys.argv[1]).resolve()
HOME = pathlib.Path(tempfile.mkdtemp(prefix="vigie-commands-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
LOGFMT = re.compile(r'time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=(DEBUG|INFO|WARN|ERROR) source=[\w.]+:\d+ msg=(?:"(?:[^"\\]|\\.)*"|[^\s"=]+)'
                    r'(?: \w+=(?:"(?:[^"\\]|\\.)*"|[^\s"=]+))*')
FILES = {
    "prometheus.yml": "scrape_configs: []\n",
    "alertmanager.yml": "route: {receiver: none}\nreceivers: [{name: none}]\n",
    "jmx.yml": "hostPort: 127.0.0.1:1\n",
}


def flags(role, home, port):
    web = f"--web.listen-address=127.0.0.1:{port}"
    return {
        "prometheus": [web, f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/data-{port}"],
        "alertmanager": [web, f"--config.file={home}/alertmanager.yml", f"--storage.path={home}/data-{port}", "--cluster.listen-address="],
        "kafka-exporter": [web, "--kafka.server=127.0.0.1:1"],
        "jmx-exporter": [web, f"--config.file={home}/jmx.yml"],
        "grafana": [f"--http-port={port}", "--http-addr=127.0.0.1", f"--paths.data={home}/data-{port}"],
    }[role]


def lines(argv, role, *more):
    """What a program logs from its start to its end by SIGTERM."""
    port = peers.free_port()
    log = HOME / f"log-{port}"
    with peers.Process([*argv, *flags(role, HOME, port), *more], log) as p:
        peers.wait_for(lambda: not p.alive() or peers.listening(port), 20, f"{argv} to listen")
        assert p.alive(), p.text()
        if role == "prometheus":
            peers.wait_for(lambda: peers.http(f"http://127.0.0.1:{port}/-/ready")[0] == 200, 20, "it to be ready")
        p.stop()
    return log.read_text().splitlines()


def test_every_line_is_one_of_slogs():
    for role in ("prometheus", "alertmanager", "kafka-exporter", "jmx-exporter", "grafana"):
        text = lines([VIGIE, role], role)
        assert text, role
        for line in text:
            assert LOGFMT.fullmatch(line), f"{role}: {line}"
        for line in lines([VIGIE, role], role, "--log.format=json"):
            row = json.loads(line)
            assert list(row)[:4] == ["time", "level", "source", "msg"], f"{role}: {line}"


def test_levels_leave_out_what_is_below():
    for role in ("prometheus", "alertmanager", "grafana"):
        assert lines([VIGIE, role], role, "--log.level=error") == [], role


def test_messages_are_the_originals():
    """Debian's originals are older than slog: their messages count, and the keys beside them; not the frame."""
    for role, original in (("prometheus", "prometheus"), ("alertmanager", "prometheus-alertmanager")):
        theirs = {r.get("msg"): set(r) - {"ts", "caller", "level", "component"} for r in map(json.loads, lines([original], role, "--log.format=json"))}
        ours = {r["msg"]: set(r) - {"time", "source", "level", "component"} for r in map(json.loads, lines([VIGIE, role], role, "--log.format=json"))}
        shared = set(theirs) & set(ours)
        wanted = {"prometheus": {"Starting Prometheus Server", "Loading configuration file", "Completed loading of configuration file", "Server is ready to receive web requests."},
                  "alertmanager": {"Starting Alertmanager", "Loading configuration file", "Completed loading of configuration file"}}[role]
        assert wanted <= shared, f"{role}: {wanted - shared} in theirs {sorted(theirs)}, ours {sorted(ours)}"
        for msg in wanted - {"Starting Prometheus Server", "Starting Alertmanager", "Server is ready to receive web requests."}:
            assert ours[msg] <= theirs[msg], f"{role}: {msg}: {ours[msg]} beside {theirs[msg]}"


def test_one_level_and_format_for_all_roles_of_a_run():
    port = {r: peers.free_port() for r in ("kafka-exporter", "jmx-exporter", "prometheus", "alertmanager")}
    argv = [VIGIE, "run", peers.ROOT / "monitoring", "--data", HOME / "run", "--log.format=json", "--log.level=warn", "--kafka", "127.0.0.1:1",
            f"--grafana.http-port={peers.free_port()}", "--alertmanager.cluster.listen-address=", *(f"--{r}.web.listen-address=127.0.0.1:{p}" for r, p in port.items())]
    with peers.Process(argv, HOME / "run.log") as p:
        peers.wait_for(lambda: "no broker is reachable" in p.text(), 20, "the collectors to complain")
    rows = [json.loads(line) for line in p.text().splitlines()]
    assert rows and {r["level"] for r in rows} <= {"WARN", "ERROR"}, rows


def test_the_manual_has_every_flag():
    pages = subprocess.run([VIGIE, "man"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    assert {"vigie", "vigie-run", "vigie-prometheus", "vigie-alertmanager", "vigie-kafka-exporter", "vigie-jmx-exporter", "vigie-grafana"} <= set(pages)
    for page in pages:
        roff = HOME / f"{page}.1"
        roff.write_bytes(subprocess.run([VIGIE, "man", page], stdout=subprocess.PIPE, check=True, env={**os.environ, "SOURCE_DATE_EPOCH": "0"}).stdout)
        read = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", roff], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        assert read.stderr == "", f"{page}: {read.stderr}"
        text = roff.read_text().replace("\\-", "-")
        assert f".TH {page.upper()} 1 1970-01-01" in text, text[:200]
        if page == "vigie":
            continue
        told = subprocess.run([VIGIE, page.removeprefix("vigie-"), "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
        for flag in re.findall(r"^ +(?:-\w, )?(--\S+?)(?:=|\s)", told, re.M):
            assert flag in text, f"{page}: {flag}"


def test_the_service_manager_hears_of_start_and_end():
    path = HOME / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(20)
        port = peers.free_port()
        with peers.Process([VIGIE, "prometheus", *flags("prometheus", HOME, port)], HOME / "notify.log", env={**os.environ, "NOTIFY_SOCKET": str(path)}) as p:
            assert manager.recv(100) == b"READY=1"
            assert peers.listening(port)
            p.stop()
            assert manager.recv(100) == b"STOPPING=1"


def test_links_run_what_they_name():
    names = subprocess.run([VIGIE, "links"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    assert {"nc", "prometheus", "alertmanager", "kafka_exporter", "grafana-server"} <= set(names)
    for name in names:
        link = HOME / name
        link.symlink_to(VIGIE)
        said = subprocess.run([link, "--help"], stdout=subprocess.PIPE, text=True, check=False)
        assert said.returncode == 0 and "usage:" in said.stdout, f"{name}: {said}"


if __name__ == "__main__":
    for name, text in FILES.items():
        (HOME / name).write_text(text)
    for tool in ("prometheus", "prometheus-alertmanager", "man"):
        peers.need(tool, "tools/deps packages-dev.apt")
    peers.run(test_every_line_is_one_of_slogs, test_levels_leave_out_what_is_below, test_messages_are_the_originals,
              test_one_level_and_format_for_all_roles_of_a_run, test_the_manual_has_every_flag, test_the_service_manager_hears_of_start_and_end,
              test_links_run_what_they_name)
