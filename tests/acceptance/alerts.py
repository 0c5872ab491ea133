# SPDX-License-Identifier: Apache-2.0
"""What the document says of its twelve alerts, and whether one of them did it.

A Case is one alert brought about by one cause: begun() when the cause begins, fired() when it must have fired and told
people, ended() when the cause ends, healed() when it must be gone. What is wrong is kept as a sentence, a cell of the table.
"""
import html
import json
import re
import time

from stage import seconds

# The document: severity, `for`, the texts of its columns Impact and Action; then how long after the cause the condition can be seen
# at most: a window of a rate() (document's duration), or what the cause itself needs (seconds of this run).
DOCUMENT = {
    "KafkaBrokerDown": ("critical", "2m", None, "Vérifier le broker Kafka et le réseau"),
    "KafkaJMXExporterDown": ("warning", "2m", None, "Vérifier JMX exporter, métriques broker indisponibles"),
    "KafkaConsumerLagHigh": ("warning", "5m", "Délais dans le traitement des événements", "Vérifier la santé des consumers, scaler si besoin"),
    "KafkaConsumerLagCritical": ("critical", "5m", "Délais sévères, risque de perte de données", "ACTION IMMÉDIATE: Scaler consumers"),
    "KafkaUnderReplicatedPartitions": ("warning", "5m", "Risque de perte de données si broker fail", "Vérifier réseau, performances broker"),
    "KafkaOfflinePartitions": ("critical", "1m", "Topics indisponibles, prod/conso bloquée", "ACTION IMMÉDIATE: Redémarrer brokers"),
    "KafkaHighRequestRate": ("warning", "10m", "Charge élevée, latence possible", None),
    "KafkaLowMessagesInRate": ("info", "15m", "Problème producteurs ou trafic faible attendu", None),
    "KafkaFailedProduceRequests": ("warning", "5m", "Messages peuvent échouer à être écrits", None),
    "KafkaISRShrinks": ("warning", "5m", "Replicas en retard, tolérance aux pannes réduite", None),
    "KafkaDiskUsageHigh": ("warning", "5m", "Risque de manquer d'espace disque", "Augmenter fréquence cleanup, réduire rétention"),
    "KafkaDiskUsageCritical": ("critical", "2m", "ÉCHEC IMMINENT: Kafka arrêtera d'accepter messages", "ACTION IMMÉDIATE: Libérer espace disque"),
}
SLACK = 3.0  # seconds that a busy machine may add to anything


def pattern(template):
    """What a rule's template may have become, as a regular expression: any label, any number."""
    parts = re.split(r"(\{\{.*?\}\})", template)
    return "".join(r"[-+.,\d e%kMGm]+?" if "$value" in p else r"[^{}<>]+?" if p.startswith("{{") else re.escape(p) for p in parts)


class Case:
    def __init__(self, stage, name, cause, sees, window="0s", takes=0.0):
        """sees: the job whose scrape shows the condition; window: of the rule's rate(); takes: what the cause itself needs."""
        self.stage, self.name, self.cause, self.sees, self.window, self.takes = stage, name, cause, sees, window, takes
        self.cell = {k: "no" for k in ("pending", "firing", "mail", "slack", "resolved")}
        self.wrong = ["never begun"]
        self.active = None

    # -- the four moments

    def begun(self, at=None):
        self.wrong, self.at = [], at or time.time()
        self.earlier = len(self.stage.mail.mails), len(self.stage.slack.bodies)  # messages of another time
        say(f"{self.name}: {self.cause}")
        if not at and self.stage.vigie.alert(self.name):
            self.wrong.append("active before its cause")

    def fired(self, extra=0.0):
        """Waits until it fires and both messages are there, and judges the times."""
        limit = self.latest() + seconds(DOCUMENT[self.name][1]) / self.stage.factor + 2 * self.interval() + extra + 30
        try:
            self.stage.wait(lambda: self.stage.vigie.alert(self.name) == "firing", max(1, self.at + limit - time.time()), f"{self.name} firing")
        except TimeoutError as e:
            self.wrong.append(str(e))
            return
        self.judge_times()
        self.judge_rule()
        self.told()

    def ended(self):
        self.end = time.time()
        say(f"{self.name}: the cause has ended")

    def healed(self, limit):
        try:
            self.stage.wait(lambda: self.stage.vigie.alert(self.name) is None, limit, f"{self.name} to end")
            self.cell["resolved"] = f"{time.time() - self.end:.0f} s"
            self.stage.wait(lambda: not self.at_alertmanager(), 30 + self.stage.scaled("30s"), f"{self.name} to end at the Alertmanager")
        except TimeoutError as e:
            self.cell["resolved"] = "no"
            self.wrong.append(str(e))

    # -- judging

    def interval(self):
        return self.stage.scaled("30s")  # of the groups

    def latest(self):
        """When the condition must be seen at the latest, in seconds after the cause."""
        scrape = self.stage.scaled("30s") * 2 if self.sees == "kafka-exporter" else self.stage.scaled("15s") * 2
        return self.takes + self.stage.scaled(self.window) + scrape + self.interval() + SLACK

    def judge_times(self):
        firing = [a for a in self.stage.vigie.alerts(self.name) if a["state"] == "firing"]
        first = min(firing, key=lambda a: a["activeAt"])
        self.active = first
        active = epoch(first["activeAt"])
        labels = ",".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in first["labels"].items() if k not in ("alertname", "cluster", "environment"))
        went = f'ALERTS{{alertname="{self.name}",alertstate="%s",{labels}}}[{int(time.time() - self.at) + 60}s]'
        pending = [t for s in self.stage.vigie.query(went % "pending") for t, _ in s["values"]]
        fired = [t for s in self.stage.vigie.query(went % "firing") for t, _ in s["values"] if t >= active]
        self.cell["pending"], self.cell["firing"] = f"{active - self.at:.1f} s", f"{fired[0] - active:.1f} s"
        if not any(abs(t - active) < 0.01 for t in pending):
            self.wrong.append("never seen pending")
        since = self.seen_again(active)
        if not -SLACK <= active - since <= self.latest():
            self.wrong.append(f"pending {active - since:.1f} s after its cause, not within {self.latest():.1f} s")
        due = seconds(DOCUMENT[self.name][1]) / self.stage.factor
        if not due <= fired[0] - active + 0.01 <= due + self.interval() + SLACK:
            self.wrong.append(f"fired {fired[0] - active:.1f} s after pending, not {due:.1f} s")

    def seen_again(self, active):
        """When the cause began; when a scrape failed since (a machine too busy for a tenth of the intervals), then that, for it ends what was pending."""
        if self.name in ("KafkaBrokerDown", "KafkaJMXExporterDown"):
            return self.at
        ups = [(t, v) for s in self.stage.vigie.query(f'up{{job="{self.sees}"}}[{int(time.time() - self.at) + 1}s]') for t, v in s["values"]]
        lost = max((t for t, v in ups if v == "0" and self.at < t < active), default=0)
        if lost:
            self.cell["pending"] += f" ({active - lost:.1f} s after a lost scrape)"
        return max(self.at, lost)

    def judge_rule(self):
        rule = next(r for g in self.stage.vigie.api("rules")["groups"] for r in g["rules"] if r["name"] == self.name)
        severity, _, impact, action = DOCUMENT[self.name]
        self.texts = {**rule["annotations"]}
        if rule["labels"] != {"severity": severity, "component": "kafka"}:
            self.wrong.append(f"labels {rule['labels']}")
        if self.texts.get("impact") != impact or self.texts.get("action") != action:
            self.wrong.append("impact or action is not the document's")

    def told(self):
        for channel, look in (("mail", self.mails), ("slack", self.slacks)):
            try:
                self.cell[channel] = self.stage.wait(look, self.stage.scaled("30s") + 30, f"the {channel} of {self.name}")
            except TimeoutError:
                self.cell[channel] = "no"
                self.wrong.append(f"no {channel} with the whole text")

    def mails(self):
        """A mail from and to the document's addresses that holds every text of the alert, whole."""
        for m in self.stage.mail.messages()[self.earlier[0]:]:
            part = m.get_body(("html",))
            text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", part.get_content()))) if part else ""
            whole = all(re.search(pattern(t), text) for t in self.texts.values())
            if whole and m["Subject"].startswith("[FIRING:") and self.name in m["Subject"].split() and (m["To"], m["From"]) == ("ops@dreamscape.ai", "alertmanager@dreamscape.ai"):
                return "yes"
        return None

    def slacks(self):
        """A Slack message of the document's form: its channel and title, and all descriptions, nothing else."""
        said = pattern(self.texts["description"])
        for body in self.stage.slack.bodies[self.earlier[1]:]:
            it = body["attachments"][0]
            if (body["channel"], it["title"]) == ("#kafka-alerts", f"Kafka Alert: {self.name}") and re.fullmatch(f"(?:{said})+", it["text"]):
                return "yes"
        return None

    def at_alertmanager(self):
        return [a for a in json.loads(self.stage.vigie.get("alertmanager", "/api/v2/alerts?active=true")[2]) if a["labels"]["alertname"] == self.name]

    def row(self):
        return [self.name, self.cause, *(self.cell[k] for k in ("pending", "firing", "mail", "slack", "resolved"))]


def epoch(text):
    """RFC 3339 with nanoseconds, as seconds."""
    import calendar
    m = re.match(r"(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(\.\d+)?Z", text)
    return calendar.timegm(tuple(int(x) for x in m.groups()[:6])) + float(m[7] or 0)


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)
