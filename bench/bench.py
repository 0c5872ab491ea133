# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: a process whose CPU time and memory are read from /proc, free ports, and a row of the table."""
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integ"))
import peers  # noqa: E402  (the real peers are those of the tests)

VIGIE = pathlib.Path(sys.argv[1]).resolve()
TICK = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Row:
    """One line of the table; theirs or ours may be None where one side has no such figure."""
    what: str
    unit: str
    peer: str
    theirs: float
    ours: float
    answers: str = ""

    def ratio(self):
        return f"{self.theirs / self.ours:.1f}x" if self.theirs is not None and self.ours else ""


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def rss_mb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


class Server:
    """A server under measurement, with its children (vigie run has one); ends with its block."""

    def __init__(self, name, argv, ready_url=None, env=None):
        self.name, self.argv, self.ready_url = name, [str(a) for a in argv], ready_url
        self.env = {**os.environ, **(env or {})}

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="vigie-bench-")
        self.log = open(pathlib.Path(self.dir, "log"), "wb")
        self.proc = subprocess.Popen(self.argv, cwd=self.dir, stdout=self.log, stderr=subprocess.STDOUT, env=self.env)
        try:
            if self.ready_url:
                peers.wait_for(self.ready, 60, f"{self.name} at {self.ready_url}")
        except BaseException:
            sys.stderr.write(pathlib.Path(self.dir, "log").read_text(errors="replace")[-800:])
            self.__exit__()
            raise
        return self

    def ready(self):
        if self.proc.poll() is not None:
            raise RuntimeError(f"{self.name} ended while starting")
        return urllib.request.urlopen(self.ready_url, timeout=10).status == 200

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
        children = pathlib.Path(f"/proc/{self.proc.pid}/task/{self.proc.pid}/children").read_text().split()
        return [self.proc.pid, *map(int, children)]

    def cpu_s(self):
        return sum(map(cpu_s, self.pids()))

    def rss_mb(self):
        return sum(map(rss_mb, self.pids()))


def progress(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def machine():
    model = next((l.split(":", 1)[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), os.uname().machine)
    return f"{os.cpu_count()} x {model}, load {os.getloadavg()[0]:.1f} at the start"
