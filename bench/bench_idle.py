# SPDX-License-Identifier: Apache-2.0
"""All of it, idle, on one local Kafka: our five roles (two processes), then those three originals that Debian and Maven have.

Both sides run the files of monitoring/, with free ports in them; the originals' prometheus has no kafka_exporter and no Grafana to
scrape. The brokers' own counters say how many requests one cycle of the kafka-exporter costs.
"""
import contextlib
import pathlib
import re
import shutil
import tempfile
import time

import bench
import test_jmx_exporter as sut
from bench import Row, peers

SETTLE, SECONDS, PARTITIONS, GROUPS = 20, 60, 60, 4
STANDARD = {"kafka-exporter": 9308, "jmx-exporter": 5556, "prometheus": 9090, "alertmanager": 9093, "grafana": 3000}
ASKED = ("Metadata", "DescribeCluster", "ListGroups", "DescribeGroups", "ConsumerGroupDescribe", "OffsetFetch", "ListOffsets", "DescribeLogDirs", "ApiVersions")


def files(work, name, ports, kafka):
    """monitoring/ with these ports; a job without a port of its own has nothing to scrape and goes."""
    folder = pathlib.Path(work, name)
    shutil.copytree(bench.ROOT / "monitoring", folder)
    yml = folder / "prometheus.yml"
    head, *jobs = yml.read_text().split("  - job_name: ")
    text = head + "".join("  - job_name: " + j for j in jobs if any(f":{STANDARD[r]}'" in j for r in ports))
    for role, port in ports.items():
        text = re.sub(rf"'[\w.-]+:{STANDARD[role]}'", f"'127.0.0.1:{port}'", text)
    yml.write_text(text)
    jmx = folder / "kafka-jmx-config.yml"
    jmx.write_text(f"hostPort: 127.0.0.1:{kafka.jmx[0]}\n{jmx.read_text()}")
    return folder


def ours(work, kafka):
    ports = {r: peers.free_port() for r in STANDARD}
    argv = [bench.VIGIE, "run", files(work, "ours", ports, kafka), "--data", f"{work}/ours-data", "--kafka", kafka.bootstrap,
            "--jmx", f"127.0.0.1:{kafka.jmx[0]}", f"--grafana.http-port={ports['grafana']}"]
    argv += [f"--{r}.web.listen-address=127.0.0.1:{p}" for r, p in ports.items() if r != "grafana"]
    return [bench.Server("vigie run", argv, f"http://127.0.0.1:{ports['prometheus']}/-/ready")], ports


def originals(work, kafka):
    ports = {r: peers.free_port() for r in ("jmx-exporter", "prometheus", "alertmanager")}
    folder = files(work, "originals", ports, kafka)
    url = {r: f"http://127.0.0.1:{p}" for r, p in ports.items()}
    return [
        bench.Server("jmx_exporter", ["java", "-Xmx64m", "-jar", sut.exporter_jar(), f"127.0.0.1:{ports['jmx-exporter']}", folder / "kafka-jmx-config.yml"],
                     url["jmx-exporter"] + "/metrics"),
        bench.Server("alertmanager", ["/usr/bin/prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml", f"--storage.path={work}/am", "--cluster.listen-address=",
                                      f"--web.listen-address=127.0.0.1:{ports['alertmanager']}", "--log.level=error"], url["alertmanager"] + "/-/ready"),
        bench.Server("prometheus", ["/usr/bin/prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={work}/prom",
                                    f"--web.listen-address=127.0.0.1:{ports['prometheus']}", "--log.level=error"], url["prometheus"] + "/-/ready"),
    ], ports


def requests(port):
    """What the broker has counted of each kind, by our own jmx-exporter's page."""
    page, out = peers.http(f"http://127.0.0.1:{port}/metrics")[2], {}
    for m in re.finditer(r'^kafka_network_requestmetrics_requests_total\{[^}]*request="(\w+)"[^}]*\} (\S+)$', page, re.M):
        out[m.group(1)] = out.get(m.group(1), 0) + float(m.group(2))
    return out


def measure(servers, work, kafka, counted):
    with contextlib.ExitStack() as stack:
        started, ports = servers(work, kafka)
        for s in started:
            stack.enter_context(s)
        up = f"http://127.0.0.1:{ports['prometheus']}/api/v1/query?query=up==1"
        peers.wait_for(lambda: peers.http(up)[2].count('"job"') == min(len(ports), len(STANDARD)), SETTLE * 2, "every job to be scraped")
        time.sleep(SETTLE)
        cpu, before = sum(s.cpu_s() for s in started), requests(ports["jmx-exporter"]) if counted else {}
        time.sleep(SECONDS)
        after = requests(ports["jmx-exporter"]) if counted else {}
        used = (sum(s.cpu_s() for s in started) - cpu) * 100 / SECONDS
        return sum(s.rss_mb() for s in started), used, {k: after[k] - before.get(k, 0) for k in after if k in ASKED}


def rows():
    peer = "prometheus+am+jmx"
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as work, peers.Kafka(nodes=1) as kafka:
        kafka.topic("orders", PARTITIONS)
        kafka.produce("orders", 1000)
        for i in range(GROUPS):
            kafka.consume("orders", f"group-{i}", 100)
        bench.progress(f"five roles, idle, {SETTLE + SECONDS} s")
        rss, cpu, asked = measure(ours, work, kafka, True)
        bench.progress(f"prometheus, alertmanager and jmx_exporter, idle, {SETTLE + SECONDS} s")
        their_rss, their_cpu, _ = measure(originals, work, kafka, False)
    yield Row("RSS, idle: five roles, three originals", "MB", peer, their_rss, rss)
    yield Row("CPU, idle: of one core", "%", peer, their_cpu, cpu)
    told = ", ".join(f"{k} {v:.0f}" for k, v in sorted(asked.items()) if v)
    yield Row(f"Kafka requests a minute, {PARTITIONS} partitions, {GROUPS} groups", "", "", None, sum(asked.values()), told)
