# SPDX-License-Identifier: Apache-2.0
"""make acceptance: the document's twelve alerts by their true causes, its seven panels with data, on three real brokers.

    /usr/bin/python3 -u tests/acceptance/acceptance.py build/release/vigie [--true-durations]

Root is needed for one small tmpfs. What stays of a run is in build/acceptance: pictures, logs, the two tables.
"""
import argparse
import contextlib
import json
import pathlib
import shutil
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integ"))
import cluster as causes  # noqa: E402
import panels as page  # noqa: E402
import peers  # noqa: E402
from alerts import DOCUMENT, Case, say  # noqa: E402
from stage import Stage  # noqa: E402

NAMES = [
    "kafka_consumergroup_lag", "kafka_consumergroup_current_offset", "kafka_consumergroup_offset",
    "kafka_server_brokertopicmetrics_messagesin_total", "kafka_server_brokertopicmetrics_bytesi_total", "kafka_server_brokertopicmetrics_bytesin_total",
    "kafka_server_brokertopicmetrics_bytesout_total", "kafka_server_replicamanager_underreplicatedpartitions",
    "kafka_controller_kafkacontroller_offlinepartitionscount", "kafka_network_requestmetrics_requests_total",
    "kafka_network_requestmetrics_99percentile", "kafka_network_requestmetrics_totaltimems",
    "kafka_server_replicamanager_isrshrinks_total", "kafka_server_replicamanager_isrexpands_total",
]


class Acceptance:
    def __init__(self, stage, artefacts, rate):
        self.stage, self.cluster = stage, stage.cluster
        self.panels = page.Panels(stage, artefacts)
        self.traffic = causes.Traffic(self.cluster.bootstrap, "traffic", 3, rate)
        kafka, jmx = "kafka-exporter", "kafka-jmx"
        rows = [
            ("KafkaBrokerDown", "all three brokers are stopped", kafka, {"takes": 5}),
            ("KafkaJMXExporterDown", "the brokers run on without their JMX ports", jmx, {}),
            ("KafkaConsumerLagHigh", "a group stands still, 2,500 records come in", kafka, {}),
            ("KafkaConsumerLagCritical", "a group stands still, 12,000 records come in", kafka, {}),
            ("KafkaUnderReplicatedPartitions", "broker 3 is killed: followers are gone", jmx, {"takes": 12}),
            ("KafkaOfflinePartitions", "broker 3 is killed: it had the only replica", jmx, {"takes": 18}),
            ("KafkaHighRequestRate", "a client asks broker 1 3,000 times a second", jmx, {"window": "5m"}),
            ("KafkaLowMessagesInRate", "all producers fall silent", jmx, {"window": "10m"}),
            ("KafkaFailedProduceRequests", "produce with too few replicas in sync", jmx, {"takes": 5}),
            ("KafkaISRShrinks", "a follower stands still again and again", jmx, {}),
            ("KafkaDiskUsageHigh", "the small log dir is filled to 81 %", kafka, {"takes": self.stage.scaled("30s")}),
            ("KafkaDiskUsageCritical", "the small log dir is filled to 96 %", kafka, {"takes": self.stage.scaled("30s")}),
        ]
        self.case = {name: Case(stage, name, cause, sees, **more) for name, cause, sees, more in rows}
        assert list(self.case) == list(DOCUMENT)

    def cases(self, *names):
        return [self.case[n] for n in names]

    # -- the acts

    def prepare(self):
        """Topics where the causes want them; groups that have read everything."""
        c = self.cluster
        c.create("traffic", "1:2:3,2:3:1,3:1:2")
        c.create("orders", "2:1,1:2,2:1")
        c.create("payments", "1:2")
        c.create("strict", "1:3", min_insync_replicas=2)
        c.create("lonely", "3")
        c.create("archive", "2", max_message_bytes=1000000)
        c.move_to_disk("archive")

        def produce():
            for partition in range(3):
                causes.feed(c.bootstrap, "orders", partition, (b"order %d" % i for i in range(300)))
            causes.feed(c.bootstrap, "payments", 0, (b"payment %d" % i for i in range(100)))
            causes.feed(c.bootstrap, "archive", 0, [b"first"])
        self.stage.wait(lambda: self.stage.vigie.get("jmx-exporter", "/metrics")[0] == 200, 60, "the JMX page")
        page.messages_in(self.stage, produce, 1001)
        c.consume_all("billing", "orders", 900)
        c.consume_all("reporting", "payments", 100)
        self.traffic.start()
        peers.wait_for(c.whole, 60, "all partitions in order")
        page.every_name(self.stage, NAMES)

    def calm(self):
        self.stage.wait(self.stage.quiet, self.stage.scaled("10m") + 60, "no alert but the watchdog")
        say("all is calm; the seven panels")
        self.panels.calm(60)

    def slow_follower_and_full_disk(self):
        """A follower that stands still again and again; on another broker a log dir fills up."""
        high, critical, shrinks = self.cases("KafkaDiskUsageHigh", "KafkaDiskUsageCritical", "KafkaISRShrinks")
        leader = self.cluster.active_controller()
        before = self.shrinks()
        with causes.Flapping(self.cluster, 0 if leader == 2 else 2) as flapping:
            shrinks.begun(self.stage.wait(lambda: self.shrunk(before), 60, "an ISR to shrink"))
            self.cluster.fill("archive", 0.81)
            high.begun()
            high.fired()
            shrinks.fired()
            flapping.stop()
            shrinks.ended()
        self.cluster.fill("archive", 0.96)
        critical.begun()
        critical.fired()
        self.cluster.tool("TopicCommand", "--delete", "--topic", "archive")
        peers.wait_for(lambda: self.cluster.disk_used() < 0.5, 60, "the deleted topic's segments to go")
        high.ended()
        critical.ended()
        limit = self.stage.scaled("3m") + 30
        high.healed(limit)
        critical.healed(limit)
        shrinks.healed(self.stage.scaled("6m") + 30)

    def shrinks(self):
        """How often the brokers say that an ISR shrank, from their page itself."""
        page = peers.samples(self.stage.vigie.get("jmx-exporter", "/metrics")[2])
        return max(float(v) for s, v in page.items() if s.startswith("kafka_server_replicamanager_isrshrinks_total{"))

    def shrunk(self, before):
        """When it was looked, if they shrank since."""
        looked = time.time()
        return looked if self.shrinks() > before else None

    def dead_broker_and_backlog(self):
        """Broker 3 dies: replicas gone, the only replica gone, produce refused. Two groups stand still meanwhile."""
        under, offline, refused, late, later = self.cases("KafkaUnderReplicatedPartitions", "KafkaOfflinePartitions", "KafkaFailedProduceRequests",
                                                          "KafkaConsumerLagHigh", "KafkaConsumerLagCritical")
        peers.wait_for(self.cluster.whole, 60, "all partitions in order")
        self.cluster.stop(2, signal.SIGKILL)
        under.begun()
        offline.begun()
        self.stage.wait(lambda: self.stage.vigie.alert(offline.name), 60, "the controller to miss broker 3")
        stubborn = causes.Stubborn(self.cluster.bootstrap, "strict")
        try:
            refused.begun()
            causes.feed(self.cluster.bootstrap, "orders", 0, (b"order %d" % i for i in range(2500)))
            late.begun()
            causes.feed(self.cluster.bootstrap, "payments", 0, (b"payment %d" % i for i in range(12000)))
            later.begun()
            offline.fired()
            self.panels.replicas_gone()
            for case in (under, refused, late, later):
                case.fired(60)
            self.cluster.consume_all("billing", "orders", 2500)
            self.cluster.consume_all("reporting", "payments", 12000)
            late.ended()
            later.ended()
            self.cluster.start(2)
            self.cluster.ready(2)
            peers.wait_for(self.cluster.whole, 90, "all partitions in order")
            for case in (under, offline, refused):
                case.ended()
        finally:
            stubborn.stop()
        for case in (late, later, under, offline):
            case.healed(self.stage.scaled("3m") + 30)
        refused.healed(self.stage.scaled("6m") + 30)

    def silence_and_storm(self):
        low, high = self.cases("KafkaLowMessagesInRate", "KafkaHighRequestRate")
        self.stage.wait(self.stage.quiet, self.stage.scaled("10m") + 60, "no alert but the watchdog")
        self.traffic.stop()
        low.begun()
        with causes.Storm(self.cluster.ports[0], 3000):
            high.begun()
            high.fired()
        high.ended()
        high.healed(self.stage.scaled("6m") + 30)
        low.fired()
        self.traffic.start(20)  # the producers catch up
        low.ended()
        low.healed(self.stage.scaled("11m") + 30)

    def ports_gone_then_brokers(self):
        jmx, down = self.cases("KafkaJMXExporterDown", "KafkaBrokerDown")
        peers.wait_for(self.cluster.whole, 90, "all partitions in order")
        for i in range(3):
            self.cluster.stop(i)
            gone = time.time()
            self.cluster.start(i, jmx=False)
            self.cluster.ready(i, jmx=False)
        jmx.begun(gone)
        jmx.fired()
        if self.stage.vigie.alert(down.name):
            down.wrong.append("active while the brokers ran")
        self.traffic.stop()
        early = list(down.wrong) if down.wrong != ["never begun"] else []
        for i in range(3):
            self.cluster.stop(i, signal.SIGKILL)
        down.begun()
        down.wrong += early
        down.fired()
        self.panels.all_gone()
        for i in range(3):
            self.cluster.start(i)
        for i in range(3):
            self.cluster.ready(i)
        jmx.ended()
        down.ended()
        for case in (jmx, down):
            case.healed(self.stage.scaled("3m") + 60)

    def run(self):
        acts = [self.prepare, self.calm, self.slow_follower_and_full_disk, self.dead_broker_and_backlog, self.silence_and_storm, self.ports_gone_then_brokers]
        try:
            for act in acts:
                say(f"== {act.__name__.replace('_', ' ')}")
                act()
        finally:
            self.traffic.stop()


def table(head, rows):
    wide = [max(len(str(r[i])) for r in [head, *rows]) for i in range(len(head))]
    line = lambda r: "| " + " | ".join(str(x).ljust(w) for x, w in zip(r, wide)) + " |"  # noqa: E731
    return "\n".join([line(head), "|" + "|".join("-" * (w + 2) for w in wide) + "|", *map(line, rows)])


def report(run, factor, began, artefacts):
    """Both tables, on the screen and in the folder; whether every cell is right."""
    cases = list(run.case.values())
    wrong = [f"{c.name}: {w}" for c in cases for w in c.wrong]
    text = (f"durations of the document divided by {factor:g}; {time.time() - began:.0f} s\n\n"
            + table(["alert", "cause", "pending after", "firing after", "mail", "slack", "resolved"], [c.row() for c in cases]) + "\n\n"
            + table(["panel", "values and colours", "compared"], run.panels.rows()) + "\n")
    if wrong:
        text += "\nwrong:\n" + "".join(f"  {w}\n" for w in wrong)
    (artefacts / "report.md").write_text(text)
    print("\n" + text, flush=True)
    return not wrong and all("no" not in c.row() for c in cases) and all(r[1] == "right" for r in run.panels.rows())


def keep(stage, artefacts):
    """The log, and what people were told."""
    shutil.copy(stage.folder / "vigie.log", artefacts)
    for n, mail in enumerate(stage.mail.mails, 1):
        (artefacts / f"mail-{n:02}.eml").write_bytes(mail.content)
    (artefacts / "slack.json").write_text(json.dumps(stage.slack.bodies, ensure_ascii=False, indent=1))


def end_once(sig, _frame):
    """Ends the run; a second Ctrl-C does not stop the cleaning."""
    for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(s, signal.SIG_IGN)
    say("ending, and clearing away what was started")
    sys.exit(128 + sig)


def main():
    options = argparse.ArgumentParser(description="The document's alerts and panels on three real brokers.")
    options.add_argument("vigie", type=pathlib.Path)
    options.add_argument("--factor", type=float, default=5, help="the document's durations are divided by this (5)")
    options.add_argument("--true-durations", action="store_const", const=1.0, dest="factor", help="as the document says: about 50 minutes")
    options.add_argument("--artefacts", type=pathlib.Path, default=peers.ROOT / "build" / "acceptance")
    o = options.parse_args()
    o.factor = int(o.factor) if o.factor == int(o.factor) else o.factor
    shutil.rmtree(o.artefacts, ignore_errors=True)
    o.artefacts.mkdir(parents=True)
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, end_once)
    began, folder, run = time.time(), causes.home(), None
    try:
        with contextlib.ExitStack() as s:
            cluster = causes.Cluster(folder / "kafka")
            s.enter_context(causes.small_disk(cluster.disk))
            say("starting three brokers")
            s.enter_context(cluster)
            stage = s.enter_context(Stage(o.vigie.resolve(), cluster, folder, o.factor))
            s.callback(keep, stage, o.artefacts)
            run = Acceptance(stage, o.artefacts, 2 if o.factor == 1 else 5)
            run.run()
    except peers.Missing as e:
        sys.exit(str(e))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        right = report(run, o.factor, began, o.artefacts) if run else False
    sys.exit(0 if right else 1)


main()
