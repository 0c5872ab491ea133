# SPDX-License-Identifier: Apache-2.0
"""The jmx-exporter role on a real Kafka broker, beside a real jmx_exporter with the same configuration."""
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import peers

BINARY = sys.argv[1]
EXPORTER = "0.20.0"
KAFKA_PORT, CONTROLLER, JMX = 18610, 18620, 18630
OURS, REAL = 18640, 18641
RECORDS = 3000

WORK = pathlib.Path(tempfile.mkdtemp(prefix="vigie-jmx-"))
DOCUMENT = peers.ROOT / "monitoring" / "kafka-jmx-config.yml"

# Every JMX name of the document's tables, alerts and panels.
NAMES = """
kafka_server_brokertopicmetrics_messagesin_total kafka_server_brokertopicmetrics_bytesi_total
kafka_server_brokertopicmetrics_bytesin_total kafka_server_brokertopicmetrics_bytesout_total
kafka_server_brokertopicmetrics_failedproducerequests_total kafka_server_brokertopicmetrics_failedfetchrequests_total
kafka_server_replicamanager_underreplicatedpartitions kafka_controller_kafkacontroller_offlinepartitionscount
kafka_network_requestmetrics_requests_total kafka_network_requestmetrics_99percentile
kafka_network_requestmetrics_totaltimems kafka_server_replicamanager_isrshrinks_total
kafka_server_replicamanager_isrexpands_total""".split()


def exporter_jar():
    """jmx_exporter's standalone program, fetched by Maven's client when it is not there."""
    jar = peers.CACHE / f"jmx_prometheus_httpserver-{EXPORTER}.jar"
    with peers.cache_lock("jmx-exporter"):
        if not jar.exists():
            peers.need("mvn", "apt-get install maven openjdk-17-jre-headless")
            subprocess.run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact=io.prometheus.jmx:jmx_prometheus_httpserver:{EXPORTER}",
                            f"-DoutputDirectory={peers.CACHE}"], check=True, timeout=300, cwd=WORK)
    return jar


def config(name, text):
    path = WORK / name
    path.write_text(text)
    return path


class Real(peers.Process):
    """The original; its first answer takes seconds."""

    def __init__(self, file):
        super().__init__(["java", "-Xmx64m", "-jar", exporter_jar(), f"127.0.0.1:{REAL}", file], WORK / "real.log")
        try:
            peers.wait_for(lambda: peers.listening(REAL), 60, "jmx_exporter")
        except BaseException:
            self.stop()
            raise

    def page(self):
        status, _, text = peers.http(f"http://127.0.0.1:{REAL}/metrics", timeout=60)
        assert status == 200, text[:300]
        return text


def ours(file, *flags):
    return peers.Vigie(BINARY, "jmx-exporter", OURS, f"--config.file={file}", *flags)


def page(vigie, status=200):
    got, _, text = vigie.get("/metrics", timeout=30)
    assert got == status, f"status {got}, wanted {status}: {text[:300]}"
    return text


LABEL = re.compile(r'([\w:]+)="((?:[^"\\]|\\.)*)"')


def series(text, without=()):
    """{(name, labels): value} of what does not describe the exporter itself."""
    out = {}
    for line, value in peers.samples(text).items():
        name, _, labels = line.partition("{")
        if name.startswith("jmx_"):
            continue
        out[name, tuple(sorted((k, v) for k, v in LABEL.findall(labels) if k not in without))] = float(value)
    return out


def types(text):
    return dict(line.split(" ")[2:4] for line in text.splitlines() if line.startswith("# TYPE ") and not line.startswith("# TYPE jmx_"))


def side_by_side(file, without=(), extra=()):
    """Same series and types; a counter read between two readings of ours lies between them."""
    with ours(file) as v, Real(file) as real:
        def same():
            before, text = page(v), real.page()
            after = page(v)
            a, b, c = series(before, without), series(text), series(after, without)
            common = {k for k in a.keys() & c.keys() if k[0] not in extra}
            if common != b.keys():
                same.differ = sorted(common ^ b.keys())[:10]
                return None
            kinds = types(after)
            assert {n: t for n, t in kinds.items() if n not in extra} == types(text)
            for k, value in b.items():
                if kinds.get(k[0]) == "counter":
                    assert a[k] <= value <= c[k], (k, a[k], value, c[k])
            return len(b), sum(a[k] == b[k] == c[k] for k in b)
        same.differ = None
        try:
            n, equal = peers.wait_for(same, 60, "the same series on both pages")
        except TimeoutError as e:
            raise AssertionError(f"{file.name}: {same.differ}") from e
        print(f"   {file.name}: {n} series on both, {equal} of them with one value in three readings")
        assert equal > n * 0.7


def everything():
    side_by_side(config("all.yml", f"hostPort: 127.0.0.1:{JMX}\ncompat: 0.x\nrules:\n- pattern: '.*'\n"))


def the_documents_rules():
    file = config("document.yml", f"hostPort: 127.0.0.1:{JMX}\n" + DOCUMENT.read_text())
    side_by_side(file, without={"broker"}, extra={"kafka_server_brokertopicmetrics_bytesi_total"})


def published_rules():
    for name in ("kafka-2_0_0.yml", "kafka-kraft-3_0_0.yml"):
        text = (peers.DATA / "jmx" / "examples" / name).read_text()
        side_by_side(config(name, f"hostPort: 127.0.0.1:{JMX}\ncompat: 0.x\n" + text))


def names_and_values():
    with ours(DOCUMENT, f"--jmx=127.0.0.1:{JMX}") as v:
        def complete():
            s = series(page(v))
            return s if ("kafka_server_brokertopicmetrics_messagesin_total", (("broker", "1"),)) in s else None
        s = peers.wait_for(complete, 60, "the broker's id")
        for name in NAMES:
            assert any(k[0] == name for k in s), name
        for name, labels in s:
            assert dict(labels).get("broker") == "1", (name, labels)
        assert s["kafka_server_brokertopicmetrics_messagesin_total", (("broker", "1"),)] == RECORDS
        assert s["kafka_controller_kafkacontroller_offlinepartitionscount", (("broker", "1"),)] == 0
        produce = sum(x for (name, labels), x in s.items() if name == "kafka_network_requestmetrics_requests_total" and ("request", "Produce") in labels)
        assert produce > 0


# Appendix A1 of the specification: lines of the original, and of what it reads only one by one.
ZOO = r"""
test_All_AtomL{name="all"} 77.0
test_All_B{name="all"} -5.0
test_All_BigD{name="all"} 1234.5678
test_All_BigE{name="all"} 1.0E30
test_All_BigI{name="all"} 1.2345678901234568E29
test_All_BigNeg{name="all"} -1.2E-8
test_All_Comp_nested_u{name="all"} 99.0
test_All_Comp_x{name="all"} 1.0
test_All_D{name="all"} 1.5
test_All_Date{name="all"} 1.700000000123E9
test_All_F{name="all"} 0.10000000149011612
test_All_FloatObj{name="all"} 3.299999952316284
test_All_I{name="all"} 7.0
test_All_Inf{name="all"} -Inf
test_All_L{name="all"} 1.099511627776E12
test_All_Nan{name="all"} NaN
test_All_S{name="all"} -300.0
test_All_Tab_extra{key="k1",name="all"} 0.1
test_All_Tab_extra{key="k2",name="all"} 0.2
test_All_Tab{key="k1",name="all"} 1.0
test_All_Tab{key="k2",name="all"} 2.0
test_All_Z{name="all"} 1.0
test_Bad_After 6.0
test_Bad_Ok 5.0
test_Thing_Nested{alpha="\"q,=:\\*\\\"\\\\x\"",key="o1",key_="i1",zeta="1"} 4.0
test_Thing_Pts_x{alpha="\"q,=:\\*\\\"\\\\x\"",key="one",zeta="1"} 1.0
""".split("\n")[1:-1]


def zoo():
    """Values of every kind, three of them unreadable; the stub names a host that nobody can reach, and a port of its own."""
    if not shutil.which("javac"):
        print("   left out: javac is not installed (apt-get install openjdk-17-jdk-headless)")
        return
    subprocess.run(["javac", "-d", WORK, pathlib.Path(__file__).with_name("Zoo.java")], check=True, timeout=60)
    port, rmi = peers.free_port(), peers.free_port()
    flags = ["-Djava.rmi.server.hostname=10.255.255.1"] + [f"-Dcom.sun.management.jmxremote{x}" for x in (
        "", ".host=127.0.0.1", f".port={port}", f".rmi.port={rmi}", ".authenticate=false", ".ssl=false")]
    with peers.Process(["java", "-Xmx64m", "-XX:+UseSerialGC", *flags, "-cp", WORK, "Zoo"], WORK / "zoo.log") as z:
        peers.wait_for(lambda: "ready" in z.text(), 30, "the zoo")
        with ours(config("zoo.yml", "includeObjectNames: ['test:*']\n"), f"--jmx=127.0.0.1:{port}") as v:
            for _ in range(3):
                got = sorted(line for line in page(v).splitlines() if line.startswith("test_"))
                assert got == sorted(ZOO), set(got) ^ set(ZOO)


class Peer(threading.Thread):
    """A port that answers every connection with the same bytes and then says nothing more."""

    def __init__(self, answer):
        super().__init__(daemon=True)
        self.answer, self.server, self.held = answer, socket.create_server(("127.0.0.1", 0)), []
        self.port = self.server.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                s, _ = self.server.accept()
                self.held.append(s)
                s.sendall(self.answer)
            except OSError:
                return

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        for s in self.held:
            s.close()


def bad_peers():
    """None of them delays the good one once it is known to be bad, and each is called by its name."""
    rows = [(b"", "no answer within 5 s"), (b"\x15\x03\x03\x00\x02\x02\x28", "speaks TLS"), (b"HTTP/1.1 400 Bad Request\r\n\r\n", "speaks HTTP"),
            (b"\x00garbage", "no RMI port"), (b"\x4e\x00\x09127.0.0.1\x00\x00\x12\x34\x51\xac\xed", "no answer within 5 s"),
            (b"\x4e\x00\x09127.0.0.1\x00\x00\x12\x34\x51\xac\xed\x00\x05\x77\x0f\x01" + bytes(14) + b"\x73\x99", "at byte")]
    held = [Peer(answer) for answer, _ in rows]
    try:
        flags = [f"--jmx=127.0.0.1:{p.port}" for p in held] + [f"--jmx=127.0.0.1:{JMX}", f"--jmx=127.0.0.1:{peers.free_port()}"]
        with ours(DOCUMENT, *flags) as v:
            def settled():
                text = v.text()
                return all(any(f"127.0.0.1:{p.port}" in line and words in line for line in text.splitlines()) for p, (_, words) in zip(held, rows))
            peers.wait_for(lambda: page(v) and settled(), 30, "a word about each bad peer: " + v.text()[-2000:])
            begin = time.monotonic()
            s = peers.samples(page(v))
            assert s[f'jmx_up{{target="127.0.0.1:{JMX}"}}'] == "1.0"
            assert sum(x == "0.0" for k, x in s.items() if k.startswith("jmx_up")) == len(rows) + 1
            assert any(k.startswith("kafka_server_brokertopicmetrics_messagesin_total") for k in s)
            print(f"   answer with {len(rows) + 1} bad peers in {1000 * (time.monotonic() - begin):.0f} ms")
            assert "Connection refused" in v.text() or "connection refused" in v.text()
    finally:
        for p in held:
            p.__exit__()


def refused_files():
    for text, words in (("hostPort: x:1\nusername: u\npassword: p\n", "line 2, column 1"), ("hostPort: x:1\nssl: true\n", "TLS is not supported"),
                        ("rules: []\n", "no JMX server to read"), ("hostPort: x:1\nrules:\n- pattern: '('\n", ":3:"),
                        ("hostPort: x:1\n\tlowercaseOutputName: 1\n", ":2:"), ("hostPort: 1\n", ":1:"), ("hostPort: x:1\nlowercaseOutputName: maybe\n", ":2:")):
        run = subprocess.run([BINARY, "jmx-exporter", f"127.0.0.1:{OURS}", config("bad.yml", text)], capture_output=True, text=True, timeout=20, check=False)
        said = run.stdout + run.stderr
        assert run.returncode == 1 and words in said, (text, said)


def promtool():
    """Debian's own checker is content with the page of the document's rules."""
    with ours(DOCUMENT, f"--jmx=127.0.0.1:{JMX}") as v:
        run = subprocess.run(["promtool", "check", "metrics"], input=page(v), capture_output=True, text=True, timeout=20, check=False)
        assert run.returncode == 0, run.stdout + run.stderr


def death_and_return(kafka):
    with ours(DOCUMENT, f"--jmx=127.0.0.1:{JMX}") as v:
        peers.wait_for(lambda: v.get("/metrics")[0] == 200, 60, "a good page")
        kafka.stop(0)
        status, _, text = v.get("/metrics")
        assert status == 503 and "jmx_up" in text and "jmx_scrape_error 1.0" in text, (status, text[:200])
        assert "kafka_server_brokertopicmetrics_messagesin_total" in text, "the last values stay readable"
        kafka.start(0)
        kafka.ready(0)
        peers.wait_for(lambda: v.get("/metrics")[0] == 200 and "messagesin_total" in v.get("/metrics")[2], 90, "the page after the return")
        begin = time.monotonic()
        v.stop()
        assert time.monotonic() - begin < 5


def main():
    with peers.Kafka([KAFKA_PORT], [CONTROLLER], [JMX], settings={"auto.create.topics.enable": "false"}) as kafka:
        kafka.topic("orders", 3)
        kafka.produce("orders", RECORDS)

        def restart():
            death_and_return(kafka)
        peers.run(names_and_values, the_documents_rules, everything, published_rules, zoo, bad_peers, refused_files, promtool, restart)


if __name__ == "__main__":
    try:
        main()
    except peers.Missing as e:
        sys.exit(f"{e}")
