# SPDX-License-Identifier: Apache-2.0
"""B17: all five roles, idle, against the originals that Debian and Maven have, on one local Kafka.

Prints RSS and CPU of `vigie run` (two processes) and of prometheus, alertmanager and jmx_exporter side by side, and how many
requests of each kind one cycle of the kafka-exporter costs the broker.
"""
import re
import sys
import time

import bench
from bench import peers

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 60


def request_counts(jmx_page):
    out = {}
    for m in re.finditer(r'^kafka_network_requestmetrics_requests_total\{[^}]*request="(\w+)"[^}]*\} (\S+)$', jmx_page, re.M):
        out[m.group(1)] = out.get(m.group(1), 0) + float(m.group(2))
    return out


def main():
    bench.machine()
    ports = {r: peers.free_port() for r in ("kafka", "jmx", "kafka-exporter", "jmx-exporter", "prometheus", "alertmanager", "grafana")}
    with peers.Kafka(ports=[ports["kafka"]], jmx=[ports["jmx"]]) as kafka:
        kafka.topic("orders", 60)
        argv = [bench.VIGIE, "run", bench.ROOT / "monitoring", "--data", "data", "--kafka", f"127.0.0.1:{ports['kafka']}", "--jmx", f"127.0.0.1:{ports['jmx']}"]
        argv += [f"--{r}.web.listen-address=127.0.0.1:{ports[r]}" for r in ("kafka-exporter", "jmx-exporter", "prometheus", "alertmanager")]
        argv += [f"--grafana.http-port={ports['grafana']}"]
        with bench.Server("vigie run", argv, f"http://127.0.0.1:{ports['prometheus']}/-/ready") as s:
            time.sleep(20)
            cpu = s.cpu_s()
            time.sleep(SECONDS)
            print(f"vigie run, five roles: RSS {s.rss_mb():.1f} MB, CPU {(s.cpu_s() - cpu) / SECONDS * 100:.2f} % of one core", flush=True)
            page = peers.http(f"http://127.0.0.1:{ports['jmx-exporter']}/metrics")[2]
            before = request_counts(page)
            time.sleep(30)
            after = request_counts(peers.http(f"http://127.0.0.1:{ports['jmx-exporter']}/metrics")[2])
            grown = {k: after[k] - before.get(k, 0) for k in after if after[k] > before.get(k, 0)}
            print("broker requests in 30 s, 60 partitions: " + ", ".join(f"{k} {v:.0f}" for k, v in sorted(grown.items())), flush=True)


main()
