# SPDX-License-Identifier: Apache-2.0
"""Our prometheus role beside Debian's: the same configuration, the same target, the same questions.

History: what ours scraped is asked of both over one data directory, answers are compared byte for byte.
Live: both scrape one page and evaluate one rule file; lists are compared with what changes by the second masked.
MASKS says where 3.x, which we follow, answers otherwise than Debian's 2.42.
"""
import contextlib
import http.server
import json
import pathlib
import re
import shutil
import sys
import tempfile
import threading
import time
import urllib.parse

import peers

PAGE = r"""# HELP lag Messages behind.
# TYPE lag gauge
lag{group="a",topic="orders"} %(gauge)d
lag{group="b",topic="a\"b\\c"} 1.5e-7
lag{group="c",topic="\u00e9t\u00e9 <&>"} NaN
# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{code="200"} %(count)d
requests_total{code="500"} 3
# TYPE took_seconds histogram
took_seconds_bucket{le="0.1"} %(count)d
took_seconds_bucket{le="1"} %(more)d
took_seconds_bucket{le="+Inf"} %(more)d
took_seconds_sum %(sum)s
took_seconds_count %(more)d
plain 1e+21
""".replace("\\u00e9", "\u00e9")

CONFIG = """
global: {scrape_interval: 1s, evaluation_interval: 1s, external_labels: {cluster: c1}}
rule_files: [rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ['127.0.0.1:1']}]}]}
scrape_configs:
- job_name: page
  static_configs: [{targets: ['127.0.0.1:%(port)d'], labels: {team: x}}]
- job_name: gone
  static_configs: [{targets: ['127.0.0.1:1']}]
"""
QUIET = "global: {external_labels: {cluster: c1}}\n"

RULES = """
groups:
- name: g
  interval: 1s
  rules:
  - {record: "job:lag:sum", expr: "sum by (job) (lag > 0)", labels: {kind: sum}}
  - alert: Lag
    expr: lag{group="a"} > 3
    for: 2s
    labels: {severity: page, queue: '{{ $labels.topic | toUpper }}'}
    annotations: {summary: '{{ $labels.group }} is <behind> by {{ $value | humanize }}'}
  - {alert: Never, expr: "lag > 1e5", for: 5m}
  - {alert: Down, expr: "up == 0", for: 1h, keep_firing_for: 1m}
"""

INSTANT = [
    "up", "lag", "lag == lag", "1", '"text"', "plain", "requests_total[5s]", "rate(requests_total[5s])",
    "increase(requests_total[7s])", "sum(lag)", "sum by (job) (up)", "avg without (instance) (requests_total)",
    "topk(1, requests_total)", "count_values(\"v\", up)", "histogram_quantile(0.9, rate(took_seconds_bucket[6s]))",
    "requests_total offset 2s", "max_over_time(requests_total[5s:1s])", "absent(nothing)", "absent(nothing{a=\"b\"})",
    "vector(1) / 0", "-vector(0)", "up == 0", "up == bool 0", "lag * on(group) group_left lag",
    'label_replace(up, "host", "$1", "instance", "(.*):.*")', 'label_join(up, "x", "-", "job", "team")',
    "ALERTS", "ALERTS_FOR_STATE", "job:lag:sum", "scrape_samples_scraped", "sort_desc(requests_total)",
    "quantile(0.5, requests_total)", "stddev(requests_total)", "deriv(requests_total[6s])",
    "predict_linear(requests_total[6s], 60)", "changes(up[5s])", "resets(requests_total[5s])", "time()",
    "timestamp(up)", "year(vector(1e9))", "{__name__=~\"l.*\"}", "{job!=\"page\"}", "up and up", "up or lag", "lag unless up",
    "last_over_time(lag[5s])", "count_over_time(lag[5s])", "requests_total @ start()", "irate(requests_total[4s])",
    "clamp(requests_total, 1, 5)", "round(took_seconds_sum, 0.1)", "group(up)", "scalar(up{job=\"page\"})", "1e-7", "1e21", "Inf",
]
RANGE = ["up", "rate(requests_total[5s])", "lag", "sum(lag)", "1", "job:lag:sum", "ALERTS", "histogram_quantile(0.5, took_seconds_bucket)",
         "max_over_time(requests_total[5s:1s])", "requests_total > 5", "nothing", "time()"]
OTHER = [
    "series?match[]=lag", "series?match[]=up&match[]=requests_total", "series?match[]={job=\"page\",__name__=~\"took.*\"}", "labels",
    "labels?match[]=lag", "label/__name__/values", "label/group/values", "label/nothing/values", "label/topic/values?match[]=lag{group=\"a\"}",
]
ERRORS = [
    "query", "query?query=foo(", "query?query=sum(", "query?query=up&time=x", "query?query=up&timeout=x", "query?query=rate(up)",
    "query?query=up%20%2B%20on(", "query_range?query=up", "query_range?query=up&start=1&end=x&step=1", "query_range?query=up&start=2&end=1&step=1",
    "query_range?query=up&start=1&end=2&step=0", "query_range?query=up&start=1&end=2&step=x", "query_range?query=up[5m]&start=1&end=2&step=1",
    "query_range?query=up&start=1&end=20000&step=1", "series", "series?match[]=", "series?match[]={}", "series?match[]={x=~\".*\"}", "labels?match[]=x{",
    "labels?start=x", "label/a-b/values?match[]=(", "query?query=up*on(job)requests_total", "query?query={a=~\"[\"}",
]

# (pattern, replacement) on both texts: what differs by version, not by mistake
MASKS = [
    (r',"droppedTargetCounts":\{[^}]*\}', ""),  # since 2.48
    (r'\\u003c|\\u003e|\\u0026', lambda m: chr(int(m[0][2:], 16))),  # 3.x escapes labels of results less
    (r'"state":"unknown"', '"state":"inactive"'),  # since 3.x before the first evaluation
]
VOLATILE = re.compile(r'("(?:lastScrape|lastEvaluation|activeAt|globalUrl|startTime|lastConfigTime|serverTime)":)"[^"]*"|'
                      r'("(?:lastScrapeDuration|evaluationTime)":)[-0-9.e]+')


class Target(http.server.BaseHTTPRequestHandler):
    began = time.time()

    def do_GET(self):
        n = int((time.time() - self.began) * 3)
        body = (PAGE % {"gauge": 5 + n, "count": n, "more": n + 4, "sum": n * 0.37}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def target():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Target)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def prometheus(argv, work, name, config, data, prefix=""):
    port = peers.free_port()
    p = peers.Process([*argv, f"--config.file={config}", f"--storage.tsdb.path={data}", f"--web.listen-address=127.0.0.1:{port}",
                       "--storage.tsdb.retention.time=15d"], work / f"{name}.log")
    try:
        url = f"http://127.0.0.1:{port}"
        peers.wait_for(lambda: peers.http(url + prefix + "/-/ready")[0] == 200, 30, f"{name} to be ready")
        yield url
    except BaseException:
        p.stop()
        print(p.text()[-8000:])
        raise
    finally:
        p.stop()


def ask(url, path):
    path, _, query = path.partition("?")
    query = urllib.parse.urlencode(urllib.parse.parse_qsl(query, keep_blank_values=True))
    status, _, text = peers.http(f"{url}/api/v1/{path}?{query}")
    return status, text


def masked(text):
    for pattern, to in MASKS:
        text = re.sub(pattern, to, text)
    return VOLATILE.sub(lambda m: (m[1] or m[2]) + '"*"', text)


class Score:
    def __init__(self):
        self.same = 0
        self.different = []

    def compare(self, what, ours, theirs):
        if ours == theirs:
            self.same += 1
        else:
            self.different.append(what)
            print(f"differs: {what}\n  ours   {ours[0]} {ours[1][:1500]}\n  theirs {theirs[0]} {theirs[1][:1500]}")


# Where the answers of 3.x and 2.42 differ for good, each with its reason.
KNOWN = {
    "series?match[]=": "3.x has no position for an empty text",
    "query?query=up*on(job)requests_total": "we name the two series in their order, the metric in front",
    "query": "3.x has no position for an empty query",
    "query_range?query=up[5m]&start=1&end=2&step=1": "3.x names the parameter",
    "label/a-b/values?match[]=(": "UTF-8 label names are valid in 3.x",
}


def in_any_order(answer):
    """Elements of an instant vector come in no promised order: compare them sorted, as they were written."""
    status, text = answer
    try:
        doc = json.loads(text, object_pairs_hook=lambda p: p, parse_float=str, parse_int=str)
    except ValueError:
        return answer
    doc = dict(doc)
    data = dict(doc["data"]) if isinstance(doc.get("data"), list) and doc["data"] and isinstance(doc["data"][0], tuple) else None
    if data and data.get("resultType") == "vector":
        return status, "vector " + json.dumps(sorted(data["result"], key=str))
    return answer


def history(vigie, work, score):
    with target() as port, prometheus([vigie, "prometheus"], work, "ours", write(work, port), work / "data") as url:
        peers.wait_for(lambda: "firing" in ask(url, "alerts")[1], 30, "the alert to fire")
        time.sleep(10)  # more than two windows of history; nothing is judged by it
        now = time.time()
    shutil.copytree(work / "data", work / "copy", ignore=shutil.ignore_patterns("lock"))
    quiet = work / "quiet.yml"
    quiet.write_text(QUIET)
    with prometheus([vigie, "prometheus"], work, "ours2", quiet, work / "data") as ours, \
            prometheus(["prometheus"], work, "theirs", quiet, work / "copy") as theirs:
        questions = [f"query?query={urllib.parse.quote(q)}&time={now - 1:.3f}" for q in INSTANT]
        questions += [f"query_range?query={urllib.parse.quote(q)}&start={int(now) - 4}&end={int(now)}&step=1" for q in RANGE]
        questions += [f"query_range?query={urllib.parse.quote(q)}&start={int(now) - 4}.25&end={int(now)}&step=0.7" for q in RANGE]
        for q in questions + OTHER + ERRORS:
            if q not in KNOWN:
                score.compare(q, *(in_any_order((lambda a: (a[0], masked(a[1])))(ask(u, q))) for u in (ours, theirs)))
        post(ours, theirs, now, score)


def post(ours, theirs, now, score):
    body = urllib.parse.urlencode({"query": "sum(up)", "start": int(now) - 5, "end": int(now), "step": "1s"}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answers = [peers.http(u + "/api/v1/query_range", method="POST", body=body, headers=form) for u in (ours, theirs)]
    score.compare("POST query_range", answers[0][::2], answers[1][::2])


def write(work, port):
    (work / "rules.yml").write_text(RULES)
    config = work / "prometheus.yml"
    config.write_text(CONFIG % {"port": port})
    return config


# Beside /api/v1: path, method, headers
PLAIN = [
    ("/federate?match[]=lag", "GET"), ("/federate?match[]=up&match[]={job=\"page\"}", "GET"), ("/federate", "GET"), ("/federate?match[]=x{", "GET"),
    ("/api/v1/query?query=up", "PUT"), ("/api/v1/query", "DELETE"), ("/api/v1/nothing", "GET"), ("/api/v1/query", "OPTIONS"),
    ("/api/v1/labels", "OPTIONS"), ("/nothing", "GET"), ("/-/healthy", "HEAD"), ("/-/healthy", "POST"), ("/-/ready", "HEAD"), ("/-/quit", "POST"),
    ("/-/reload", "PUT"), ("/api/v1/metadata?limit=foo", "GET"), ("/api/v1/targets/metadata?limit=foo", "GET"), ("/api/v1/metadata?limit=1", "GET"),
    ("/api/v1/status/tsdb?limit=0", "GET"), ("/api/v1/status/tsdb?limit=x", "GET"), ("/api/v1/scrape_pools", "GET"), ("/api/v1/query_exemplars?query=lag&start=1&end=2", "GET"),
    ("/api/v1/format_query?query=sum(up)by(job)", "GET"), ("/api/v1/format_query?query=sum(", "GET"),
    ("/api/v1/query?query=up&lookback_delta=x", "GET"), ("/api/v1/admin/tsdb/snapshot", "POST"),
    ("/api/v1/admin/tsdb/delete_series", "GET"), ("/api/v1/read", "GET"), ("/api/v1/write", "GET"),
]
ORIGIN = {"Origin": "http://there.example"}

# What 2.42 does otherwise than 3.x.
PLAIN_KNOWN = {
    ("/api/v1/status/tsdb?limit=0", "GET"), ("/api/v1/status/tsdb?limit=x", "GET"),  # it has no limit
    ("/api/v1/query?query=up&lookback_delta=x", "GET"),
    ("/api/v1/metadata?limit=1", "GET"),  # of a map of Go's, in no order
}


def plain(url, path, method):
    path, _, query = path.partition("?")
    query = urllib.parse.urlencode(urllib.parse.parse_qsl(query, keep_blank_values=True))
    status, headers, text = peers.http(f"{url}{path}?{query}", method=method, headers=ORIGIN)
    text = re.sub(r"(?m)^(.*[} ]) ?\S+ \d{13}$", r"\1 * *", masked(text))  # values and times of federation
    if path == "/federate":  # within a family in no order
        text = "\n".join(sorted(re.sub(r'le="1"', 'le="1.0"', text).splitlines()))  # as 3.x stores it
    cors = sorted((k, v) for k, v in headers.items() if k.startswith("Access-Control"))
    return status, text + str(cors if status < 404 else [])  # 3.x sets none where there is no route


LIVE = ["targets", "targets?state=active", "targets?state=dropped", "rules", "rules?type=alert", "rules?type=record", "alerts", "metadata", "metadata?metric=lag",
        "metadata?limit=1&metric=lag", "targets/metadata?metric=lag", "alertmanagers", "targets/metadata?match_target={job=\"page\"}&metric=requests_total"]


def live(vigie, work, score):
    with target() as port:
        config = write(work, port)
        with prometheus([vigie, "prometheus"], work, "live-ours", config, work / "d1") as ours, \
                prometheus(["prometheus"], work, "live-theirs", config, work / "d2") as theirs:
            for url in (ours, theirs):
                peers.wait_for(lambda u=url: '"firing"' in ask(u, "alerts")[1], 30, "the alert to fire")
            for path in LIVE:
                score.compare(path, *(normal(ask(u, path)) for u in (ours, theirs)))
            for path, method in PLAIN:
                if (path, method) not in PLAIN_KNOWN:
                    score.compare(f"{method} {path}", *(plain(u, path, method) for u in (ours, theirs)))
            keys = lambda u, p: list(json.loads(ask(u, p)[1])["data"])
            assert set(keys(theirs, "status/buildinfo")) == set(keys(ours, "status/buildinfo"))
            assert set(keys(theirs, "status/runtimeinfo")) <= set(keys(ours, "status/runtimeinfo")), keys(ours, "status/runtimeinfo")
            assert set(keys(theirs, "status/tsdb")) <= set(keys(ours, "status/tsdb"))
            missing = set(keys(theirs, "status/flags")) - set(keys(ours, "status/flags"))
            print("flags of 2.42 that we do not list:", sorted(missing))
            for path in ("/-/healthy", "/-/ready", "/-/reload", "/-/quit"):
                score.compare(path, *(peers.http(u + path)[::2] for u in (ours, theirs)))


# Values change between two questions: the gauge and what is made of it.
def normal(answer):
    status, text = answer
    text = re.sub(r'("value":")[^"]*"', r'\1*"', masked(text))
    return status, re.sub(r'(is <behind> by )[0-9][^"]*"', r'\1*"', text)


def admin(vigie, work, score):
    """Series deleted on both; a snapshot of ours opened by theirs."""
    with target() as port:
        config = write(work, port)
        flags = ["--web.enable-admin-api", "--web.route-prefix=/p/", "--web.external-url=http://here.example/x/"]
        with prometheus([vigie, "prometheus", *flags], work, "admin-ours", config, work / "a1", "/p") as ours, \
                prometheus(["prometheus", *flags], work, "admin-theirs", config, work / "a2", "/p") as theirs:
            both = (ours, theirs)
            for url in both:
                peers.wait_for(lambda u=url: "requests_total" in ask(u + "/p", "query?query=requests_total{code=\"200\"}")[1], 30, "a scrape")
            for path, method in [("/", "GET"), ("/-/healthy", "GET"), ("/p/-/healthy", "GET"), ("/p", "GET"), ("/px", "GET"),
                                 ("/p/api/v1/admin/tsdb/delete_series", "POST"), ("/p/api/v1/admin/tsdb/delete_series?match[]=x{", "POST"),
                                 ("/p/api/v1/admin/tsdb/delete_series?match[]=x&start=foo", "POST"),
                                 ("/p/api/v1/admin/tsdb/snapshot?skip_head=x", "POST"), ("/p/api/v1/admin/tsdb/delete_series?match[]=plain", "PUT"),
                                 ("/p/api/v1/admin/tsdb/clean_tombstones", "POST")]:
                score.compare(f"{method} {path}", *(plain(u, path, method) for u in both))
            gone = [ask(u + "/p", f"query?query=count_over_time(plain[1h])&time={time.time() - 3}")[1] for u in both]
            score.compare("deleted", *[(200, g) for g in gone])
            status, _, text = peers.http(ours + "/p/api/v1/admin/tsdb/snapshot", method="POST")
            assert status == 200, text
            name = json.loads(text)["data"]["name"]
            now = time.time()
            want = json.loads(ask(ours + "/p", f"query?query=count_over_time(lag[1h])&time={now}")[1])["data"]["result"]
    quiet = work / "quiet.yml"
    quiet.write_text(QUIET)
    with prometheus(["prometheus"], work, "snap", quiet, work / "a1" / "snapshots" / name) as theirs:
        got = json.loads(ask(theirs, f"query?query=count_over_time(lag[1h])&time={now}")[1])["data"]["result"]
        assert len(got) == len(want) > 0, (got, want)


def main():
    vigie = sys.argv[1]
    peers.need("prometheus", "apt-get install prometheus")
    score = Score()
    with tempfile.TemporaryDirectory() as work:
        history(vigie, pathlib.Path(work), score)
    with tempfile.TemporaryDirectory() as work:
        live(vigie, pathlib.Path(work), score)
    with tempfile.TemporaryDirectory() as work:
        admin(vigie, pathlib.Path(work), score)
    print(f"{score.same} answers equal, {len(score.different)} differ")
    return 1 if score.different else 0


if __name__ == "__main__":
    sys.exit(main())
