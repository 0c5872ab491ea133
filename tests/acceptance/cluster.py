# SPDX-License-Identifier: Apache-2.0
"""The cluster of the acceptance run, and the causes: three brokers, traffic, a backlog, a storm of requests, a small disk.

Broker 2's second log dir is a tmpfs of a few MB. Everything here ends with its block.
"""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import peers
from peers import wait_for

PREFIX = "vigie-acceptance-"
DISK_MB = 48


def mounted():
    """Mount points of this kind of run, by anybody."""
    return [f[1] for f in (line.split() for line in pathlib.Path("/proc/mounts").read_text().splitlines()) if PREFIX in f[1]]


def clear_away():
    """What a run that was killed left behind: its name holds the number of a process that is gone."""
    for point in mounted():
        owner = re.search(PREFIX + r"(\d+)-", point)
        if owner and not pathlib.Path(f"/proc/{owner[1]}").exists():
            subprocess.run(["umount", "-l", point], check=False)
    for folder in pathlib.Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        owner = re.match(PREFIX + r"(\d+)-", folder.name)
        if owner and not pathlib.Path(f"/proc/{owner[1]}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def home():
    clear_away()
    return pathlib.Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))


@contextlib.contextmanager
def small_disk(point):
    """A file system of DISK_MB: a tmpfs, which only root may mount."""
    point.mkdir(parents=True)
    run = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "vigie-acceptance", point], capture_output=True, text=True, check=False)
    if run.returncode:
        raise peers.Missing(f"a small file system cannot be mounted at {point} ({run.stderr.strip().splitlines()[0]}): run this as root, "
                            "or in a container with --cap-add SYS_ADMIN")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", point], check=False)


class Cluster(peers.Kafka):
    """Three brokers that are controllers, too, with two log dirs each."""

    def __init__(self, folder):
        super().__init__(folder=folder, nodes=3, heap="256m", settings={
            "auto.leader.rebalance.enable": "true",
            "leader.imbalance.check.interval.seconds": 2,
            "leader.imbalance.per.broker.percentage": 0,
            "broker.session.timeout.ms": 12000,
            "log.segment.delete.delay.ms": 1000,
            "log.initial.task.delay.ms": 1000,
        })
        self.disk = self.folder / "data2" / "small"

    def log_dirs(self, i):
        first = self.folder / f"data{i + 1}" / "first"
        return first, self.disk if i == 1 else self.folder / f"data{i + 1}" / "second"

    def properties(self, i):
        dirs = self.log_dirs(i)  # a later row wins
        return super().properties(i) + f"log.dirs={dirs[0]},{dirs[1]}\nmetadata.log.dir={dirs[0]}\n"

    def create(self, topic, placement, **config):
        """placement: "1:2,2:3" as in kafka-topics --replica-assignment."""
        settings = [x for k, v in config.items() for x in ("--config", f"{k.replace('_', '.')}={v}")]
        self.tool("TopicCommand", "--create", "--topic", topic, "--replica-assignment", placement, *settings)

    def move_to_disk(self, topic):
        """Partition 0 of the topic into the small log dir of broker 2."""
        file = self.folder / "move.json"
        file.write_text('{"version":1,"partitions":[{"topic":"%s","partition":0,"replicas":[2],"log_dirs":["%s"]}]}' % (topic, self.disk))
        self.tool("reassign.ReassignPartitionsCommand", "--reassignment-json-file", str(file), "--execute")
        wait_for(lambda: (self.disk / f"{topic}-0").is_dir(), 60, f"{topic} in {self.disk}")

    def disk_used(self):
        s = os.statvfs(self.disk)
        return 1 - s.f_bavail / s.f_blocks

    def fill(self, topic, share):
        """Produces until the small disk is used to that share."""
        block = 256 << 10
        s = os.statvfs(self.disk)
        records = int((share * s.f_blocks - (s.f_blocks - s.f_bavail)) * s.f_frsize / block + 0.5)
        feed(self.bootstrap, topic, 0, (b"x" * (block - 200) for _ in range(records)), "-X", "message.max.bytes=1000000")
        wait_for(lambda: abs(self.disk_used() - share) < 0.015, 30, f"{share:.0%} of the small disk (it is at {self.disk_used():.1%})")

    def active_controller(self):
        """Index of the node that leads the controllers."""
        said = self.tool("MetadataQuorumCommand", "describe", "--status")
        return int(re.search(r"LeaderId:\s+(\d+)", said)[1]) - 1

    def signal(self, i, sig):
        self.nodes[i].p.send_signal(sig)

    def describe(self, *what):
        return [line for line in self.tool("TopicCommand", "--describe", *what).splitlines() if "Partition: " in line]

    def whole(self):
        """All brokers are back, in sync, and lead what they should."""
        rows = self.describe()
        return rows and not [r for r in rows if not self.in_order(r)]

    @staticmethod
    def in_order(row):
        f = {k: v for k, v in re.findall(r"(Leader|Replicas|Isr): ([\w,]+)", row)}
        return f.get("Leader") == f["Replicas"].split(",")[0] and sorted(f["Replicas"].split(",")) == sorted(f.get("Isr", "").split(","))

    def consume_all(self, group, topic, records):
        """The group reads what it has not read, and ends."""
        self.tool("ConsumerPerformance", "--topic", topic, "--group", group, "--num-records", str(records), "--timeout", "15000")


def feed(bootstrap, topic, partition, records, *flags):
    """Produces these records to one partition and returns when all are acknowledged."""
    argv = ["kcat", "-P", "-b", bootstrap, "-t", topic, "-p", str(partition), "-X", "acks=all", *flags]
    run = subprocess.run(argv, input=b"\n".join(records) + b"\n", capture_output=True, timeout=120, check=False)
    if run.returncode:
        raise RuntimeError(f"kcat to {topic}: {run.stderr.decode()[-400:]}")


class Traffic:
    """A steady stream: `rate` records a second to each partition of a topic."""

    def __init__(self, bootstrap, topic, partitions, rate):
        self.bootstrap, self.topic, self.partitions, self.rate = bootstrap, topic, partitions, rate
        self.sent, self.on = 0, None

    def start(self, rate=None):
        self.rate = rate or self.rate
        self.on = threading.Event()
        self.pipes = [subprocess.Popen(["kcat", "-P", "-b", self.bootstrap, "-t", self.topic, "-p", str(p), "-X", "acks=1", "-X", "linger.ms=5",
                                        "-X", "message.send.max.retries=100000"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) for p in range(self.partitions)]
        self.thread = threading.Thread(target=self.pump, args=(self.on,), daemon=True)
        self.thread.start()

    def pump(self, on):
        due = time.monotonic()
        while not on.is_set():
            for p in self.pipes:
                with contextlib.suppress(OSError):
                    p.stdin.write(b"tick %.3f\n" % time.time())
                    p.stdin.flush()
                    self.sent += 1
            due += 1 / self.rate
            on.wait(max(0, due - time.monotonic()))

    def stop(self):
        """Returns when everything is acknowledged (or the brokers are gone)."""
        if self.on is None:
            return
        self.on.set()
        self.thread.join()
        for p in self.pipes:
            with contextlib.suppress(OSError):
                p.stdin.close()
        for p in self.pipes:
            try:
                p.wait(15)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.on = None


class Stubborn:
    """A producer whose records the brokers refuse, and which tries again and again."""

    def __init__(self, bootstrap, topic):
        self.p = subprocess.Popen(["kcat", "-P", "-b", bootstrap, "-t", topic, "-p", "0", "-X", "acks=all", "-X", "message.send.max.retries=1000000",
                                   "-X", "retry.backoff.ms=300", "-X", "message.timeout.ms=0"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.p.stdin.write(b"refused\n")
        self.p.stdin.close()

    def stop(self):
        try:
            self.p.wait(15)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()


class Storm:
    """A client gone wild: `rate` ApiVersions requests a second to one broker, in packs of fifty."""

    PACK = 50

    def __init__(self, port, rate):
        self.port, self.rate, self.end, self.failed = port, rate, threading.Event(), None

    def __enter__(self):
        self.thread = threading.Thread(target=self.blow, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join()

    def blow(self):
        request = struct.pack(">hhi", 18, 0, 1) + struct.pack(">h", 5) + b"storm"
        pack = (struct.pack(">i", len(request)) + request) * self.PACK
        due = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.port), 10) as s:
            s.settimeout(20)
            while not self.end.is_set():
                s.sendall(pack)
                for _ in range(self.PACK):
                    left = struct.unpack(">i", self.exactly(s, 4))[0]
                    self.exactly(s, left)
                due += self.PACK / self.rate
                self.end.wait(max(0, due - time.monotonic()))

    @staticmethod
    def exactly(s, n):
        out = b""
        while len(out) < n:
            got = s.recv(n - len(out))
            if not got:
                raise OSError("the broker hung up")
            out += got
        return out


class Flapping:
    """A broker that stands still for longer than replicas may lag, again and again: each time it leaves the ISR."""

    def __init__(self, cluster, i, still=7.0, awake=6.0):
        self.cluster, self.i, self.still, self.awake = cluster, i, still, awake
        self.end = threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.flap, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.end.set()
        self.thread.join()

    def flap(self):
        while not self.end.is_set():
            self.cluster.signal(self.i, signal.SIGSTOP)
            self.end.wait(self.still)
            self.cluster.signal(self.i, signal.SIGCONT)
            self.end.wait(self.awake)
