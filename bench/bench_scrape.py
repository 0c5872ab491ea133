# SPDX-License-Identifier: Apache-2.0
"""Scraping one target of 100,000 series every 5 s, then queries over them: Debian's prometheus and ours in turn.

The target's values depend only on how often it was asked, and each run has a target of its own: so the k-th scrape of both holds
the same values, and the queries, asked at the k-th scrape's time, must answer the same to the last bit. CPU a scrape is process CPU
over whole scrapes in the steady state; RSS is taken at the end of it; queries run when the target has gone.
"""
import contextlib
import json
import statistics
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

import bench
from bench import Row, peers

THOUSANDS, SCRAPES, INTERVAL, ROUNDS, TIMES = 100, 8, 5, 2, 5
EXPO = bench.ROOT / "build" / "bench" / "expo"
PEER = "prometheus 2.42"
SCRAPED = "scrape_samples_scraped"
# What is asked, at one instant or over a minute.
QUERIES = (
    ("count by (__name__) ({job='expo'})", False),
    ("sum by (consumergroup) (kafka_consumergroup_lag)", False),
    ("topk(10, kafka_consumergroup_lag)", False),
    ("kafka_consumergroup_lag > 1990", False),
    ("quantile by (topic) (0.9, kafka_consumergroup_lag)", False),
    ("sum by (topic) (kafka_consumergroup_lag)", True),
    ("max by (consumergroup) (kafka_consumergroup_current_offset)", True),
    ("kafka_consumergroup_lag{topic='orders.events.v1.007'}", True),
)


def api(port, path, **parameters):
    url = f"http://127.0.0.1:{port}/api/v1/{path}?" + urllib.parse.urlencode(parameters)
    return json.load(urllib.request.urlopen(url, timeout=60))["data"]["result"]


def scrape_times(port):
    """Milliseconds of the scrapes that brought something."""
    r = api(port, "query", query=f"{SCRAPED}[1h]")
    return [round(t * 1000) for t, v in r[0]["values"] if float(v) > 0] if r else []


def answer(port, query, is_range, times):
    """The result without its times, in one order: what both must agree on. A second after a scrape, so that its jitter does not count."""
    at = times[0] / 1000 + 1
    if is_range:
        found = api(port, "query_range", query=query, start=at, end=at + INTERVAL * (SCRAPES - 1), step=INTERVAL)
        return sorted((json.dumps(s["metric"], sort_keys=True), [v for _, v in s["values"]]) for s in found)
    return sorted((json.dumps(s["metric"], sort_keys=True), s["value"][1]) for s in api(port, "query", query=query, time=at))


def measure_queries(server, port, times):
    answers, cpu = [], server.cpu_s()
    for query, is_range in QUERIES:
        for _ in range(TIMES):
            got = answer(port, query, is_range, times)
        answers.append(got)
    return answers, (server.cpu_s() - cpu) * 1000 / TIMES


@contextlib.contextmanager
def target(port):
    with peers.Process([EXPO, port, THOUSANDS], "/dev/null") as p:
        peers.wait_for(lambda: peers.listening(port), 10, "the target")
        yield p


def measure(name, program, target_port):
    port = peers.free_port()
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as work, contextlib.ExitStack() as stack:
        yml = f"{work}/prometheus.yml"
        with open(yml, "w") as f:
            f.write(f"global: {{scrape_interval: {INTERVAL}s, scrape_timeout: 4s}}\n"
                    f"scrape_configs: [{{job_name: expo, static_configs: [{{targets: ['127.0.0.1:{target_port}']}}]}}]\n")
        expo = stack.enter_context(target(target_port))
        flags = [f"--config.file={yml}", f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={work}/data", "--log.level=error"]
        s = stack.enter_context(bench.Server(name, [*program, *flags], f"http://127.0.0.1:{port}/-/ready"))
        peers.wait_for(lambda: len(scrape_times(port)) >= 3, 90, f"three scrapes of {name}")
        cpu, before = s.cpu_s(), len(scrape_times(port))
        time.sleep(INTERVAL * SCRAPES)
        out = {"cpu": (s.cpu_s() - cpu) * 1000 / (len(scrape_times(port)) - before), "rss": s.rss_mb()}
        expo.stop()
        peers.wait_for(lambda: api(port, "query", query="up == 0"), 30, "the target's end to be seen")
        out["answers"], out["queries"] = measure_queries(s, port, scrape_times(port))
        return out


def rows():
    runs, target_port = {"theirs": [], "ours": []}, peers.free_port()
    for i in range(ROUNDS):
        for side, name, program in (("theirs", PEER, ["/usr/bin/prometheus"]), ("ours", "vigie", [bench.VIGIE, "prometheus"])):
            bench.progress(f"{THOUSANDS}k series, {name}, round {i + 1} of {ROUNDS}")
            runs[side].append(measure(name, program, target_port))
    differing = [q for i, (q, _) in enumerate(QUERIES) if runs["theirs"][0]["answers"][i] != runs["ours"][0]["answers"][i]]
    same = f"{len(QUERIES) - len(differing)} of {len(QUERIES)} equal"
    for query in differing:
        bench.progress(f"different answers: {query}")
    mid = {side: {k: statistics.median(r[k] for r in v) for k in ("cpu", "rss", "queries")} for side, v in runs.items()}
    for what, unit, key, answers in ((f"CPU a scrape of {THOUSANDS}k series", "ms", "cpu", ""), (f"RSS at {THOUSANDS}k series", "MB", "rss", ""),
                                     (f"CPU of {len(QUERIES)} queries over them", "ms", "queries", same)):
        yield Row(what, unit, PEER, mid["theirs"][key], mid["ours"][key], answers)
