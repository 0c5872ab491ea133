# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: a process whose CPU time and memory are read from /proc, medians, and the printed table."""
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integ"))
import peers  # noqa: E402  (the real peers are those of the tests)

VIGIE = ROOT / "build" / "release" / "vigie"
TICK = os.sysconf("SC_CLK_TCK")


class Server:
    """A server under measurement; ends with its block."""

    def __init__(self, name, argv, ready_url=None, env=None):
        self.name, self.argv, self.ready_url = name, [str(a) for a in argv], ready_url
        self.env = {**os.environ, **(env or {})}

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="vigie-bench-")
        self.log = open(pathlib.Path(self.dir, "log"), "wb")
        began = time.monotonic()
        self.proc = subprocess.Popen(self.argv, cwd=self.dir, stdout=self.log, stderr=subprocess.STDOUT, env=self.env)
        if self.ready_url:
            peers.wait_for(lambda: urllib.request.urlopen(self.ready_url, timeout=2).status == 200, 60, f"{self.name} at {self.ready_url}")
        self.ready_s = time.monotonic() - began
        return self

    def __exit__(self, *_):
        self.proc.send_signal(signal.SIGTERM)
        try:
            self.proc.wait(15)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def pids(self):
        """The process and its children (vigie run has two)."""
        out = [self.proc.pid]
        for p in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = p.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) in out:
                out.append(int(p.parent.name))
        return out

    def cpu_s(self):
        total = 0
        for pid in self.pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICK

    def rss_mb(self):
        total = 0
        for pid in self.pids():
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1])
        return total / 1024


def median(values):
    return statistics.median(values)


def row(what, theirs, ours, unit, peer):
    """One line of the table: both figures and how many times ours fits into theirs."""
    ratio = theirs / ours if ours else float("inf")
    print(f"{what:<44} {peer} {theirs:10.2f} {unit:<6} vigie {ours:10.2f} {unit:<6} ratio {ratio:6.1f}x", flush=True)


def machine():
    model = next(l.split(":", 1)[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name"))
    load = os.getloadavg()[0]
    print(f"machine: {os.cpu_count()} x {model}, load {load:.2f} at the start", flush=True)
