# SPDX-License-Identifier: Apache-2.0
"""A scrape of a real Kafka broker's JMX, ours beside jmx_exporter 0.20.0: bench_jmx.py [BINARY [PARTITIONS]]

Prints a row a configuration: samples, milliseconds (first, median of ten), CPU milliseconds a scrape, RSS.
"""
import os
import pathlib
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BINARY = (sys.argv[1:] or [str(ROOT / "build" / "release" / "vigie")])[0]
PARTITIONS = int((sys.argv[2:] or ["200"])[0])
sys.path.insert(0, str(ROOT / "tests" / "integ"))
import peers  # noqa: E402
import test_jmx_exporter as sut  # noqa: E402

SCRAPES = 10


def cpu_ms(pid):
    f = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return 1000 * (int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def measure(process, get, broker):
    times, text = [], ""
    for _ in range(SCRAPES + 1):
        begin = time.monotonic()
        text = get()
        times.append(1000 * (time.monotonic() - begin))
        if len(times) == 1:
            ours, theirs = cpu_ms(process.p.pid), cpu_ms(broker)
    return (len(sut.series(text)), times[0], statistics.median(times[1:]), (cpu_ms(process.p.pid) - ours) / SCRAPES,
            (cpu_ms(broker) - theirs) / SCRAPES, rss_mb(process.p.pid))


def row(name, who, r):
    print(f"| {name} | {who} | {r[0]} | {r[1]:.0f} | {r[2]:.0f} | {r[3]:.1f} | {r[4]:.1f} | {r[5]:.0f} |", flush=True)


def main():
    jmx = f"127.0.0.1:{sut.JMX}"
    everything = "compat: 0.x\nrules:\n- pattern: '.*'\n"
    published = "compat: 0.x\n" + (peers.DATA / "jmx" / "examples" / "kafka-2_0_0.yml").read_text()
    with tempfile.TemporaryDirectory() as work, peers.Kafka([sut.KAFKA_PORT], [sut.CONTROLLER], [sut.JMX], heap="512m") as kafka:
        kafka.topic("bench", PARTITIONS)
        kafka.produce("bench", 10000)
        broker = kafka.nodes[0].p.pid
        print(f"Kafka {peers.KAFKA}, {PARTITIONS} partitions; jmx_exporter {sut.EXPORTER}, heap 64 MB")
        print("| rules | who | series | first ms | then ms | CPU ms a scrape | broker's CPU ms | RSS MB |\n|---|---|---|---|---|---|---|---|")
        for name, text in (("the document's", sut.DOCUMENT.read_text()), ("kafka-2_0_0.yml", published), (".*", everything)):
            file = pathlib.Path(work, "c.yml")
            file.write_text(f"hostPort: {jmx}\n{text}")
            with sut.ours(file) as v:
                row(name, "vigie", measure(v, lambda v=v: sut.page(v), broker))
            with sut.Real(file) as real:
                row(name, "jmx_exporter", measure(real, real.page, broker))


if __name__ == "__main__":
    main()
