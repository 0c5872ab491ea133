# SPDX-License-Identifier: Apache-2.0
"""Every command and every address of the document, taken from its text and run as it stands there, before a real Kafka.

On the document's own ports in a network of its own; where the kernel allows none, on other ports put in their place. What needs
Docker is checked against docker/docker-compose.monitoring.yml: that every container and service it names is there.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import network
import peers

VIGIE = pathlib.Path(sys.argv[1]).resolve()
DOCUMENT = peers.DATA.parent / "mission" / "kafka-monitoring.md"
COMPOSE = peers.ROOT / "docker" / "docker-compose.monitoring.yml"
ROLES = {"kafka-exporter": 9308, "jmx-exporter": 5556, "prometheus": 9090, "alertmanager": 9093, "grafana": 3000}
SHOULD_BE = {"prometheus": "9090", "grafana": "3000", "alertmanager": "9093", "kafka-exporter": "9308", "kafka-jmx-exporter": "5556"}
CONTAINERS = {"dreamscape-" + name for name in SHOULD_BE}
PORTS = dict.fromkeys((*ROLES.values(), 9092))  # of the document -> of this run


# --- the document ---

def blocks(text):
    """Lines of the ```bash blocks, without comments."""
    lines = []
    for block in re.findall(r"```bash\n(.*?)```", text, re.S):
        lines += [line.strip() for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def inline(text):
    return re.findall(r"`((?:curl|docker|docker-compose) [^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S))


TEXT = DOCUMENT.read_text() if DOCUMENT.exists() else ""
COMMANDS = list(dict.fromkeys(blocks(TEXT) + inline(TEXT)))
URLS = sorted(set(re.findall(r"http://localhost:\d+[\w/]*", TEXT)))


def command(*words):
    """The document's one command with all these words."""
    found = [c for c in COMMANDS if all(w in c for w in words)]
    assert len(found) == 1, f"wanted one command with {words}: {found}"
    return found[0]


# --- the run ---

def here(text):
    return re.sub(r"\b(localhost|kafka)([: ])(\d+)\b", lambda m: f"{m[1]}{m[2]}{PORTS.get(int(m[3]), m[3])}", text)


def output(text):
    """What the document's line prints, run by a shell as it stands; a failing part of the pipe is a failure."""
    run = subprocess.run(["bash", "-o", "pipefail", "-c", here(text)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    assert run.returncode == 0, f"{here(text)}: exit code {run.returncode}: {run.stdout[-300:]}{run.stderr[-300:]}"
    return run.stdout


def objects(text):
    """JSON values one after the other, as jq prints them."""
    out, decoder = [], json.JSONDecoder()
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        out.append(value)
        text = text[end:]
    return out


def eventually(condition, what):
    def attempt():
        try:
            return condition()
        except AssertionError as e:
            raise OSError(str(e)) from None
    return peers.wait_for(attempt, 60, what)


class Run:
    kafka = vigie = None


def monitoring(home):
    """The document's files, looked at every two seconds."""
    folder = home / "monitoring"
    subprocess.run(["cp", "-r", peers.ROOT / "monitoring", folder], check=True)
    for file in (folder / "prometheus.yml", *(folder / "rules").glob("*.yaml")):
        text = re.sub(r"\b(scrape_interval|evaluation_interval|scrape_timeout|interval): \d+s", r"\1: 2s", file.read_text())
        file.write_text(text)
    return folder


def start(home):
    Run.kafka.topic("orders", 2)
    Run.kafka.produce("orders", 5000)
    Run.kafka.consume("orders", "billing", 1000)
    flags = [f"--{r}.web.listen-address=127.0.0.1:{PORTS[p]}" for r, p in ROLES.items() if r != "grafana"]
    Run.vigie = peers.Process([VIGIE, "run", monitoring(home), "--data", home / "data", "--kafka", Run.kafka.bootstrap, "--jmx",
                               f"127.0.0.1:{Run.kafka.jmx[0]}", f"--grafana.http-port={PORTS[3000]}", "--grafana.http-addr=127.0.0.1",
                               "--alertmanager.cluster.listen-address=", *flags], home / "vigie.log")
    peers.wait_for(lambda: all(peers.listening(PORTS[p]) for p in ROLES.values()), 20, "five roles to listen")


# --- Start and status ---

def compose():
    """docker-compose's own reading of the file, as {service: {...}}; the tool names what it does not like."""
    env = {**os.environ, "COMPOSE_PROFILES": "five,one"}
    text = subprocess.run(["docker-compose", "-f", COMPOSE, "config"], stdout=subprocess.PIPE, check=True, env=env, timeout=60).stdout
    code = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)"
    return json.loads(subprocess.run(["/usr/bin/python3", "-c", code], input=text, stdout=subprocess.PIPE, check=True).stdout)


def test_compose_has_the_documents_services_and_ports():
    whole = compose()
    five = {name: s for name, s in whole["services"].items() if s["profiles"] == ["five"]}
    assert {name: str(s["ports"][0]["published"]) for name, s in five.items()} == SHOULD_BE
    assert {s["container_name"] for s in five.values()} == CONTAINERS
    one = whole["services"]["vigie"]
    assert one["profiles"] == ["one"] and {str(p["published"]) for p in one["ports"]} == set(SHOULD_BE.values())
    assert set(one["networks"]["dreamscape-network"]["aliases"]) == set(five)
    assert whole["networks"] == {"dreamscape-network": {"external": True, "name": "dreamscape-network"}}
    for name in ("prometheus", "grafana", "alertmanager"):
        assert whole["volumes"][name + "_data"]["name"] == f"dreamscape_{name}_data"
    for service in whole["services"].values():
        assert "healthcheck" in service["healthcheck"]["test"] and "dreamscape-network" in service["networks"]


def test_docker_commands_name_what_is_there():
    services = compose()["services"]
    seen = 0
    for line in COMMANDS:
        words = line.split()
        if words[0] == "docker-compose":
            assert words[1:3] == ["-f", COMPOSE.name] and words[3] in ("up", "ps", "logs", "restart"), line
            assert all(w in services for w in words[4:] if not w.startswith("-")), line
        elif words[0] == "docker":
            name = [w for w in words[2:] if not w.startswith("-")][0]
            assert words[1] in ("logs", "exec", "restart") and name in CONTAINERS, line
        seen += words[0].startswith("docker")
    assert seen >= 8, f"only {seen} commands for Docker were found in the document"


def test_plain_up_starts_five():
    """The document's command names no profile; the file beside says which."""
    rows = dict(line.split("=", 1) for line in (COMPOSE.parent / ".env").read_text().splitlines() if "=" in line and not line.startswith("#"))
    assert rows == {"COMPOSE_PROFILES": "five"}, rows


def test_every_address_answers():
    assert len(URLS) >= 6, URLS
    for url in URLS:
        status, _, _ = peers.http(here(url))
        assert status == 200, f"{url}: {status}"


# --- Maintenance ---

def test_targets_command_shows_both_kafka_jobs_up():
    def both_up():
        found = {t["labels"]["job"]: t["health"] for t in objects(output(command("/api/v1/targets", "jq")))}
        return found == {"kafka-exporter": "up", "kafka-jmx": "up"}
    eventually(both_up, "both Kafka jobs to be up")


def test_lag_command_shows_kafkas_own_numbers():
    wanted = {(g, t, p): lag for (g, t, p), (_, _, lag) in Run.kafka.groups().items() if lag is not None}
    assert sum(wanted.values()) == 4000, wanted
    def equal():
        found = {}
        for line in output(command("9308/metrics", "grep kafka_consumergroup_lag")).splitlines():
            if m := re.match(r"kafka_consumergroup_lag\{(.*)\} (\S+)$", line):
                labels = dict(re.findall(r'(\w+)="([^"]*)"', m[1]))
                found[labels["consumergroup"], labels["topic"], int(labels["partition"])] = int(float(m[2]))
        return found == wanted
    eventually(equal, "the lag that Kafka's own tool says")


def test_jmx_command_shows_the_brokers_metrics():
    text = eventually(lambda: output(command("5556/metrics", "grep kafka_server")), "kafka_server metrics")
    for name in ("brokertopicmetrics_messagesin_total", "brokertopicmetrics_bytesin_total", "brokertopicmetrics_bytesi_total",
                 "brokertopicmetrics_bytesout_total", "replicamanager_underreplicatedpartitions", "replicamanager_isrshrinks_total"):
        assert re.search(rf"^kafka_server_{name}\{{", text, re.M), f"{name} is not in the answer"
    assert re.search(r"^kafka_server_brokertopicmetrics_messagesin_total\{.*\} [1-9]", text, re.M), "no message came in"


def test_plain_jmx_command_answers():
    assert "kafka_server" in output([c for c in COMMANDS if c.startswith("curl") and c.endswith("5556/metrics")][0])


def test_alerts_command_shows_an_active_kafka_alert():
    def lag_alert():
        found = objects(output(command("/api/v1/alerts", "jq")))
        assert all(a["labels"]["component"] == "kafka" for a in found)
        return [a for a in found if a["labels"]["alertname"] == "KafkaConsumerLagHigh" and a["state"] in ("pending", "firing")]
    alerts = eventually(lag_alert, "KafkaConsumerLagHigh among the active alerts")
    assert {a["labels"]["consumergroup"] for a in alerts} == {"billing"}


# --- Troubleshooting ---

def test_nc_reaches_kafka():
    words = command("docker exec", "nc").split()
    host, port = ("kafka", 9092) if network_is_ours else ("localhost", PORTS[9092])
    assert words[3:] == ["nc", "-zv", "kafka", "9092"], words
    run = subprocess.run([VIGIE, *words[3:5], host, str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert run.returncode == 0 and run.stdout == f"{host} (127.0.0.1:{port}) open\n", run
    run = subprocess.run([VIGIE, "nc", "-zv", host, "1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert run.returncode == 1 and run.stdout == f"nc: {host} (127.0.0.1:1): Connection refused\n", run
    run = subprocess.run([VIGIE, "nc", "-zv", host, "99999"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert run.returncode == 1 and run.stdout.startswith("nc: bad port '99999'\n"), run


def test_health_checks_tell_dead_from_alive():
    if network_is_ours:
        run = subprocess.run([VIGIE, "healthcheck"], stdout=subprocess.PIPE, text=True, check=False)
        assert run.returncode == 0 and run.stdout.count(": healthy (200)\n") == 5, run
    run = subprocess.run([VIGIE, "healthcheck", here("http://localhost:9090/-/healthy"), "http://localhost:1/"], stdout=subprocess.PIPE, text=True, check=False)
    assert run.returncode == 1 and "healthy (200)" in run.stdout and "connection refused" in run.stdout, run


def test_targets_page_names_the_kafka_jobs():
    status, _, text = peers.http(here("http://localhost:9090/targets"))
    assert status == 200 and "kafka-exporter" in text and "kafka-jmx" in text


def test_data_source_is_the_documents_and_connects():
    login = {"Authorization": "Basic YWRtaW46YWRtaW4="}
    status, _, text = peers.http(here("http://localhost:3000/api/datasources"), headers=login)
    source = [s for s in json.loads(text) if s["type"] == "prometheus"][0]
    assert status == 200 and source["url"] == "http://prometheus:9090", source
    status, _, text = peers.http(here(f"http://localhost:3000/api/datasources/uid/{source['uid']}/health"), headers=login)
    assert status == 200 and json.loads(text)["status"] == "OK", text


def test_every_command_of_the_document_is_tried():
    """A command that the document gains one day must not stay untried."""
    known = [("/api/v1/targets",), ("9308/metrics",), ("5556/metrics",), ("/api/v1/alerts",), ("docker",)]
    assert len(COMMANDS) >= 13, COMMANDS
    for line in COMMANDS:
        assert any(all(w in line for w in words) for words in known), f"no test runs: {line}"


TESTS = [test_compose_has_the_documents_services_and_ports, test_docker_commands_name_what_is_there, test_plain_up_starts_five,
         test_every_command_of_the_document_is_tried, test_every_address_answers, test_targets_command_shows_both_kafka_jobs_up,
         test_lag_command_shows_kafkas_own_numbers, test_jmx_command_shows_the_brokers_metrics, test_plain_jmx_command_answers,
         test_alerts_command_shows_an_active_kafka_alert, test_nc_reaches_kafka, test_health_checks_tell_dead_from_alive,
         test_targets_page_names_the_kafka_jobs, test_data_source_is_the_documents_and_connects]

if __name__ == "__main__":
    if not TEXT:
        print(f"skipped: the document is not there ({DOCUMENT})")
        sys.exit(77)
    for tool in ("curl", "jq", "docker-compose"):
        peers.need(tool, "tools/deps packages-dev.apt")
    peers.kafka_libs()  # fetched while there still is a network
    network_is_ours = network.own({"kafka": "127.0.0.1"})
    for port in PORTS:
        PORTS[port] = port if network_is_ours else peers.free_port()
    with tempfile.TemporaryDirectory(prefix="vigie-document-") as top:
        home = pathlib.Path(top)
        with peers.Kafka(ports=[PORTS[9092]], folder=home / "kafka") as Run.kafka:
            try:
                start(home)
                peers.run(*TESTS)
            except BaseException:
                if Run.vigie:
                    print(Run.vigie.text()[-2000:], file=sys.stderr)
                raise
            finally:
                if Run.vigie:
                    Run.vigie.stop()
