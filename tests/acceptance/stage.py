# SPDX-License-Identifier: Apache-2.0
"""Vigie with the document's files, on a cluster, with a mail server and a Slack sink.

The files are copied. In the copy the ports, the mail server's address and certificate differ, and every duration is divided by
one factor (1 leaves them as they are): scrape and evaluation intervals, `for`, ranges like [5m], the timers of Alertmanager.
"""
import re
import shutil
import threading

import peers
import sinks
from peers import wait_for

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


def seconds(text):
    """5m, 1h30m as Prometheus writes them."""
    return sum(float(n) * UNITS[u] for n, u in re.findall(r"(\d+)(ms|s|m|h)", text))


def divide(text, factor):
    """Every duration of a configuration file, a rule's ranges included, divided."""
    def smaller(m):
        return f"{m[1]}{int(seconds(m[2]) * 1000 / factor)}ms{m[3]}"

    if factor == 1:
        return text
    keys = "scrape_interval|scrape_timeout|evaluation_interval|interval|for|group_wait|group_interval|repeat_interval"
    text = re.sub(rf"(\b(?:{keys}): )([\dhms]+)()$", smaller, text, flags=re.M)
    return re.sub(r"(\[)([\dhms]+)(\])", smaller, text)


class Stage:
    def __init__(self, vigie, cluster, folder, factor):
        self.binary, self.cluster, self.folder, self.factor = vigie, cluster, folder, factor
        self.port = {r: peers.free_port() for r in peers.ROLES}
        self.slack, self.vigie, self.mail = sinks.HookSink(), None, None
        self.lock = threading.Lock()

    def write_files(self):
        shutil.copytree(peers.ROOT / "monitoring", self.folder / "monitoring")
        files = {f.name: f for f in (self.folder / "monitoring").rglob("*.y*ml")}
        for name in ("prometheus.yml", "kafka-alerts.yaml", "vigie-watchdog.yaml", "alertmanager.yml"):
            text = divide(peers.Run.localise(files[name].read_text(), self.port), self.factor)
            if name == "alertmanager.yml":
                text = re.sub(r"( +)smarthost: .*", rf"\1smarthost: 'localhost:{self.mail.port}'\n\1tls_config: {{ca_file: '{self.mail.certificate}'}}", text)
            files[name].write_text(text)

    def start(self):
        own = [f"--kafka-exporter.collect.interval={int(5000 / self.factor)}ms", f"--kafka-exporter.collect.log-dirs-interval={int(30000 / self.factor)}ms",
               f"--prometheus.rules.alert.resend-delay={int(60000 / self.factor)}ms"] if self.factor > 1 else []
        jmx = [f"127.0.0.1:{p}" for p in self.cluster.jmx]
        self.vigie = peers.Run(self.binary, self.folder / "monitoring", self.folder / "data", [f"127.0.0.1:{self.cluster.ports[0]}"], jmx, self.port,
                               self.folder / "vigie.log", *own, env={"SLACK_WEBHOOK_URL": self.slack.url, "SMTP_PASSWORD": self.mail.password})

    def __enter__(self):
        try:
            self.mail = sinks.LoginMail(self.folder, "alertmanager", "s3cret pass")
            self.write_files()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.vigie:
            self.vigie.stop()
        if self.mail:
            self.mail.stop()

    def scaled(self, document):
        """A duration of the document in this run."""
        return seconds(document) / self.factor

    def wait(self, condition, limit, what):
        """wait_for, with the word that Vigie still runs."""
        return wait_for(lambda: self.vigie.living() and condition(), limit, what)

    def quiet(self):
        """Whether nothing but the watchdog is pending or firing."""
        return not [a for a in self.vigie.api("alerts")["alerts"] if a["labels"]["alertname"] != "Watchdog"]
