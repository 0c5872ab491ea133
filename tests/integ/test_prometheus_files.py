# SPDX-License-Identifier: Apache-2.0
"""The user's Prometheus files are valid for the original's own checker, and hold what the document lists."""
import re
import shutil
import subprocess
import sys

ALERTS = {  # name: (severity, for), from the document's tables
    "KafkaBrokerDown": ("critical", "2m"),
    "KafkaJMXExporterDown": ("warning", "2m"),
    "KafkaConsumerLagHigh": ("warning", "5m"),
    "KafkaConsumerLagCritical": ("critical", "5m"),
    "KafkaUnderReplicatedPartitions": ("warning", "5m"),
    "KafkaOfflinePartitions": ("critical", "1m"),
    "KafkaHighRequestRate": ("warning", "10m"),
    "KafkaLowMessagesInRate": ("info", "15m"),
    "KafkaFailedProduceRequests": ("warning", "5m"),
    "KafkaISRShrinks": ("warning", "5m"),
    "KafkaDiskUsageHigh": ("warning", "5m"),
    "KafkaDiskUsageCritical": ("critical", "2m"),
}


def promtool(*args):
    done = subprocess.run(["promtool", *args], capture_output=True, text=True)
    print(done.stdout + done.stderr)
    assert done.returncode == 0, f"promtool {' '.join(args)}"
    return done.stdout


def main():
    if not shutil.which("promtool"):
        sys.exit("promtool is missing: apt-get install prometheus")
    assert "SUCCESS: 2 rule files found" in promtool("check", "config", "monitoring/prometheus.yml")
    assert "12 rules found" in promtool("check", "rules", "monitoring/rules/kafka-alerts.yaml")
    text = open("monitoring/rules/kafka-alerts.yaml", encoding="utf-8").read()
    assert len(re.findall(r"^  - name: ", text, re.M)) == 5
    found = {}
    for part in text.split("- alert: ")[1:]:
        name = part.split("\n", 1)[0]
        found[name] = (re.search(r"severity: (\w+)", part)[1], re.search(r"for: (\w+)", part)[1])
        assert "component: kafka" in part and "summary:" in part and "description:" in part, name
    assert found == ALERTS, found
    return 0


if __name__ == "__main__":
    sys.exit(main())
