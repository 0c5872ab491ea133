# SPDX-License-Identifier: Apache-2.0
"""The kafka-exporter role against real brokers: the recorded state of kafka_exporter, Kafka's own tools, brokers
that die, stall and come back, and ports that are not Kafka's.

usage: test_kafka_exporter.py VIGIE
"""
import contextlib
import json
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import peers

VIGIE = sys.argv[1]
RECORDED = peers.DATA / "kafka-exporter"
REBUILD = peers.DATA.parent / "testbed" / "rebuild.py"

# What we tell on purpose otherwise than kafka_exporter (docs/compat.d/kafka-exporter.md).
MENDED = {
    'kafka_consumergroup_current_offset_sum{consumergroup="g-empty",topic="payments"}': "70",
    'kafka_consumergroup_current_offset_sum{consumergroup="g-partial",topic="orders"}': "2999",
    'kafka_consumergroup_members{consumergroup="g-848"}': "1",
}
# They move with every commit; build info is the build's own.
MOVING = re.compile(r'(current|oldest)_offset\{.*topic="__|^kafka_exporter_build_info')


def exporter(servers, *flags):
    servers = [f"--kafka.server={s}" for s in servers]
    return peers.Vigie(VIGIE, "kafka-exporter", peers.free_port(), *servers, "--collect.interval=1s", *flags)


def metrics(vigie):
    return vigie.get("/metrics")


def kafka_samples(text):
    return {k: v for k, v in peers.samples(text).items() if k.startswith("kafka_") and not MOVING.search(k)}


def value(vigie, series):
    return peers.samples(metrics(vigie)[2]).get(series)


@contextlib.contextmanager
def recorded_state(kafka):
    """The cluster state behind the recordings, with its living members."""
    state = json.loads((RECORDED / "state.json").read_text())
    state["brokers"][0]["port"] = kafka.ports[0]
    file = kafka.folder / "state.json"
    # The first question after any group creates __consumer_offsets; a commit that comes too early is lost in silence.
    kafka.tool("consumer.group.ConsumerGroupCommand", "--describe", "--group", "nobody", check=False)
    peers.wait_for(lambda: "__consumer_offsets" in kafka.tool("TopicCommand", "--list"), 30, "__consumer_offsets")
    file.write_text(json.dumps(state))
    with peers.Process([peers.venv("confluent-kafka==2.16.1"), REBUILD, file, "3600"], kafka.folder / "rebuild.log") as p:
        peers.wait_for(lambda: "READY" in p.text() or not p.alive(), 120, "the recorded state")
        if not p.alive():
            raise RuntimeError(p.text())
        commits = sum(len(parts) for g in state["groups"] for parts in g["commits"].values())
        peers.wait_for(lambda: sum(c is not None for c, _, _ in kafka.groups().values()) == commits, 30, "all commits of the recorded state")
        yield


def compare(kafka, recording, constant, *flags):
    """Every recorded sample is there with its value, and of the original's families nothing else."""
    want = kafka_samples((RECORDED / recording).read_text().replace(":9192", f":{kafka.ports[0]}"))
    for series, v in MENDED.items():
        series = series.replace("{consumergroup", "{" + constant[0] + "consumergroup").replace(",topic", constant[1] + ",topic")
        if series.endswith('g-848"}'):
            series = series.replace('"}', '"' + constant[1] + "}")
        if series in want:
            want[series] = v
    if "no-offset" in recording:  # no -1 is in the recorded sum of the group without members
        want['kafka_consumergroup_current_offset_sum{consumergroup="g-empty",topic="payments"}'] = "70"
    families = {s.split("{")[0] for s in want}
    with exporter([kafka.bootstrap], *flags) as vigie:
        code, headers, text = metrics(vigie)
        got = {k: v for k, v in kafka_samples(text).items() if k.split("{")[0] in families}
        assert code == 200, code
        assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8; escaping=values", headers
        assert got == want, f"{recording}: " + json.dumps(sorted(set(got.items()) ^ set(want.items())), indent=1)
        check = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False)
        assert check.returncode == 0, check.stderr
    print(f"  {recording}: {len(want)} samples", flush=True)


def lag_is_kafkas(kafka, vigie):
    said, got = kafka.groups(), peers.samples(metrics(vigie)[2])
    assert said
    for (group, topic, part), (committed, end, lag) in said.items():
        labels = f'{{consumergroup="{group}",partition="{part}",topic="{topic}"}}'
        if committed is None:
            assert got.get("kafka_consumergroup_lag" + labels) in (None, "-1"), labels
            continue
        assert got["kafka_consumergroup_lag" + labels] == str(lag), labels
        assert got["kafka_consumergroup_current_offset" + labels] == str(committed), labels
        assert got["kafka_consumergroup_offset" + labels] == str(committed), labels
        assert got[f'kafka_topic_partition_current_offset{{partition="{part}",topic="{topic}"}}'] == str(end), labels


def counted_by_broker(kafka, api):
    """How many requests of this kind the broker counted, over all versions."""
    text = kafka.tool("JmxTool", "--jmx-url", f"service:jmx:rmi:///jndi/rmi://127.0.0.1:{kafka.jmx[0]}/jmxrmi", "--object-name",
                      f"kafka.network:type=RequestMetrics,name=RequestsPerSec,request={api},version=*", "--attributes", "Count",
                      "--one-time", "true", "--report-format", "properties", bootstrap=False)
    return sum(int(n) for n in re.findall(r":Count=(\d+)", text))


def requests_are_few(kafka):
    """Two ListOffsets a broker and cycle, one OffsetFetch for all groups; no request that could create a topic."""
    before = {api: counted_by_broker(kafka, api) for api in ("ListOffsets", "OffsetFetch", "ListGroups", "FindCoordinator")}
    with exporter([kafka.bootstrap]) as vigie:
        peers.wait_for(lambda: int(value(vigie, 'kafka_exporter_requests_total{api="ListGroups",broker="1"}') or 0) >= 5, 30, "five cycles")
        after = {api: counted_by_broker(kafka, api) - n for api, n in before.items()}
        ours = int(value(vigie, 'kafka_exporter_requests_total{api="ListOffsets",broker="1"}'))
    # Living members of the state may fetch offsets and coordinators themselves, so ListOffsets is what is exact.
    cycles = after["ListGroups"]
    assert cycles >= 5 and after["ListOffsets"] in (2 * cycles, 2 * cycles - 1, 2 * cycles - 2), after
    assert ours >= after["ListOffsets"] - 2, (ours, after)
    print(f"  counted by the broker over {cycles} cycles: {after}", flush=True)


def share_group(kafka):
    kafka.tool("ConfigCommand", "--alter", "--entity-type", "groups", "--entity-name", "g-share", "--add-config", "share.auto.offset.reset=earliest")
    kafka.tool("consumer.ConsoleShareConsumer", "--topic", "payments", "--group", "g-share", "--max-messages", "30", "--timeout-ms", "20000")
    peers.wait_for(lambda: "g-share" in kafka.tool("GroupsCommand", "--list"), 20, "the share group")


def test_recorded_state():
    with peers.Kafka() as kafka, recorded_state(kafka):
        compare(kafka, "recorded.txt", ("", ""))
        compare(kafka, "recorded-no-offset-show-all.txt", ("", ""), "--no-offset.show-all")
        compare(kafka, "recorded-labels.txt", ("", ',env="prod",team="core"'), "--kafka.labels=env=prod,team=core")
        compare(kafka, "recorded-filters.txt", ("", ""), "--topic.filter=^(orders|audit)$", "--group.exclude=^g-p")
        requests_are_few(kafka)
        with exporter([kafka.bootstrap]) as vigie:
            lag_is_kafkas(kafka, vigie)
            dirs = [s for s in peers.samples(metrics(vigie)[2]) if s.startswith("kafka_log_size")]
            assert dirs == [f'kafka_log_size_{x}{{broker="1",log_dir="{kafka.folder}/data1"}}' for x in ("bytes", "limit_bytes")], dirs
            disk = shutil.disk_usage(kafka.folder)
            assert float(value(vigie, dirs[1])) == disk.total
            assert vigie.get("/healthz")[2] == "ok"
            assert vigie.get("/")[2].split() == (RECORDED / "index.html").read_text().split()
        share_group(kafka)
        compare(kafka, "recorded-share-group.txt", ("", ""))


def up(vigie):
    got = peers.samples(metrics(vigie)[2])
    return [got.get(f'kafka_broker_up{{broker="{i}"}}') for i in (1, 2, 3)]


def ends_of(vigie, topic):
    return [k for k in peers.samples(metrics(vigie)[2]) if k.startswith("kafka_topic_partition_current_offset") and f'"{topic}"' in k]


def duration(vigie):
    return float(value(vigie, "kafka_exporter_collect_duration_seconds"))


def test_three_brokers_that_come_and_go():
    ports = [peers.free_port() for _ in range(3)]
    with exporter([f"127.0.0.1:{p}" for p in ports]) as vigie:
        # Without Kafka: there, and not up.
        code, _, text = metrics(vigie)
        assert code == 503 and "connection refused" in text and "\nkafka_brokers 0\n" in text, (code, text)
        assert vigie.get("/healthz")[0] == 200
        with peers.Kafka(ports=ports) as kafka:
            kafka.topic("orders", 6, replicas=3)
            kafka.topic("single", 6, replicas=1)
            kafka.produce("orders", 3000)
            kafka.consume("orders", "g", 1000)
            peers.wait_for(lambda: up(vigie) == ["1", "1", "1"] and len(ends_of(vigie, "orders")) == 6, 60, "all brokers")
            lag_is_kafkas(kafka, vigie)

            # One accepts and says nothing: the others' data, no later than a second.
            kafka.nodes[2].p.send_signal(signal.SIGSTOP)
            peers.wait_for(lambda: up(vigie)[2] == "0" and len(ends_of(vigie, "single")) == 4, 60, "data without the silent broker")
            assert duration(vigie) < 2, duration(vigie)
            assert metrics(vigie)[0] == 200
            peers.wait_for(lambda: re.search(r"# problem: broker 3 \(127.0.0.1:\d+\): no (whole )?answer to \w+ within 5.0 s|# problem: fenced", metrics(vigie)[2]),
                           30, "the silent broker's sentence")
            kafka.nodes[2].p.send_signal(signal.SIGCONT)
            peers.wait_for(lambda: up(vigie) == ["1", "1", "1"] and len(ends_of(vigie, "single")) == 6, 60, "the third broker's return")

            # One is gone.
            kafka.stop(1, signal.SIGKILL)
            peers.wait_for(lambda: up(vigie)[1] in ("0", None) and up(vigie)[0] == "1", 60, "the dead broker's absence")
            peers.wait_for(lambda: len(ends_of(vigie, "orders")) == 6, 60, "new leaders")
            assert metrics(vigie)[0] == 200
            kafka.start(1)
            peers.wait_for(lambda: up(vigie) == ["1", "1", "1"], 90, "the second broker's return")

            # All are gone: 503, with what was known and why.
            for i in range(3):
                kafka.nodes[i].p.send_signal(signal.SIGKILL)
            peers.wait_for(lambda: metrics(vigie)[0] == 503, 30, "503")
            text = metrics(vigie)[2]
            assert "\nkafka_brokers 0\n" in text and "# problem: broker 1 (127.0.0.1:" in text, text[-2000:]
            assert 'kafka_topic_partitions{topic="orders"} 6' in text
            for i in range(3):
                kafka.stop(i)
                kafka.start(i)
            peers.wait_for(lambda: metrics(vigie)[0] == 200 and up(vigie) == ["1", "1", "1"], 90, "the cluster's return")


def serve(answer, tls=None):
    """A port that answers the first bytes of every connection in its own way."""
    listener = socket.create_server(("127.0.0.1", 0))

    def one(conn):
        with contextlib.suppress(OSError), conn:
            if tls:
                conn = tls.wrap_socket(conn, server_side=True)
            conn.recv(4096)
            if answer is None:
                threading.Event().wait(30)
            else:
                conn.sendall(answer)

    def all_of_them():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=all_of_them, daemon=True).start()
    return listener.getsockname()[1]


def tls_context(folder):
    key, cert = f"{folder}/k.pem", f"{folder}/c.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", cert, "-subj", "/CN=x"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def test_ports_that_are_not_kafkas():
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            (serve(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "speaks HTTP, not Kafka's protocol, in answer to ApiVersions"),
            (serve(b"SSH-2.0-OpenSSH_9.2\r\n"), "speaks SSH, not Kafka's protocol"),
            (serve(b"", tls_context(folder)), "speaks TLS|a TLS listener or another service may do so"),
            (serve(b"\x15\x03\x03\x00\x02\x02\x46"), "speaks TLS, not Kafka's protocol.*TLS is not supported yet"),
            (serve(b"\xff\xff\xff\xf0garbage"), "its answer to ApiVersions is not Kafka's protocol"),
            (serve(b"\x7f\x00\x00\x00"), "its answer to ApiVersions would be larger than the limit of 268435456 bytes"),
            (serve(b"\x00\x00\x01\x00\x00\x00\x00\x01\x00\x00"), "peer closed the connection in the middle of its answer to ApiVersions"),
            (serve(b"\x00\x00\x00\x0a\x00\x00\x00\x63\x00\x00\x00\x00\x00\x00"), "answered request 99 when ApiVersions, request 1, was due|cannot be read"),
            (serve(None), r"no answer to ApiVersions within 1\.0 s"),
            (peers.free_port(), "connection refused"),
        ]
        for port, sentence in rows:
            with exporter([f"127.0.0.1:{port}"], "--kafka.request-timeout=1s") as vigie:
                code, _, text = metrics(vigie)
                assert code == 503, (port, code)
                assert re.search(rf"^# problem: bootstrap server \(127.0.0.1:{port}\): .*({sentence})", text, re.M), (sentence, text[-600:])
                assert re.search(sentence, vigie.text()), vigie.text()


def test_flags():
    run = lambda *flags: subprocess.run([VIGIE, "kafka-exporter", *flags], capture_output=True, text=True, timeout=20, check=False)
    known = set(re.findall(r"--(?:\[no-\])?([\w.-]+)", (RECORDED / "help.txt").read_text())) - {"help-long", "help-man"}
    ours = set(re.findall(r"--(?:\[no-\])?([\w.-]+)", run("--help").stdout))
    assert known <= ours, known - ours
    for flags, sentence in [
        (["--no-such"], "unknown long flag '--no-such'"),
        (["--tls.enabled"], "--tls.enabled is known but not supported"),
        (["--sasl.enabled"], "--sasl.enabled is known but not supported"),
        (["--topic.filter=("], "topic.filter: error parsing regexp: missing closing"),
        (["--kafka.server=kafka"], 'kafka.server "kafka": expected host:port'),
        (["--kafka.labels=topic=x"], 'label "topic" is one that the metrics have'),
        (["--kafka.labels=1a=x"], '"1a" is not a label name'),
        (["--web.listen-address=x"], 'expected [host]:port'),
    ]:
        done = run(*flags)
        assert done.returncode == 1 and sentence in done.stderr.replace('\\"', '"'), (flags, done)
    with exporter(["127.0.0.1:1"], "--kafka.version=3.6.0", "--log.level=info", "--topic.workers=5", "--sasl.handshake=false", "--sasl.mechanism=plain",
                  "--refresh.metadata=1m", "--no-concurrent.enable", "--verbosity=1", "--use.consumelag.zookeeper") as vigie:
        assert metrics(vigie)[0] == 503
        begin = time.monotonic()
        assert vigie.stop() == 0
        assert time.monotonic() - begin < 5


if __name__ == "__main__":
    if not RECORDED.is_dir() or not pathlib.Path(REBUILD).is_file():
        print(f"no recordings in {peers.DATA} (VIGIE_DATA)", file=sys.stderr)
        sys.exit(77)
    peers.run(test_flags, test_ports_that_are_not_kafkas, test_recorded_state, test_three_brokers_that_come_and_go)
