# SPDX-License-Identifier: Apache-2.0
"""The image as docker/docker-compose.monitoring.yml runs it, without Docker: five containers, then one on the same volumes.

Root file system, user, environment and command come from the image and the compose file; names and ports are the document's, in a
network of its own, before a real Kafka.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse

import containers  # first: it knows where the integration tests' modules are
import network
import peers

IMAGE = pathlib.Path(sys.argv[1]).resolve()
COMPOSE = containers.ROOT / "docker" / "docker-compose.monitoring.yml"
NAMES = ["kafka", "kafka-exporter", "kafka-jmx-exporter", "prometheus", "alertmanager", "grafana"]
LOGIN = {"Authorization": "Basic YWRtaW46YWRtaW4="}


class Bed:
    home = image = services = None
    running = {}


def services():
    env = {**os.environ, "COMPOSE_PROFILES": "five,one"}
    text = subprocess.run(["docker-compose", "-f", COMPOSE, "config"], stdout=subprocess.PIPE, check=True, env=env).stdout
    code = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)"
    return json.loads(subprocess.run(["/usr/bin/python3", "-c", code], input=text, stdout=subprocess.PIPE, check=True).stdout)["services"]


def up(profile):
    for name, service in Bed.services.items():
        if service["profiles"] == [profile]:
            Bed.running[name] = containers.Container(Bed.image, service, Bed.home)


def down():
    codes = {name: c.stop() for name, c in Bed.running.items()}
    Bed.running.clear()
    return codes


def query(text):
    status, _, body = peers.http("http://localhost:9090/api/v1/query?query=" + urllib.parse.quote(text))
    assert status == 200, body
    return json.loads(body)["data"]["result"]


def all_healthy():
    for name, c in Bed.running.items():
        assert c.p.alive(), f"{name} ended: {c.logs()[-600:]}"
        peers.wait_for(c.healthy, 30, f"{name} to be healthy by its own check: {c.exec(*c.service['healthcheck']['test'][1:])}")


def test_the_image_is_small_and_belongs_to_nobody():
    assert Bed.image.config["User"] == "65534:65534"
    names = {str(f.relative_to(Bed.image.root)) for f in Bed.image.root.rglob("*")}
    assert {"etc/ssl/certs/ca-certificates.crt", "usr/share/zoneinfo/Europe/Paris", "usr/bin/vigie", "etc/vigie/rules/kafka-alerts.yaml"} <= names
    assert not [n for n in names if re.search(r"bin/(sh|bash|apt|dpkg)$", n)], "no shell, no package manager"
    loose = [f for f in Bed.image.root.rglob("*") if not f.is_symlink() and f.stat().st_mode & 0o6000]
    assert not loose, f"set-user-id files: {loose}"


def test_five_containers_become_healthy():
    up("five")
    assert len(Bed.running) == 5
    all_healthy()


def test_they_run_without_rights():
    for c in Bed.running.values():
        assert set(c.status("Uid")) == {"65534"} and c.status("CapEff") == ["0000000000000000"], c.name


def test_nc_as_the_document_has_it():
    """docker exec dreamscape-kafka-exporter nc -zv kafka 9092"""
    assert Bed.running["kafka-exporter"].exec("nc", "-zv", "kafka", "9092") == (0, "kafka (127.0.0.1:9092) open\n")
    code, said = Bed.running["kafka-exporter"].exec("nc", "-zv", "nobody-here", "9092")
    assert (code, said) == (1, "nc: bad address 'nobody-here'\n")


def test_prometheus_reaches_the_others_by_name():
    wanted = {"kafka-exporter:9308", "kafka-jmx-exporter:5556", "prometheus:9090", "alertmanager:9093", "grafana:3000"}
    peers.wait_for(lambda: {r["metric"]["instance"] for r in query("up == 1")} == wanted, 90, "five targets up")
    assert query("kafka_brokers")[0]["value"][1] == "1"
    assert query("kafka_server_replicamanager_underreplicatedpartitions")[0]["value"][1] == "0"


def test_grafana_reaches_prometheus_by_name():
    status, _, text = peers.http("http://localhost:3000/api/datasources/uid/prometheus/health", headers=LOGIN)
    assert status == 200 and json.loads(text)["status"] == "OK", text


def test_logs_say_who_runs():
    """docker logs dreamscape-..."""
    words = {"kafka-exporter": "Kafka answers", "kafka-jmx-exporter": "JMX target is up", "prometheus": "Server is ready to receive web requests.",
             "alertmanager": "Listening on", "grafana": "HTTP Server Listen"}
    for name, c in Bed.running.items():
        assert re.search(rf'^time=\S+Z level=INFO source=\S+:\d+ msg="{words[name]}"', c.logs(), re.M), c.logs()[-800:]


def test_they_stop_by_themselves():
    codes = down()
    assert set(codes.values()) == {0}, codes


def test_one_container_goes_on_with_the_same_volumes():
    before = time.time()
    up("one")
    all_healthy()
    assert query('count_over_time(up{instance="kafka-exporter:9308"}[10m])'), "the five containers' samples"
    assert Bed.running["vigie"].exec("nc", "-zv", "kafka", "9092")[0] == 0
    wanted = {"kafka-exporter:9308", "kafka-jmx-exporter:5556", "prometheus:9090", "alertmanager:9093", "grafana:3000"}
    peers.wait_for(lambda: {r["metric"]["instance"] for r in query(f"timestamp(up) > {before} and up == 1")} == wanted, 90, "five targets up")
    assert down() == {"vigie": 0}


if __name__ == "__main__":
    peers.kafka_libs()
    if not network.own(dict.fromkeys(NAMES, "127.0.0.1")):
        sys.exit("this test needs root")
    with tempfile.TemporaryDirectory(prefix="vigie-image-") as top:
        Bed.home = pathlib.Path(top)
        Bed.image = containers.Image(IMAGE, Bed.home)
        Bed.services = services()
        with peers.Kafka(ports=[9092], jmx=[9999], folder=Bed.home / "kafka"):
            try:
                peers.run(test_the_image_is_small_and_belongs_to_nobody, test_five_containers_become_healthy, test_they_run_without_rights,
                          test_nc_as_the_document_has_it, test_prometheus_reaches_the_others_by_name, test_grafana_reaches_prometheus_by_name,
                          test_logs_say_who_runs, test_they_stop_by_themselves, test_one_container_goes_on_with_the_same_volumes)
            except BaseException:
                for c in Bed.running.values():
                    print(f"--- {c.name}\n{c.logs()[-1200:]}", file=sys.stderr)
                raise
            finally:
                down()
