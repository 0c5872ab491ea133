# SPDX-License-Identifier: Apache-2.0
"""What the integration tests share: real peers, fetched once, started on given ports, ended for sure.

    with peers.Kafka(ports=[19092]) as kafka:
        kafka.tool("TopicCommand", "--create", "--topic", "orders", "--partitions", "6")

Downloads go to VIGIE_CACHE (default ~/.cache/vigie) and stay there. Every wait is for a condition, with a
deadline that says what was waited for. A peer that cannot be had ends the test with a sentence, not a skip.
"""
import base64
import contextlib
import fcntl
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

KAFKA = "4.4.0"
CACHE = pathlib.Path(os.environ.get("VIGIE_CACHE") or pathlib.Path.home() / ".cache" / "vigie")
ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("VIGIE_DATA") or ROOT / ".." / "shared" / "data").resolve()

# A killed test still ends what it started: every peer is stopped on the way out.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


class Missing(Exception):
    """Something this machine does not have; the text says what to do."""


def need(program, hint):
    if not shutil.which(program):
        raise Missing(f"{program} is not installed: {hint}")


def wait_for(condition, seconds, what):
    """The first true value of condition(); it may raise OSError while the peer is not there yet."""
    end = time.monotonic() + seconds
    last = None
    while time.monotonic() < end:
        try:
            value = condition()
            if value:
                return value
        except OSError as e:
            last = e
        time.sleep(0.05)
    raise TimeoutError(f"waited {seconds} s for {what}" + (f" (last: {last})" if last else ""))


given_ports = set()


def free_port():
    """Below the range from which the kernel takes ports of outgoing connections: nobody gets it between this look and its use."""
    low, high = os.environ.get("VIGIE_TEST_PORTS", "20000-32000").split("-")
    while True:
        port = random.randrange(int(low), int(high))
        with socket.socket() as s, contextlib.suppress(OSError):
            if port not in given_ports:
                s.bind(("127.0.0.1", port))
                given_ports.add(port)
                return port


def listening(port, host="127.0.0.1"):
    with contextlib.suppress(OSError), socket.create_connection((host, port), 1):
        return True
    return False


@contextlib.contextmanager
def cache_lock(name):
    """One process at a time fills one entry of the cache."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f".{name}.lock", "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def kafka_libs(version=KAFKA):
    """Folder of the jars of a whole broker and its tools, fetched by Maven's client when it is not there."""
    libs = CACHE / f"kafka-{version}"
    with cache_lock(f"kafka-{version}"):
        if libs.is_dir():
            return libs
        need("mvn", "apt-get install maven openjdk-17-jre-headless")
        with tempfile.TemporaryDirectory(dir=CACHE) as work:
            shutil.copy(ROOT / "tools" / "kafka-pom.xml", f"{work}/pom.xml")
            print(f"fetching Apache Kafka {version} with Maven (44 MB, once)", file=sys.stderr, flush=True)
            run = subprocess.run(
                ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={work}/libs", f"-Dkafka={version}"],
                cwd=work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
            if run.returncode:
                raise Missing(f"Maven could not fetch Kafka {version}: {run.stdout.strip()[-400:]}")
            os.rename(f"{work}/libs", libs)
    return libs


def venv(*packages):
    """Python of a virtual environment that has these packages from PyPI."""
    name = "venv-" + "-".join(packages).replace("=", "_").replace(">", "_")
    home = CACHE / name
    with cache_lock(name):
        if not (home / "ready").exists():
            shutil.rmtree(home, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", home], check=True, timeout=120)
            subprocess.run([home / "bin" / "pip", "-q", "install", *packages], check=True, timeout=300)
            (home / "ready").touch()
    return str(home / "bin" / "python")


def http(url, timeout=12, method="GET", body=None, headers=None):
    """(status, headers, text); an answer of 4xx or 5xx is an answer."""
    req = urllib.request.Request(url, method=method, data=body, headers=headers or {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(req, timeout=timeout) as r:
            return r.status, r.headers, r.read().decode()
    except urllib.error.HTTPError as e:
        with e:
            return e.code, e.headers, e.read().decode()


class Process:
    """A program that ends with its block, whatever happens."""

    def __init__(self, argv, log, **popen):
        self.log = pathlib.Path(log)
        self.out = open(log, "ab")
        self.p = subprocess.Popen([str(a) for a in argv], stdout=self.out, stderr=subprocess.STDOUT,
                                  stdin=subprocess.DEVNULL, **popen)

    def alive(self):
        return self.p.poll() is None

    def stop(self, sig=signal.SIGTERM, seconds=15):
        if self.alive():
            self.p.send_signal(sig)
            try:
                self.p.wait(seconds)
            except subprocess.TimeoutExpired:
                self.p.kill()
        code = self.p.wait()
        self.out.close()
        return code

    def kill(self):
        return self.stop(signal.SIGKILL)

    def text(self):
        return self.log.read_text(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()


JAVA = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"]


class Kafka:
    """A KRaft cluster on 127.0.0.1, one node (broker and controller) a port, each with JMX.

    ports, controllers, jmx: one number a node; what is not given is free ports. The folder outlives
    the object when it was given, so that a cluster can come back with its data.
    """

    def __init__(self, ports=None, controllers=None, jmx=None, folder=None, version=KAFKA, heap="160m", settings=None, nodes=1):
        self.ports = ports or [free_port() for _ in range(nodes)]
        self.controllers = controllers or [free_port() for _ in self.ports]
        self.jmx = jmx or [free_port() for _ in self.ports]
        self.version, self.heap, self.settings = version, heap, dict(settings or {})
        self.temporary = None if folder else tempfile.TemporaryDirectory(prefix="vigie-kafka-")
        self.folder = pathlib.Path(folder or self.temporary.name)
        self.nodes = {}

    @property
    def bootstrap(self):
        return ",".join(f"127.0.0.1:{p}" for p in self.ports)

    def properties(self, i):
        n, many = i + 1, len(self.ports) > 1
        rows = {
            "process.roles": "broker,controller",
            "node.id": n,
            "controller.quorum.voters": ",".join(f"{k + 1}@127.0.0.1:{c}" for k, c in enumerate(self.controllers)),
            "listeners": f"PLAINTEXT://127.0.0.1:{self.ports[i]},CONTROLLER://127.0.0.1:{self.controllers[i]}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self.folder / f"data{n}",
            "offsets.topic.num.partitions": 4,
            "offsets.topic.replication.factor": 3 if many else 1,
            "default.replication.factor": 3 if many else 1,
            "transaction.state.log.replication.factor": 3 if many else 1,
            "transaction.state.log.min.isr": 2 if many else 1,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": 3 if many else 1,
            "share.coordinator.state.topic.min.isr": 2 if many else 1,
            "share.coordinator.state.topic.num.partitions": 4,
            "group.initial.rebalance.delay.ms": 0,
            "auto.create.topics.enable": "false",
            "auto.leader.rebalance.enable": "false",
            "replica.lag.time.max.ms": 3000,
            "broker.session.timeout.ms": 6000,
            # The default takes 128 MiB of heap at once.
            "log.cleaner.dedupe.buffer.size": 4194304,
        }
        rows.update(self.settings)
        return "".join(f"{k}={v}\n" for k, v in rows.items())

    def java(self, heap):
        need("java", "apt-get install openjdk-17-jre-headless")
        return ["java", f"-Xmx{heap}", *JAVA, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]

    def format(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        cluster = "K" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]  # one that begins with - would be a flag
        for i in range(len(self.ports)):
            file = self.folder / f"server{i + 1}.properties"
            fresh = not (self.folder / f"data{i + 1}" / "meta.properties").exists()
            file.write_text(self.properties(i))
            if fresh:
                argv = [*self.java("64m"), "-cp", f"{kafka_libs(self.version)}/*", "kafka.tools.StorageTool", "format", "-t", cluster, "-c", file]
                subprocess.run([str(a) for a in argv], check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)

    def start(self, i, jmx=True):
        """Starts node i (from 0), with its JMX port or without; does not wait."""
        host = "127.0.0.1"
        flags = [f"-Djava.rmi.server.hostname={host}"] + [f"-Dcom.sun.management.jmxremote{x}" for x in (
            "", f".host={host}", f".port={self.jmx[i]}", f".rmi.port={self.jmx[i]}", ".authenticate=false", ".ssl=false")]
        if not jmx:
            flags = []
        self.nodes[i] = Process([*self.java(self.heap), *flags, "-cp", f"{kafka_libs(self.version)}/*", "kafka.Kafka",
                                 self.folder / f"server{i + 1}.properties"], self.folder / f"node{i + 1}.log")

    def ready(self, i, seconds=90, jmx=True):
        """Waits until node i answers on both of its ports."""
        def there():
            if not self.nodes[i].alive():
                raise RuntimeError(f"Kafka node {i + 1} ended: {self.nodes[i].text()[-800:]}")
            return listening(self.ports[i]) and (not jmx or listening(self.jmx[i]))
        wait_for(there, seconds, f"Kafka node {i + 1} on port {self.ports[i]}")

    def complete(self):
        """Whether every running node stands in the metadata and answers."""
        said = self.tool("BrokerApiVersionsCommand", check=False)
        return all(f":{self.ports[i]} (id: {i + 1} " in said for i in self.nodes) and said.count("-> (") >= len(self.nodes)

    def stop(self, i, sig=signal.SIGTERM):
        return self.nodes.pop(i).stop(sig, 30)

    def tool(self, name, *args, bootstrap=True, check=True, timeout=60):
        """One of Kafka's own tools (a class of org.apache.kafka.tools), its output as text."""
        server = ["--bootstrap-server", self.bootstrap] if bootstrap else []
        argv = [*self.java("96m"), "-cp", f"{kafka_libs(self.version)}/*", f"org.apache.kafka.tools.{name}", *server, *args]
        run = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout, check=False)
        if check and run.returncode:
            raise RuntimeError(f"{name} {' '.join(args)}: {run.stdout[-600:]}{run.stderr[-600:]}")
        return run.stdout

    def topic(self, name, partitions, replicas=1):
        self.tool("TopicCommand", "--create", "--topic", name, "--partitions", str(partitions), "--replication-factor", str(replicas))

    def produce(self, topic, records, size=100):
        self.tool("ProducerPerformance", "--topic", topic, "--num-records", str(records), "--record-size", str(size), "--throughput", "-1")

    def consume(self, topic, group, records):
        """Reads that many records as the group and leaves it empty."""
        self.tool("ConsumerPerformance", "--topic", topic, "--group", group, "--num-records", str(records), "--timeout", "10000")

    def groups(self):
        """What Kafka's own tool says: {(group, topic, partition): (committed, end, lag)}, None for '-'."""
        out = {}
        for line in self.tool("consumer.group.ConsumerGroupCommand", "--describe", "--all-groups").splitlines():
            f = line.split()
            if len(f) >= 6 and f[2].isdigit():
                out[f[0], f[1], int(f[2])] = tuple(None if x == "-" else int(x) for x in f[3:6])
        return out

    def __enter__(self):
        try:
            self.format()
            for i in range(len(self.ports)):
                self.start(i)
            for i in range(len(self.ports)):
                self.ready(i)
            # A port that listens is not yet a broker that the controller let in.
            wait_for(self.complete, 60, "all brokers in the cluster")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        for node in self.nodes.values():
            node.stop(seconds=30)
        self.nodes.clear()
        if self.temporary:
            self.temporary.cleanup()


class Vigie(Process):
    """One role of ours on a port of 127.0.0.1; waits until it listens."""

    def __init__(self, binary, role, port, *flags, log=None, listen=None):
        log = log or tempfile.NamedTemporaryFile(prefix=f"vigie-{role}-", suffix=".log", delete=False).name
        listen = listen or f"--web.listen-address=127.0.0.1:{port}"
        super().__init__([binary, role, listen, *flags], log)
        self.url = f"http://127.0.0.1:{port}"
        try:
            wait_for(lambda: not self.alive() or listening(port), 20, f"{role} on port {port}")
            if not self.alive():
                raise RuntimeError(f"{role} ended: {self.text()[-800:]}")
        except BaseException:
            self.stop()
            raise

    def get(self, path, **kw):
        return http(self.url + path, **kw)


ROLES = {"kafka-exporter": 9308, "jmx-exporter": 5556, "prometheus": 9090, "alertmanager": 9093, "grafana": 3000}


class Run(Process):
    """`vigie run` on ports of its own, with a folder of configuration that `localise` has written."""

    def __init__(self, binary, folder, data, kafka, jmx, ports, log, *flags, env=None):
        self.port = ports
        listen = [f"--{r}.web.listen-address=127.0.0.1:{ports[r]}" for r in ROLES if r != "grafana"]
        listen += [f"--grafana.http-port={ports['grafana']}", "--grafana.http-addr=127.0.0.1", "--alertmanager.cluster.listen-address=",
                   f"--grafana.self.prometheus={self.url('prometheus')}", f"--grafana.self.alertmanager={self.url('alertmanager')}"]
        brokers = [x for k in kafka for x in ("--kafka", k)] + [x for j in jmx for x in ("--jmx", j)]
        super().__init__([binary, "run", folder, "--data", data, *brokers, *listen, *flags], log, env={**os.environ, **(env or {})})
        try:
            wait_for(lambda: self.living() and self.get("prometheus", "/-/ready")[0] == 200, 20, "prometheus to be ready")
        except BaseException:
            self.stop()
            raise

    @staticmethod
    def localise(text, ports):
        """The same file with these ports in place of the usual ones."""
        for role, usual in ROLES.items():
            text = text.replace(f"localhost:{usual}", f"127.0.0.1:{ports[role]}")
        return text

    def living(self):
        if not self.alive():
            raise RuntimeError(f"vigie run ended: {self.text()[-2000:]}")
        return True

    def url(self, role):
        return f"http://127.0.0.1:{self.port[role]}"

    def get(self, role, path, **kw):
        return http(self.url(role) + path, **kw)

    def api(self, path, **parameters):
        """What Prometheus' API answers, `data` of it."""
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        answer = json.loads(self.get("prometheus", f"/api/v1/{path}{query}")[2])
        if answer["status"] != "success":
            raise RuntimeError(f"{path} {parameters}: {answer['error']}")
        return answer["data"]

    def query(self, expr, **at):
        return self.api("query", query=expr, **at)["result"]

    def value(self, expr):
        r = self.query(expr)
        return float(r[0]["value"][1]) if r else None

    def alerts(self, name):
        return [a for a in self.api("alerts")["alerts"] if a["labels"]["alertname"] == name]

    def alert(self, name):
        """Its most advanced state: firing, pending or None."""
        found = {a["state"] for a in self.alerts(name)}
        return "firing" if "firing" in found else "pending" if "pending" in found else None


def samples(text):
    """Exposition text as {series: value}; a series that stands twice is an error."""
    out = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            if series in out:
                raise AssertionError(f"series twice: {series}")
            out[series] = value
    return out


def run(*tests):
    """Runs the functions in order, each named; the process ends as ctest wants it."""
    for test in tests:
        begin = time.monotonic()
        test()
        print(f"ok {test.__name__} ({time.monotonic() - begin:.1f} s)", flush=True)
    print(f"{len(tests)} tests passed", flush=True)


if __name__ == "__main__":
    # A broker by hand: peers.py PORT CONTROLLER JMX [FOLDER]; SIGTERM ends it.
    with Kafka([int(sys.argv[1])], [int(sys.argv[2])], [int(sys.argv[3])], folder=(sys.argv[4:] or [None])[0]) as k:
        print(json.dumps({"bootstrap": k.bootstrap, "jmx": k.jmx, "folder": str(k.folder)}), flush=True)
        signal.pause()
