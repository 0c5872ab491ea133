# SPDX-License-Identifier: Apache-2.0
"""Remote write and remote read between our prometheus role and Debian's, both ways.

Requests by hand go to both, and status and text of the answers are compared. Then each sends to the other while the
receiver is away for a while and the sender is killed: afterwards both hold the same samples.
"""
import contextlib
import http.server
import json
import pathlib
import re
import struct
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

import peers

# --- protobuf and snappy, just enough ---


def varint(n):
    n &= (1 << 64) - 1
    out = b""
    while n >= 0x80:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def field(number, body):
    return varint(number << 3 | 2) + varint(len(body)) + body


def series(labels, *samples):
    out = b"".join(field(1, field(1, k.encode()) + field(2, v.encode())) for k, v in labels.items())
    return field(1, out + b"".join(field(2, b"\x09" + struct.pack("<d", v) + b"\x10" + varint(t)) for t, v in samples))


def snappy(body):
    out, at = varint(len(body)), 0
    while at < len(body):
        piece = body[at:at + 65536]
        out += bytes([61 << 2]) + struct.pack("<H", len(piece) - 1) + piece
        at += len(piece)
    return out


def unsnappy(data):
    at = shift = size = 0
    while True:
        size |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            break
    out = bytearray()
    while at < len(data):
        tag = data[at]
        at += 1
        if tag & 3 == 0:
            n = tag >> 2
            if n >= 60:
                k = n - 59
                n = int.from_bytes(data[at:at + k], "little")
                at += k
            out += data[at:at + n + 1]
            at += n + 1
            continue
        if tag & 3 == 1:
            n, off = (tag >> 2 & 7) + 4, tag >> 5 << 8 | data[at]
            at += 1
        else:
            k = 2 if tag & 3 == 2 else 4
            n, off = (tag >> 2) + 1, int.from_bytes(data[at:at + k], "little")
            at += k
        for _ in range(n):
            out.append(out[-off])
    assert len(out) == size
    return bytes(out)


def fields(data):
    at = 0

    def number():
        nonlocal at
        n = shift = 0
        while True:
            n |= (data[at] & 0x7F) << shift
            shift += 7
            at += 1
            if not data[at - 1] & 0x80:
                return n
    while at < len(data):
        tag = number()
        if tag & 7 == 0:
            yield tag >> 3, number()
        elif tag & 7 == 1:
            at += 8
            yield tag >> 3, data[at - 8:at]
        else:
            n = number()
            at += n
            yield tag >> 3, data[at - n:at]


def samples_of(request):
    """[(labels, t, value)] of a WriteRequest."""
    for number, one in fields(request):
        if number != 1:
            continue
        labels = {}
        for k, v in fields(one):
            if k == 1:
                pair = dict(fields(v))
                labels[pair.get(1, b"").decode()] = pair.get(2, b"").decode()
        for k, v in fields(one):
            if k == 2:
                s = dict(fields(v))
                yield labels, s.get(2, 0), struct.unpack("<d", s.get(1, bytes(8)))[0]


# --- servers ---


class Prom(peers.Process):
    def __init__(self, argv, work, name, config, *flags, port=None):
        self.port = port or peers.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        path = work / f"{name}.yml"
        path.write_text(config)
        super().__init__([*argv, f"--config.file={path}", f"--storage.tsdb.path={work / name}", f"--web.listen-address=127.0.0.1:{self.port}",
                          "--web.enable-lifecycle", *flags], work / f"{name}.log")
        try:
            peers.wait_for(lambda: not self.alive() or peers.http(self.url + "/-/ready")[0] == 200, 30, f"{name} to be ready")
            assert self.alive(), self.text()[-2000:]
        except BaseException:
            self.stop()
            print(self.text()[-4000:])
            raise

    def query(self, q, t=None):
        args = {"query": q} | ({"time": t} if t else {})
        status, _, text = peers.http(f"{self.url}/api/v1/query?{urllib.parse.urlencode(args)}")
        assert status == 200, text
        return json.loads(text)["data"]["result"]

    def everything(self, selector, t, window="30m"):
        """{series: [[t, value]...]}"""
        return {json.dumps(s["metric"], sort_keys=True): s["values"] for s in self.query(f"{selector}[{window}]", t)}

    def metric(self, name):
        _, _, text = peers.http(self.url + "/metrics")
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if re.match(name + r"[ {]", line))


RECEIVER = "--web.enable-remote-write-receiver"
EMPTY = "global: {external_labels: {cluster: here}}\n"


class Page(http.server.BaseHTTPRequestHandler):
    lines = 300
    began = time.time()

    def do_GET(self):
        n = int((time.time() - self.began) * 10)
        body = "# TYPE load gauge\n# HELP load Of a test.\n" + "".join(f'load{{n="{i}",topic="orders"}} {n + i}\n' for i in range(self.lines))
        body = body.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serve(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def sender_config(target, to, extra=""):
    return (f"global: {{scrape_interval: 500ms, scrape_timeout: 400ms, external_labels: {{cluster: here}}}}\n"
            f"scrape_configs: [{{job_name: load, static_configs: [{{targets: ['127.0.0.1:{target}']}}]}}]\n"
            f"remote_write:\n- url: http://127.0.0.1:{to}/api/v1/write\n"
            f"  write_relabel_configs: [{{source_labels: [n], regex: '7', action: drop}}]\n"
            f"  queue_config: {{batch_send_deadline: 300ms, max_samples_per_send: 500}}\n{extra}")


# --- tests ---


def by_hand(vigie, work):
    """The same requests to both receivers: same status, same text."""
    now = int(time.time() * 1000)
    form = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
    a, b, c = ({"__name__": f"m{i}", "x": "1"} for i in "abc")
    rows = [
        ("two series", snappy(series(a, (now, 1)) + series(b, (now, 2), (now + 1000, 3))), form),
        ("the same again", snappy(series(a, (now, 1))), form),
        ("another value", snappy(series(a, (now, 7))), form),
        ("older", snappy(series(a, (now - 5000, 7))), form),
        ("far ahead", snappy(series(a, (now + 3600_000, 7))), form),
        ("far behind", snappy(series(c, (now - 48 * 3600_000, 7))), form),
        ("no name", snappy(series({"x": "1"}, (now, 7))), form),
        ("twice the label", snappy(field(1, field(1, field(1, b"__name__") + field(2, b"q")) * 2 + field(2, b"\x10" + varint(now)))), form),
        ("nothing", snappy(b""), form),
        ("not snappy", b"\xff\xff\xff", form),
        ("not protobuf", snappy(b"\x0a\xff"), form),
        ("metadata", snappy(field(3, b"\x08\x01" + field(2, b"ma") + field(4, b"help"))), form),
    ]
    read = [
        ("not snappy", b"\xff\xff", form),
        ("nothing asked", snappy(b""), form),
    ]
    bad = []
    with Prom([vigie, "prometheus"], work, "ours", EMPTY, RECEIVER) as ours, Prom(["prometheus"], work, "theirs", EMPTY, RECEIVER) as theirs:
        for path, table in (("write", rows), ("read", read)):
            for what, body, headers in table:
                said = [peers.http(f"{p.url}/api/v1/{path}", method="POST", body=body, headers=headers) for p in (ours, theirs)]
                said = [(s, re.sub(r"timestamp \d+", "timestamp", t.strip())) for s, _, t in said]
                if said[0] != said[1]:
                    bad.append(f"{path}, {what}: ours {said[0]}, theirs {said[1]}")
        for q in ('{__name__=~"m.+"}', "ma[10m]", "mb[10m]"):
            got = [sorted(map(str, p.query(q, now / 1000 + 2))) for p in (ours, theirs)]
            if got[0] != got[1]:
                bad.append(f"{q}: ours {got[0]}, theirs {got[1]}")
    # Of 3.x, which 2.42 does otherwise: it takes what is far ahead, and answers 500 to a label that stands twice.
    bad = [x for x in bad if not x.startswith(("write, far ahead: ours (400, 'out of bounds: timestamp is too far in the future')",
                                               "write, twice the label: ours (204, '')"))]
    assert not bad, "\n".join(bad)


def disabled(vigie, work):
    with Prom([vigie, "prometheus"], work, "ours", EMPTY) as ours, Prom(["prometheus"], work, "theirs", EMPTY) as theirs:
        said = [peers.http(p.url + "/api/v1/write", method="POST", body=b"")[::2] for p in (ours, theirs)]
        assert said[0] == (said[1][0], said[1][1].replace("enable-feature=", "web.enable-")), said


def send(sender, receiver, work, kill, check=lambda s: None):
    """sender scrapes and sends; the receiver goes away and comes back; the sender too, by kill -9 if asked."""
    with serve(Page) as page, contextlib.ExitStack() as stack:
        to = peers.free_port()
        config = sender_config(page.server_address[1], to)
        start_r = lambda: stack.enter_context(Prom(receiver, work, "receiver", EMPTY, RECEIVER, port=to))
        start_s = lambda: stack.enter_context(Prom(sender, work, "sender", config))
        r = start_r()
        s = start_s()
        peers.wait_for(lambda: r.query('count(load{cluster="here"})'), 30, "the first samples")
        r.stop()
        time.sleep(3)  # samples pile up at the sender; how many is of no matter
        if kill:
            s.kill()
            time.sleep(0.3)
            s = start_s()
            time.sleep(1)
        r = start_r()
        peers.wait_for(lambda: len(s.everything('{job="load"}', time.time())) > 300, 30, "scrapes after the restart")
        edge = time.time()
        newest = lambda p: float((p.query('max(timestamp(load))') or [{"value": [0, 0]}])[0]["value"][1])
        peers.wait_for(lambda: newest(r) >= edge, 60, "the receiver to have caught up")
        t = edge - 0.001
        mine = {k: v for k, v in s.everything('{job="load"}', t).items() if '"n": "7"' not in k}
        there = r.everything('{job="load"}', t)
        there = {k.replace('"cluster": "here", ', ""): v for k, v in there.items()}
        total = [sum(map(len, x.values())) for x in (mine, there)]
        lost = {k: [x for x in v if x not in there.get(k, [])] for k, v in mine.items() if v != there.get(k)}
        print(f"  sender holds {total[0]} samples of {len(mine)} series, the receiver {total[1]} of {len(there)}")
        check(s)
        return mine, there, lost


def they_send(vigie, work):
    """Debian's prometheus to us: the receiver's outage only, for it keeps no place over a restart."""
    mine, there, lost = send(["prometheus"], [vigie, "prometheus"], work, False)
    assert mine == there, str(lost)[:2000]


def we_send(vigie, work):
    """We to Debian's prometheus, which refuses a whole request for one sample it has: an outage and a kill -9 of ours."""
    def check(s):
        assert s.metric("prometheus_remote_storage_samples_failed_total") == 0
        assert s.metric("prometheus_remote_storage_samples_dropped_total") > 0  # write_relabel_configs
    mine, there, lost = send([vigie, "prometheus"], ["prometheus"], work, True, check)
    assert mine == there, str(lost)[:2000]


def to_ourselves(vigie, work):
    mine, there, lost = send([vigie, "prometheus"], [vigie, "prometheus"], work, True)
    assert mine == there, str(lost)[:2000]


class Moody(http.server.BaseHTTPRequestHandler):
    """Answers as it is told, once each, then takes all."""
    answers = []
    taken, seen, metadata = [], [], []
    lock = threading.Lock()

    def do_POST(self):
        body = unsnappy(self.rfile.read(int(self.headers["Content-Length"])))
        samples = [(json.dumps(k, sort_keys=True), t, v) for k, t, v in samples_of(body)]
        with self.lock:
            status = self.answers.pop(0) if samples and self.answers else 204
            if samples:
                self.seen.append((status, self.headers.get("Retry-Attempt"), self.headers["X-Token"], samples))
            if status == 204:
                self.taken.extend(samples)
                self.metadata.extend(dict(fields(m)).get(2) for n, m in fields(body) if n == 3)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def moods(vigie, work):
    """5xx and 429 come again with the same body until it is taken; a 400 is dropped and counted; metadata goes out."""
    Moody.answers = [500, 429, 503, 204, 400]
    with serve(Page) as page, serve(Moody) as moody:
        extra = "  headers: {X-Token: abc}\n  metadata_config: {send_interval: 1s}\n"
        config = sender_config(page.server_address[1], moody.server_address[1], extra).replace("max_samples_per_send: 500", "max_samples_per_send: 500, retry_on_http_429: true")
        with Prom([vigie, "prometheus"], work, "sender", config) as s:
            peers.wait_for(lambda: not Moody.answers and s.metric("prometheus_remote_storage_samples_failed_total") > 0, 30, "the moods to be over")
            peers.wait_for(lambda: len(Moody.taken) > 1500, 30, "samples to arrive")
            peers.wait_for(lambda: b"load" in Moody.metadata, 20, "metadata")
            failed = s.metric("prometheus_remote_storage_samples_failed_total")
            retried = s.metric("prometheus_remote_storage_samples_retried_total")
        first = Moody.seen[:5]
        assert [x[0] for x in first] == [500, 429, 503, 204, 400], [x[0] for x in first]
        assert [x[1] for x in first[:4]] == [None, "1", "2", "3"] and all(x[2] == "abc" for x in first)
        assert first[0][3] == first[1][3] == first[2][3] == first[3][3], "the body changed between attempts"
        assert failed == len(first[4][3]), (failed, len(first[4][3]))
        assert retried == 3 * len(first[0][3]), (retried, len(first[0][3]))
        assert len(Moody.taken) == len(set(Moody.taken)), "a sample was taken twice"
        assert not set(first[4][3]) & set(Moody.taken), "refused samples came again"
        assert all('"cluster": "here"' in k for k, _, _ in Moody.taken)


def read_config(port, recent="true"):
    return (f"global: {{external_labels: {{cluster: here}}}}\n"
            f"remote_read: [{{url: 'http://127.0.0.1:{port}/api/v1/read', read_recent: {recent}}}]\n")


def read_both_ways(vigie, work):
    """Ten hours of one sample in a minute and a short series: each asks the other for them, by chunks; ours is asked for samples, too."""
    now = int(time.time()) * 1000
    form = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
    long = [(now - 3000_000 + i * 1000, i * 1.5) for i in range(3000)]
    for name, keeper, asker in (("theirs asks", [vigie, "prometheus"], ["prometheus"]), ("ours asks", ["prometheus"], [vigie, "prometheus"]),
                                ("ours asks ours", [vigie, "prometheus"], [vigie, "prometheus"])):
        sub = work / name.replace(" ", "")
        sub.mkdir()
        with Prom(keeper, sub, "keeper", EMPTY, RECEIVER) as k:
            body = snappy(series({"__name__": "long", "x": "1"}, *long) + series({"__name__": "short", "x": "2"}, (now - 1000, 5)))
            assert peers.http(k.url + "/api/v1/write", method="POST", body=body, headers=form)[0] == 204
            with Prom(asker, sub, "asker", read_config(k.port), RECEIVER) as a:
                own = snappy(series({"__name__": "short", "x": "2"}, (now, 6)) + series({"__name__": "own"}, (now, 1)))
                assert peers.http(a.url + "/api/v1/write", method="POST", body=own, headers=form)[0] == 204
                for q in ("long", "long[2h]", "max_over_time(long[5m])", "short[5m]", "own", '{__name__=~"long|own"}', 'long{cluster="here"}', 'long{x!="1"}', "nothing"):
                    got = sorted(map(str, a.query(q, now / 1000)))
                    want = sorted(map(str, k.query(q, now / 1000)))
                    if q == "short[5m]":
                        assert "'5'" in got[0] and "'6'" in got[0], got
                    elif q in ("own", '{__name__=~"long|own"}'):
                        assert len(got) == len(want) + 1, (q, got, want)
                    elif q == 'long{cluster="here"}':
                        assert len(got) == 1, (name, q, got)
                    else:
                        assert got == want, (name, q, got[:3], want[:3], a.text()[-1500:])
                if asker[0] == vigie:
                    assert a.metric("prometheus_remote_storage_read_queries_total") >= 9
            if keeper[0] == vigie:
                samples_form(k, now, long)
            k.stop()
    # A server that is away does not take the local answer with it.
    with Prom([vigie, "prometheus"], work, "alone", read_config(1), RECEIVER) as a:
        assert peers.http(a.url + "/api/v1/write", method="POST", body=snappy(series({"__name__": "own"}, (now, 1))), headers=form)[0] == 204
        assert len(a.query("own", now / 1000)) == 1


def samples_form(keeper, now, long):
    """The older of the two forms, by hand."""
    matcher = field(3, field(2, b"__name__") + field(3, b"long"))
    ask = snappy(field(1, b"\x08" + varint(now - 3600_000) + b"\x10" + varint(now) + matcher))
    req = urllib.request.Request(keeper.url + "/api/v1/read", method="POST", data=ask)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(req, timeout=10) as r:
        assert r.headers["Content-Type"] == "application/x-protobuf" and r.headers["Content-Encoding"] == "snappy"
        result = dict(fields(unsnappy(r.read())))[1]
    got = list(samples_of(result))
    assert [(t, v) for _, t, v in got] == long
    assert got[0][0] == {"__name__": "long", "x": "1", "cluster": "here"}, got[0]


def main():
    vigie = sys.argv[1]
    peers.need("prometheus", "apt-get install prometheus")
    chosen = sys.argv[2:]
    for test in (by_hand, disabled, they_send, we_send, to_ourselves, moods, read_both_ways):
        if chosen and test.__name__ not in chosen:
            continue
        with tempfile.TemporaryDirectory() as work:
            begin = time.monotonic()
            test(vigie, pathlib.Path(work))
            print(f"ok {test.__name__} ({time.monotonic() - begin:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
