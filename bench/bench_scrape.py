# SPDX-License-Identifier: Apache-2.0
"""B2: scraping one target of 100,000 series every 5 s, Debian's prometheus and ours in turn on the same target.

CPU a scrape is process CPU over whole scrapes in the steady state; RSS is taken at the end. Answers are compared first.
"""
import json
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import bench

THOUSANDS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
SCRAPES = int(sys.argv[2]) if len(sys.argv) > 2 else 8
INTERVAL = 5
EXPO = bench.ROOT / "build" / "bench" / "expo"


def config(path, target):
    path.write_text(f"global: {{scrape_interval: {INTERVAL}s, scrape_timeout: 4s}}\n"
                    f"scrape_configs: [{{job_name: expo, static_configs: [{{targets: ['127.0.0.1:{target}']}}]}}]\n")


def query(port, expr):
    url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expr})
    return json.load(urllib.request.urlopen(url, timeout=60))["data"]["result"]


def scrapes_done(port):
    r = query(port, "sum(count_over_time(scrape_samples_scraped[1h]))")
    return float(r[0]["value"][1]) if r else 0


def measure(name, argv, port):
    with bench.Server(name, argv, f"http://127.0.0.1:{port}/-/ready") as s:
        bench.peers.wait_for(lambda: scrapes_done(port) >= 3, 90, f"three scrapes of {name}")
        series = float(query(port, 'count({job="expo",__name__=~"kafka_.*"})')[0]["value"][1])
        cpu, n = s.cpu_s(), scrapes_done(port)
        time.sleep(INTERVAL * SCRAPES)
        return {"cpu_ms": (s.cpu_s() - cpu) * 1000 / (scrapes_done(port) - n), "rss": s.rss_mb(), "series": series}


def main():
    bench.machine()
    target, theirs, ours = (bench.peers.free_port() for _ in range(3))
    expo = subprocess.Popen([EXPO, str(target), str(THOUSANDS)])
    yml = bench.ROOT / "build" / "bench" / "scrape.yml"
    config(yml, target)
    try:
        data = bench.ROOT / "build" / "bench"
        runs = {"prom": [], "vigie": []}
        for i in range(2):
            runs["prom"].append(measure("prometheus", ["/usr/bin/prometheus", f"--config.file={yml}", f"--web.listen-address=127.0.0.1:{theirs}",
                                                       f"--storage.tsdb.path={data}/prom-{target}-{i}", "--log.level=error"], theirs))
            runs["vigie"].append(measure("vigie", [bench.VIGIE, "prometheus", f"--config.file={yml}", f"--web.listen-address=127.0.0.1:{ours}",
                                                   f"--storage.tsdb.path={data}/ours-{target}-{i}", "--log.level=error"], ours))
        if runs["prom"][0]["series"] != runs["vigie"][0]["series"]:
            sys.exit(f"different series: {runs['prom'][0]['series']} and {runs['vigie'][0]['series']}")
        for what, unit, key in ((f"scrape of {THOUSANDS}k series, CPU", "ms", "cpu_ms"), (f"RSS at {THOUSANDS}k series", "MB", "rss")):
            bench.row(what, bench.median([r[key] for r in runs["prom"]]), bench.median([r[key] for r in runs["vigie"]]), unit, "prometheus 2.42")
    finally:
        expo.kill()
        subprocess.run(f"rm -rf {data}/prom-{target}-* {data}/ours-{target}-*", shell=True, check=False)


main()
