# SPDX-License-Identifier: Apache-2.0
"""The document's seven panels in a real browser, beside what Kafka's own tools say.

Rates and latencies move while one looks: a panel's rate must lie within TOLERANCE of the rate between two readings of the
brokers' JMX by Kafka's JmxTool, its latency between two readings. Everything else must be equal.
"""
import concurrent.futures
import json
import re
import time

import browser
import peers
from alerts import say

TITLES = ["Kafka Broker Status", "Kafka Throughput - Messages In", "Consumer Lag by Group and Topic", "Under-Replicated Partitions", "Offline Partitions",
          "Request Rate by Type", "Request Latency (P99)"]
GREEN, YELLOW, RED = "rgb(115, 191, 105)", "rgb(250, 222, 42)", "rgb(242, 73, 92)"  # Grafana's own, dark theme
COLOURS = {GREEN: "green", YELLOW: "yellow", RED: "red"}
TOLERANCE = 0.25  # a scrape stamps offsets that are up to five seconds old: a sixth of the 30 s between two scrapes
READ = """(()=>{const p=document.querySelector('section.dpanel[aria-label=%s]');
const text=e=>e?e.innerText.trim():'';
return {state:text(p.querySelector('.body .state')),
 tiles:[...p.querySelectorAll('.stile')].map(t=>({name:text(t.querySelector('.sname')),value:text(t.querySelector('.sval')),color:getComputedStyle(t.querySelector('.sval')).color})),
 rows:[...p.querySelectorAll('tbody tr')].map(r=>({cells:[...r.children].map(text),color:getComputedStyle(r.querySelector('.lagc')||r).color})),
 legend:Object.fromEntries([...p.querySelectorAll('.legend .lg')].map(b=>[text(b.querySelector('span')),text(b.querySelector('b'))]))}})()"""


class Panels:
    def __init__(self, stage, artefacts):
        self.stage, self.cluster, self.artefacts = stage, stage.cluster, artefacts
        self.seen = {t: [] for t in TITLES}   # what was compared and was equal
        self.wrong = {t: [] for t in TITLES}

    # -- the page

    def open(self):
        body = json.dumps({"user": "admin", "password": "admin"}).encode()
        _, headers, _ = self.stage.vigie.get("grafana", "/login", method="POST", body=body, headers={"Content-Type": "application/json"})
        b = browser.Browser().__enter__()
        b.cookie(self.stage.vigie.url("grafana"), "grafana_session", re.search(r"grafana_session=(\w+)", headers["Set-Cookie"])[1])
        b.theme("dark")
        b.open(self.stage.vigie.url("grafana") + "/d/kafka-monitoring-dreamscape?from=now-15m&to=now&refresh=2s", 1600, 1400)
        return b

    def read(self, b, title):
        return b.js(READ % json.dumps(title))

    def until(self, b, title, right, what, limit=60):
        """Reads the panel until it shows what it must, keeps the picture, and the difference when it never does."""
        got = {}

        def look():
            got.update(self.read(b, title))
            return right(got)
        try:
            peers.wait_for(lambda: look() if b.js(f"!!document.querySelector('section.dpanel[aria-label={json.dumps(title)}]')") else False, limit, what)
            self.seen[title].append(what)
        except TimeoutError:
            self.wrong[title].append(f"{what}: it shows {json.dumps({k: v for k, v in got.items() if v}, ensure_ascii=False)}")
        return got

    def keep(self, b, title, when):
        """A picture of one panel; of the whole window when the page has no such panel."""
        selector = f'section.dpanel[aria-label="{title}"]'
        there = b.js(f"!!document.querySelector({json.dumps(selector)})")
        b.screenshot(self.artefacts / f"panel-{TITLES.index(title) + 1}-{when}.png", selector if there else None)

    # -- what Kafka's own tools say

    def jmx(self):
        """{broker: {bean:attribute: value}} by Kafka's JmxTool, and when."""
        def one(i):
            beans = [x for n in ("kafka.server:type=BrokerTopicMetrics,name=MessagesInPerSec", "kafka.network:type=RequestMetrics,name=RequestsPerSec,*",
                                 "kafka.network:type=RequestMetrics,name=TotalTimeMs,request=Produce", "kafka.network:type=RequestMetrics,name=TotalTimeMs,request=Fetch")
                     for x in ("--object-name", n)]
            said = self.cluster.tool("JmxTool", "--jmx-url", f"service:jmx:rmi:///jndi/rmi://127.0.0.1:{self.cluster.jmx[i]}/jmxrmi", *beans,
                                     "--attributes", "Count,99thPercentile", "--one-time", "true", "--report-format", "properties", bootstrap=False)
            return i + 1, (time.time(), {m[1]: float(m[2]) for m in re.finditer(r"^(kafka\..*)=([-\d.E]+)$", said, re.M)})
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            return dict(pool.map(one, list(self.cluster.nodes)))

    def offsets(self):
        said = self.cluster.tool("GetOffsetShell", "--topic", "traffic")
        return time.time(), sum(int(line.rsplit(":", 1)[1]) for line in said.split())

    # -- calm: every panel with data, all green

    def calm(self, wait_between):
        first, offsets = self.jmx(), self.offsets()
        b = self.open()
        try:
            end = time.monotonic() + wait_between
            self.status(b, "UP", GREEN, "calm")
            self.counts(b, GREEN, GREEN, "calm")
            b.rest(end - time.monotonic())  # rates want a minute of their own
            second, later = self.jmx(), self.offsets()
            self.rates(b, first, second, offsets, later)
            self.latency(b, second)
            self.lag(b, "calm")
            b.screenshot(self.artefacts / "dashboard-calm.png")
            if b.errors:
                self.wrong[TITLES[0]].append(f"exceptions in the page: {b.errors[:2]}")
        finally:
            b.__exit__()

    def status(self, b, word, colour, when):
        brokers = len(self.cluster.nodes)
        self.until(b, TITLES[0], lambda g: {t["name"]: (t["value"], t["color"]) for t in g["tiles"]} == {j: (word, colour) for j in ("kafka-exporter", "kafka-jmx")},
                   f"{word} in {COLOURS[colour]} with {brokers} of 3 brokers running")
        self.keep(b, TITLES[0], when)

    def counts(self, b, under_colour, offline_colour, when):
        for title, option, colour in ((TITLES[3], "--under-replicated-partitions", under_colour), (TITLES[4], "--unavailable-partitions", offline_colour)):
            # Kafka 4 empties the ISR of a partition whose last replica is gone; without a leader no broker counts it as under-replicated.
            n = len([row for row in self.cluster.describe(option) if title == TITLES[4] or "Leader: none" not in row])
            self.until(b, title, lambda g, n=n, c=colour: [(t["value"], t["color"]) for t in g["tiles"]] == [(str(n), c)], f"{n} in {COLOURS[colour]}, as kafka-topics {option}" + (" with a leader" if title == TITLES[3] else ""))
            self.keep(b, title, when)

    def rates(self, b, first, second, offsets, later):
        want = {f"broker {i}": self.rate(first[i], second[i], "kafka.server:type=BrokerTopicMetrics,name=MessagesInPerSec:Count") for i in first}
        want["traffic (offset)"] = (later[1] - offsets[1]) / (later[0] - offsets[0])
        self.near(b, TITLES[1], want, "messages in as JmxTool and kafka-get-offsets")
        by_type = {}
        for i in first:
            for key in second[i][1]:
                if m := re.search(r"RequestsPerSec,request=(\w+),version=\d+:Count", key):
                    by_type.setdefault(m[1], {}).setdefault(i, 0)
                    by_type[m[1]][i] += self.rate(first[i], second[i], key)
        means = {t: sum(r.values()) / len(r) for t, r in by_type.items()}
        self.near(b, TITLES[5], {t: r for t, r in means.items() if r >= 1}, "requests as JmxTool")

    @staticmethod
    def rate(a, b, key):
        return (b[1][key] - a[1].get(key, 0)) / (b[0] - a[0])

    def near(self, b, title, want, what):
        def right(g):
            return all(abs(number(g["legend"].get(k, "nan")) - v) <= max(TOLERANCE * v, 0.2) for k, v in want.items())
        self.until(b, title, right, f"{what}: " + ", ".join(f"{k} {v:.2f}/s" for k, v in sorted(want.items())))
        self.keep(b, title, "calm")

    def latency(self, b, before):
        def both(g):
            now = self.jmx()
            for request in ("Produce", "Fetch"):
                for i in now:
                    key = f"kafka.network:type=RequestMetrics,name=TotalTimeMs,request={request}:99thPercentile"
                    a, c, shown = before[i][1][key], now[i][1][key], number(g["legend"].get(f"{request}, broker {i}", "nan"))
                    if not min(a, c) * 0.9 - 0.5 <= shown <= max(a, c) * 1.1 + 0.5:
                        return False
            said.update({f"{r}, broker {i}": now[i][1][f"kafka.network:type=RequestMetrics,name=TotalTimeMs,request={r}:99thPercentile"] for r in ("Produce", "Fetch") for i in now})
            return True
        said = {}
        self.until(b, TITLES[6], both, "P99 of Produce and Fetch of each broker as JmxTool", 90)
        if said:
            self.seen[TITLES[6]][-1] += ": " + ", ".join(f"{k} {v:g} ms" for k, v in sorted(said.items()))
        self.keep(b, TITLES[6], "calm")

    def lag(self, b, when):
        """Every row of kafka-consumer-groups, the largest lag first, each in its colour."""
        said = [(g, t, str(p), lag) for (g, t, p), (_, _, lag) in self.cluster.groups().items() if lag is not None]
        colour = {lag: RED if lag >= 10000 else YELLOW if lag >= 1000 else GREEN for *_, lag in said}

        def right(g):
            shown = [(*r["cells"][:3], int(number(r["cells"][3])), r["color"]) for r in g["rows"]]
            lags = [r[3] for r in shown]
            return lags == sorted(lags, reverse=True) and sorted(shown) == sorted((*r, colour[r[3]]) for r in said)
        used = sorted({COLOURS[c] for c in colour.values()})
        self.until(b, TITLES[2], right, f"{len(said)} rows as kafka-consumer-groups, descending, {' '.join(used)}")
        self.keep(b, TITLES[2], when)

    # -- incidents

    def replicas_gone(self):
        b = self.open()
        try:
            self.counts(b, YELLOW, RED, "incident")
            self.lag(b, "incident")
            b.screenshot(self.artefacts / "dashboard-incident.png")
        finally:
            b.__exit__()

    def all_gone(self):
        b = self.open()
        try:
            self.status(b, "DOWN", RED, "incident")
        finally:
            b.__exit__()

    def rows(self):
        return [[t, "wrong: " + "; ".join(self.wrong[t]) if self.wrong[t] else "right" if self.seen[t] else "never looked at", "; ".join(self.seen[t])] for t in TITLES]


def number(text):
    m = re.match(r"-?[\d,.\s\u202f]+", text)
    return float(re.sub(r"[,\s\u202f]", "", m[0])) if m else float("nan")


def every_name(stage, names):
    """Issue 3, point 2: each JMX name with three broker labels, lag as Kafka's tool says, messages-in as produced, promtool content."""
    import subprocess
    vigie, cluster = stage.vigie, stage.cluster
    for name in names:
        count = 3 if name.startswith(("kafka_server", "kafka_controller", "kafka_network")) else 0
        stage.wait(lambda: len({s["metric"].get("broker") for s in vigie.query(name)} - {None}) == 3 if count else vigie.query(name), 60, f"series of {name}")
    brokers = {s["metric"]["broker"] for s in vigie.query("kafka_server_replicamanager_partitioncount")}
    assert brokers == {"1", "2", "3"}, brokers
    for (group, topic, partition), (committed, end, lag) in cluster.groups().items():
        if committed is None:
            continue
        at = f'{{consumergroup="{group}",topic="{topic}",partition="{partition}"}}'
        stage.wait(lambda: vigie.value("kafka_consumergroup_lag" + at) == lag, 60, f"lag {lag} of {at}")
        assert vigie.value("kafka_consumergroup_current_offset" + at) == committed == vigie.value("kafka_consumergroup_offset" + at), at
        assert vigie.value(f'kafka_topic_partition_current_offset{{topic="{topic}",partition="{partition}"}}') == end, at
    for role in ("kafka-exporter", "jmx-exporter"):
        page = vigie.get(role, "/metrics")[2]
        run = subprocess.run(["promtool", "check", "metrics"], input=page, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
        # Hints about the style of the document's own names (code 3) are not errors of the format.
        assert run.returncode in (0, 3) and "error" not in run.stdout.lower(), run.stdout[:500]
    say("every name of the document's tables is there, with three brokers; lag and offsets are Kafka's own; promtool takes both pages")


def messages_in(stage, produce, records):
    """The brokers' counters, as the JMX page gives them, rise by what was produced and by nothing else."""
    def total():
        page = peers.samples(stage.vigie.get("jmx-exporter", "/metrics")[2])
        return sum(float(v) for s, v in page.items() if s.startswith("kafka_server_brokertopicmetrics_messagesin_total{"))
    before = total()
    produce()
    stage.wait(lambda: total() - before >= records, 30, f"{records} messages in")
    assert total() - before == records, f"{total() - before} messages came in, {records} were produced"
    say(f"messages-in of the three brokers rose by the {records} that were produced")
