# SPDX-License-Identifier: Apache-2.0
"""A scrape of a real Kafka broker's JMX, ours beside jmx_exporter 0.20.0, under three sets of rules.

Times are medians of ten scrapes after the first; CPU is the exporter's own. The series of both are compared by name and labels.
"""
import pathlib
import statistics
import tempfile
import time

import bench
import test_jmx_exporter as sut
from bench import Row, peers

PARTITIONS, SCRAPES = 200, 10
PEER = f"jmx_exporter {sut.EXPORTER}"
EVERYTHING = "compat: 0.x\nrules:\n- pattern: '.*'\n"


def measure(process, get):
    get()
    times, text, cpu = [], "", bench.cpu_s(process.p.pid)
    for _ in range(SCRAPES):
        begin = time.monotonic()
        text = get()
        times.append(1000 * (time.monotonic() - begin))
    used = (bench.cpu_s(process.p.pid) - cpu) * 1000 / SCRAPES
    return {"ms": statistics.median(times), "cpu": used, "rss": bench.rss_mb(process.p.pid), "series": set(sut.series(text, without=("broker",)))}


def rows():
    published = "compat: 0.x\n" + (peers.DATA / "jmx" / "examples" / "kafka-2_0_0.yml").read_text()
    with tempfile.TemporaryDirectory() as work, peers.Kafka([sut.KAFKA_PORT], [sut.CONTROLLER], [sut.JMX], heap="512m") as kafka:
        kafka.topic("bench", PARTITIONS)
        kafka.produce("bench", 10000)
        file = pathlib.Path(work, "c.yml")
        for name, text in (("the document's", sut.DOCUMENT.read_text()), ("kafka-2_0_0.yml", published), ("all of JMX", EVERYTHING)):
            bench.progress(f"JMX of a broker with {PARTITIONS} partitions, rules: {name}")
            file.write_text(f"hostPort: 127.0.0.1:{sut.JMX}\n{text}")
            with sut.ours(file) as v:
                ours = measure(v, lambda v=v: sut.page(v))
            with sut.Real(file) as real:
                theirs = measure(real, real.page)
            same = f"{len(ours['series'] & theirs['series'])} of {len(theirs['series'])} series"
            for what, unit, key in (("JMX scrape", "ms", "ms"), ("  its CPU", "ms", "cpu"), ("  RSS", "MB", "rss")):
                yield Row(f"{what}, {name}", unit, PEER, theirs[key], ours[key], same if key == "ms" else "")
