# SPDX-License-Identifier: Apache-2.0
"""Debian's prometheus on a directory that our store wrote, and our store on one that it wrote: the same samples.

Usage: test_tsdb_twin.py PATH/TO/vigie   (uses unit_tsdb_driver beside it)
Needs: /usr/bin/prometheus (else exit 77).
"""
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

PROMETHEUS = "/usr/bin/prometheus"
PROMTOOL = "/usr/bin/promtool"
DRIVER = os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), "unit_tsdb_driver")
STALE = 0x7FF0000000000002
QUIET = "global:\n  scrape_interval: 1h\n"
BUSY = """global:
  scrape_interval: 100ms
scrape_configs:
  - job_name: self
    static_configs: [{targets: ["127.0.0.1:%d"]}]
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Prometheus:
    """Debian's prometheus on a data directory, until stopped."""

    def __init__(self, data, config, *flags):
        self.port = free_port()
        self.log = tempfile.NamedTemporaryFile("w+", suffix=".log")
        path = os.path.join(os.path.dirname(data), "prometheus.yml")
        with open(path, "w") as f:
            f.write(config % self.port if "%d" in config else config)
        self.proc = subprocess.Popen(
            [PROMETHEUS, "--config.file=" + path, "--storage.tsdb.path=" + data,
             f"--web.listen-address=127.0.0.1:{self.port}", *flags], stdout=self.log, stderr=self.log)
        self.wait(lambda: self.get("/-/ready") is not None, "to be ready")

    def wait(self, ready, what, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.proc.poll() is not None:
                sys.exit("prometheus ended:\n" + self.text())
            try:
                if ready():
                    return
            except OSError:
                pass
            time.sleep(0.1)
        sys.exit(f"prometheus took too long {what}:\n" + self.text())

    def get(self, path, **args):
        url = f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(args)}"
        with urllib.request.urlopen(url, timeout=30) as r:
            return r.read()

    def samples(self, window="10h"):
        """{labels: {t: bits}} of everything, staleness markers apart: the API does not show them."""
        answer = json.loads(self.get("/api/v1/query", query='{__name__!=""}[%s]' % window))
        out = {}
        for s in answer["data"]["result"]:
            labels = tuple(sorted(s["metric"].items()))
            out[labels] = {round(float(t) * 1000): bits(float(v)) for t, v in s["values"]}
        return out

    def text(self):
        with open(self.log.name) as f:
            return f.read()

    def stop(self, how=signal.SIGTERM):
        self.proc.send_signal(how)
        self.proc.wait()


def bits(v):
    b = struct.unpack(">Q", struct.pack(">d", v))[0]
    return "nan" if v != v else b


def dump(data):
    """{labels: {t: bits}} by our store."""
    run = subprocess.run([DRIVER, "dump", data], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    out = {}
    for line in run.stdout.decode().splitlines():
        labels, *samples = line.split("\t")
        name, rest = re.fullmatch(r"([^{]*)(?:\{(.*)\})?", labels, re.S).groups()
        pairs = re.findall(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"', rest or "")
        key = {k: json.loads(f'"{v}"') for k, v in pairs}
        if name:
            key["__name__"] = name
        values = {}
        for s in samples:
            t, v = s.split("=")
            v = int(v, 16)
            if v != STALE:
                values[int(t)] = bits(struct.unpack(">d", struct.pack(">Q", v))[0])
        if values:
            out[tuple(sorted(key.items()))] = values
    return out, run.stderr.decode()


def same(what, want, got):
    missing = sorted(set(want) - set(got))
    extra = sorted(set(got) - set(want))
    if missing or extra:
        sys.exit(f"{what}: {len(missing)} series missing {missing[:2]}, {len(extra)} more {extra[:2]}")
    for labels, samples in want.items():
        if samples == got[labels]:
            continue
        times = sorted(set(samples.items()) ^ set(got[labels].items()))
        sys.exit(f"{what}: {labels}: differ in {len(times)}: {times[:4]}")
    total = sum(len(s) for s in want.values())
    print(f"ok: {what}: {len(want)} series, {total} samples alike")


def theirs_on_ours(top):
    data = os.path.join(top, "ours")
    now = int(time.time() * 1000)
    subprocess.run([DRIVER, "write", data, str(now - 9_000_000), str(now - 60_000)], check=True)
    copy = os.path.join(top, "copy")
    shutil.copytree(data, copy)
    want, _ = dump(data)
    assert os.path.getsize(os.path.join(copy, "chunks_head", "000001")) > 1000
    p = Prometheus(copy, QUIET)
    got = p.samples()
    bad = [line for line in p.text().splitlines() if re.search("level=(warn|error)", line) and "tsdb" in line]
    if bad:
        sys.exit("prometheus complains about our directory:\n" + "\n".join(bad))
    same("prometheus on our directory", want, got)
    p.stop()
    again, complaints = dump(copy)
    if complaints:
        sys.exit("we complain about the directory that prometheus continued:\n" + complaints)
    same("our store on the directory that prometheus continued", want, again)


def head_samples(p):
    m = re.search(rb'prometheus_tsdb_head_samples_appended_total(?:\{type="float"\})? (\S+)', p.get("/metrics"))
    return float(m.group(1))


def stored_chunks(data):
    return sum(os.path.getsize(os.path.join(data, "chunks_head", f)) for f in os.listdir(os.path.join(data, "chunks_head")))


def ours_on_theirs(top, how):
    """Samples of its own scraping, some in chunks_head, until it is ended; what the API said last must all be there."""
    data = os.path.join(top, f"theirs{how.value}")
    p = Prometheus(data, BUSY)
    p.wait(lambda: stored_chunks(data) > 20000, "to store chunks")
    want = p.samples()
    p.stop(how)
    got, complaints = dump(data)
    if complaints:
        sys.exit("we complain about prometheus' directory:\n" + complaints)
    shown = {labels: {t: v for t, v in got.get(labels, {}).items() if t in samples} for labels, samples in want.items()}
    same(f"our store on prometheus' directory ({how.name})", want, shown)


def promtool(*args):
    run = subprocess.run([PROMTOOL, "tsdb", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if run.returncode:
        sys.exit(f"promtool tsdb {args}: {run.stderr.decode()}")
    return run.stdout.decode()


def promtool_dump(data):
    """{labels: {t: bits}}; staleness markers are NaN here."""
    out = {}
    for line in promtool("dump", data).splitlines():
        labels, value, t = re.fullmatch(r"(\{.*\}) (\S+) (-?\d+)", line).groups()
        pairs = re.findall(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"', labels)
        key = tuple(sorted((k, json.loads(f'"{v}"')) for k, v in pairs))
        out.setdefault(key, {})[int(t)] = bits(float(value))
    return out


def without_nan(samples):
    out = {labels: {t: v for t, v in s.items() if v != "nan"} for labels, s in samples.items()}
    return {labels: s for labels, s in out.items() if s}


def blocks(data):
    """{ulid: (level, minTime, maxTime)}"""
    out = {}
    for name in os.listdir(data):
        if re.fullmatch("[0-9A-Z]{26}", name):
            with open(os.path.join(data, name, "meta.json")) as f:
                m = json.load(f)
            out[name] = (m["compaction"]["level"], m["minTime"], m["maxTime"])
    return out


def check_promtool(data):
    """promtool takes the blocks as its own: list, analyze of each, dump equal to ours."""
    listed = promtool("list", data)
    for ulid in blocks(data):
        if ulid not in listed:
            sys.exit(f"promtool does not list {ulid}:\n{listed}")
        if "Series: " not in promtool("analyze", data, ulid):
            sys.exit(f"promtool does not analyze {ulid}")
    got, complaints = dump(data)
    if complaints:
        sys.exit(complaints)
    same("promtool's dump", without_nan(promtool_dump(data)), without_nan(got))


def they_compact_ours(top):
    """26 hours as twelve blocks of ours, a checkpoint and a head: read, then compacted by prometheus."""
    data = os.path.join(top, "life")
    now = int(time.time() * 1000)
    subprocess.run([DRIVER, "live", data, str(now - 26 * 3_600_000), str(now - 60_000)], check=True)
    before = blocks(data)
    assert len(before) >= 11 and all(level == 1 for level, _, _ in before.values()), before
    assert any(f.startswith("checkpoint.") for f in os.listdir(os.path.join(data, "wal")))
    want, complaints = dump(data)
    if complaints:
        sys.exit(complaints)
    check_promtool(data)
    p = Prometheus(data, QUIET)
    same("prometheus on our blocks", want, p.samples("30h"))
    p.wait(lambda: any(level > 1 for level, _, _ in blocks(data).values()) and len(blocks(data)) < 7,
           "to compact our blocks", 200)
    same("prometheus on our blocks, which it compacted", want, p.samples("30h"))
    p.stop()
    got, complaints = dump(data)
    if complaints:
        sys.exit(complaints)
    same("we on our blocks that prometheus compacted", want, got)


def we_compact_theirs(top):
    """A day backfilled by promtool, compacted by us."""
    data, text = os.path.join(top, "backfill"), os.path.join(top, "backfill.om")
    begin = (int(time.time()) - 40 * 3600) // 7200 * 7200
    want = {}
    with open(text, "w") as f:
        f.write("# TYPE m gauge\n")
        for i in range(40):
            key = tuple(sorted({"__name__": "m", "i": str(i), "job": "b"}.items()))
            want[key] = {}
            for k in range(24 * 60):
                if i % 5 == 4 and k // 200 % 2:
                    continue
                v = (k * (i + 1)) % 1013 / 8
                f.write(f'm{{i="{i}",job="b"}} {v} {begin + k * 60}\n')
                want[key][(begin + k * 60) * 1000] = bits(v)
        f.write("# EOF\n")
    os.mkdir(data)
    promtool("create-blocks-from", "openmetrics", text, data)
    os.makedirs(os.path.join(data, "wal"), exist_ok=True)
    assert len(blocks(data)) >= 11, blocks(data)
    got, complaints = dump(data)
    if complaints:
        sys.exit(complaints)
    same("we on promtool's blocks", want, got)
    subprocess.run([DRIVER, "compact", data, str(int(time.time() * 1000))], check=True)
    after = blocks(data)
    assert len(after) <= 5 and max(level for level, _, _ in after.values()) >= 3, after
    got, complaints = dump(data)
    if complaints:
        sys.exit(complaints)
    same("we on promtool's blocks, which we compacted", want, got)
    check_promtool(data)
    p = Prometheus(data, QUIET)
    same("prometheus on its blocks, which we compacted", want, p.samples("48h"))
    p.stop()


def main():
    if not os.path.exists(PROMETHEUS):
        sys.exit("/usr/bin/prometheus is missing: apt-get install prometheus")
    with tempfile.TemporaryDirectory(prefix="vigie-twin-") as top:
        theirs_on_ours(top)
        ours_on_theirs(top, signal.SIGTERM)
        ours_on_theirs(top, signal.SIGKILL)
        we_compact_theirs(top)
        they_compact_ours(top)


main()
