# SPDX-License-Identifier: Apache-2.0
"""Every discovery of ours beside Debian's prometheus: the same files, HTTP server and DNS server, the same targets.

Both run in mount namespaces whose resolv.conf names a DNS server of this test. Debian's build has no Kubernetes: what ours
finds on a false API server is compared with kube_expected.json, which Prometheus 3.16's own discovery gave for the same objects.
"""
import copy
import http.server
import json
import os
import pathlib
import queue
import re
import socketserver
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.parse

import peers

DNS_HOST = "127.53.0.9"


# --- DNS ---

def name_bytes(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"


class Dns(socketserver.ThreadingUDPServer):
    """Answers from a table {(name, type): [rdata]}; what is not in it does not exist; None fails."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, table):
        self.table = table
        super().__init__((DNS_HOST, 53), self.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            data, sock = self.request
            at, labels = 12, []
            while data[at]:
                labels.append(data[at + 1:at + 1 + data[at]].decode().lower())
                at += 1 + data[at]
            kind, = struct.unpack(">H", data[at + 1:at + 3])
            rows = self.server.table.get((".".join(labels), kind), [])
            code = 2 if rows is None else 0 if rows else 3
            rows = rows or []
            head = data[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(rows), 0, 0)
            body = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(r)) + r for r in rows)
            sock.sendto(head + data[12:at + 5] + body, self.client_address)


def srv(port, target):
    return struct.pack(">HHH", 1, 1, port) + name_bytes(target)


DNS_TABLE = {
    ("_m._tcp.svc.example", 33): [srv(9100, "a.svc.example"), srv(9101, "b.svc.example")],
    ("host.svc.example", 1): [bytes([127, 0, 0, 1]), bytes([127, 0, 0, 2])],
    ("host.svc.example", 28): [bytes(15) + b"\1"],
    ("svc.example", 15): [struct.pack(">H", 10) + name_bytes("mx.svc.example")],
}


# --- Kubernetes ---

def meta(name, ns=None, **more):
    return {"name": name, **({"namespace": ns} if ns else {}), **more}


def pod(name, ns, ip, ports, **more):
    return {"metadata": meta(name, ns, uid=f"u-{name}", labels={"app": "x", "k8s.io/part-of": "y"}, annotations={"prometheus.io/port": "8"},
                             ownerReferences=[{"kind": "ReplicaSet", "name": "rs", "controller": True, "apiVersion": "apps/v1", "uid": "o"}]),
            "spec": {"nodeName": "n1", "containers": [
                {"name": f"c{i}", "image": "img:1", "ports": [{"name": f"p{p}", "containerPort": p, "protocol": "TCP"} for p in ps]}
                for i, ps in enumerate(ports)], "initContainers": [{"name": "init", "image": "i:1"}]},
            "status": {"podIP": ip, "hostIP": "10.0.0.1", "phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
                       "containerStatuses": [{"name": "c0", "containerID": "docker://abc", "image": "img:1", "imageID": "", "ready": True,
                                              "restartCount": 0}]}, **more}


def cluster():
    ref = {"kind": "Pod", "name": "web-1", "namespace": "default"}
    return {
        "pods": [pod("web-1", "default", "10.1.0.1", [[8080, 8081], []]), pod("web-2", "default", "10.1.0.2", [[8080]]),
                 pod("new", "default", "", [[1]]), pod("db", "other", "fd00::5", [[5432]])],
        "services": [
            {"metadata": meta("web", "default", labels={"team": "a"}), "spec": {
                "type": "ClusterIP", "clusterIP": "10.9.0.1", "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]}},
            {"metadata": meta("lb", "default"), "spec": {"type": "LoadBalancer", "clusterIP": "10.9.0.2", "loadBalancerIP": "1.2.3.4",
                                                         "ports": [{"port": 443, "protocol": "TCP"}]}},
            {"metadata": meta("ext", "other"), "spec": {"type": "ExternalName", "externalName": "far.example", "ports": [
                {"name": "e", "port": 1, "protocol": "UDP"}]}}],
        "endpoints": [{"metadata": meta("web", "default", labels={"e": "p"}), "subsets": [
            {"addresses": [{"ip": "10.1.0.1", "nodeName": "n1", "targetRef": ref}, {"ip": "10.5.5.5", "hostname": "h"}],
             "notReadyAddresses": [{"ip": "10.1.0.2", "targetRef": {**ref, "name": "web-2"}}],
             "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}]}]}],
        "endpointslices": [{"metadata": meta("web-abc", "default", labels={"kubernetes.io/service-name": "web"}), "addressType": "IPv4",
                            "endpoints": [{"addresses": ["10.1.0.1"], "conditions": {"ready": True, "serving": True, "terminating": False},
                                           "targetRef": ref, "nodeName": "n1", "zone": "z1", "deprecatedTopology": {"a/b": "c"}},
                                          {"addresses": ["10.5.5.5", "10.5.5.6"], "conditions": {"ready": False}, "hostname": "h"}],
                            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}]}],
        "nodes": [{"metadata": meta("n1", labels={"arch": "amd64"}), "spec": {"providerID": "aws:///i-1"}, "status": {
            "addresses": [{"type": "Hostname", "address": "n1.local"}, {"type": "InternalIP", "address": "10.0.0.1"},
                          {"type": "InternalIP", "address": "10.0.0.9"}],
            "conditions": [{"type": "Ready", "status": "True"}], "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}}}}],
        "ingresses": [{"metadata": meta("in", "default", annotations={"n": "1"}), "spec": {
            "ingressClassName": "nginx", "tls": [{"hosts": ["*.example.com"]}], "rules": [
                {"host": "a.example.com", "http": {"paths": [{"path": "/x", "pathType": "Prefix", "backend": {}}, {"pathType": "Prefix", "backend": {}}]}},
                {"host": "b.other.com"}]}}],
        "namespaces": [{"metadata": meta("default", labels={"env": "prod"})}, {"metadata": meta("other")}],
    }


KINDS = {"pods": "Pod", "services": "Service", "endpoints": "Endpoints", "endpointslices": "EndpointSlice", "nodes": "Node",
         "ingresses": "Ingress", "namespaces": "Namespace"}


class Kube(http.server.ThreadingHTTPServer):
    """Lists in pages of at most two, watches with bookmarks, 410 for versions it has forgotten."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.objects = cluster()
        self.version, self.oldest = 100, 0
        self.watchers = []
        self.lock = threading.Lock()
        self.requests = []
        self.down = False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def change(self, kind, what, obj):
        with self.lock:
            self.version += 1
            rows = self.objects[kind]
            same = [o for o in rows if o["metadata"]["name"] == obj["metadata"]["name"] and o["metadata"].get("namespace") == obj["metadata"].get("namespace")]
            for o in same:
                rows.remove(o)
            if what != "DELETED":
                rows.append(obj)
            for w_kind, ns, q in self.watchers:
                if w_kind == kind and ns in (None, obj["metadata"].get("namespace")):
                    q.put(self.event(what, kind, obj))

    def event(self, what, kind, obj):
        out = copy.deepcopy(obj)
        out["metadata"]["resourceVersion"] = str(self.version)
        return {"type": what, "object": {"kind": KINDS[kind], "apiVersion": self.api(kind), **out}}

    @staticmethod
    def api(kind):
        return {"endpointslices": "discovery.k8s.io/v1", "ingresses": "networking.k8s.io/v1"}.get(kind, "v1")

    def gone(self):
        """Every watch ends with 410, and versions up to now are forgotten."""
        with self.lock:
            self.version += 1
            self.oldest = self.version
            for _, _, q in self.watchers:
                q.put({"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "code": 410, "status": "Failure", "reason": "Expired",
                                                   "message": "too old resource version"}})
                q.put(None)
            self.watchers.clear()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def reply(self, code, value):
            body = json.dumps(value).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            s = self.server
            url = urllib.parse.urlsplit(self.path)
            q = dict(urllib.parse.parse_qsl(url.query))
            s.requests.append((self.path, self.headers.get("Authorization")))
            m = re.fullmatch(r"/(?:api/v1|apis/[a-z0-9.]+/v1)(?:/namespaces/([^/]+))?/([a-z]+)", url.path)
            if s.down or self.headers.get("Authorization") != "Bearer kube-token":
                self.reply(503 if s.down else 401, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 503 if s.down else 401})
            elif not m or m[2] not in s.objects:
                self.reply(404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404, "reason": "NotFound"})
            elif q.get("watch") in ("1", "true"):
                self.watch(m[2], m[1], int(q.get("resourceVersion") or 0))
            else:
                self.list(m[2], m[1], q)

        def list(self, kind, ns, q):
            s = self.server
            with s.lock:
                rows = [o for o in s.objects[kind] if ns in (None, o["metadata"].get("namespace"))]
                label = q.get("labelSelector")
                if label:
                    key, value = label.split("=")
                    rows = [o for o in rows if o["metadata"].get("labels", {}).get(key) == value]
                begin = int(q.get("continue") or 0)
                end = begin + 2 if "limit" in q and q.get("resourceVersion") != "0" else len(rows)
                more = {"continue": str(end)} if end < len(rows) else {}
                items = copy.deepcopy(rows[begin:end])
                for o in items:
                    o["metadata"]["resourceVersion"] = str(s.version)
                value = {"kind": KINDS[kind] + "List", "apiVersion": s.api(kind), "metadata": {"resourceVersion": str(s.version), **more}, "items": items}
            self.reply(200, value)

        def watch(self, kind, ns, version):
            s = self.server
            events = queue.Queue()
            with s.lock:
                if version < s.oldest:
                    self.reply(410, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 410, "reason": "Expired"})
                    return
                s.watchers.append((kind, ns, events))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                while True:
                    try:
                        e = events.get(timeout=1)
                    except queue.Empty:
                        e = {"type": "BOOKMARK", "object": {"kind": KINDS[kind], "apiVersion": s.api(kind), "metadata": {"resourceVersion": str(s.version)}}}
                    line = json.dumps(e).encode() + b"\n" if e else b""
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                    self.wfile.flush()
                    if not e:
                        break
            except OSError:
                pass
            self.close_connection = True


# --- HTTP discovery ---

class Lists(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.code, self.type, self.text, self.seen = 200, "application/json; charset=utf-8", "[]", []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            s = self.server
            s.seen.append(dict(self.headers.items()))
            self.send_response(s.code)
            self.send_header("Content-Type", s.type)
            self.end_headers()
            self.wfile.write(s.text.encode())


KUBE_JOBS = {
    **{f"k_{role}": {"role": role} for role in ("pod", "service", "endpoints", "endpointslice", "node", "ingress")},
    "k_ns": {"role": "pod", "namespaces": {"names": ["other"]}},
    "k_sel": {"role": "service", "selectors": [{"role": "service", "label": "team=a"}]},
    "k_att": {"role": "pod", "attach_metadata": {"node": True, "namespace": True}},
    "k_eps": {"role": "endpoints", "attach_metadata": {"node": True, "namespace": True}},
}


def config(kube, lists, ours):
    api = {"api_server": f"http://127.0.0.1:{kube.server_address[1]}", "bearer_token": "kube-token"}
    keep = {"relabel_configs": [{"source_labels": ["__address__"], "regex": "never", "action": "drop"}]}
    return {"global": {"scrape_interval": "1h"}, "scrape_configs": [
        {"job_name": "file", "file_sd_configs": [{"files": ["sd/*.json", "sd/*.yml"], "refresh_interval": "1s"}], **keep},
        {"job_name": "http", "http_sd_configs": [{"url": f"http://127.0.0.1:{lists.server_address[1]}/x", "refresh_interval": "1s"}], **keep},
        {"job_name": "dns_srv", "dns_sd_configs": [{"names": ["_m._tcp.svc.example"], "refresh_interval": "1s"}], **keep},
        {"job_name": "dns_a", "dns_sd_configs": [{"names": ["host.svc.example", "none.svc.example"], "type": "A", "port": 1, "refresh_interval": "1s"}]},
        {"job_name": "dns_aaaa", "dns_sd_configs": [{"names": ["host.svc.example"], "type": "AAAA", "port": 2, "refresh_interval": "1s"}]},
        {"job_name": "dns_mx", "dns_sd_configs": [{"names": ["svc.example"], "type": "MX", "port": 3, "refresh_interval": "1s"}]},
        *({"job_name": name, "kubernetes_sd_configs": [{**api, **section}],
            # Two containers without ports, two paths of a host: two targets only where a label tells them apart.
            "relabel_configs": [{"action": "labelmap", "regex": "__meta_kubernetes_(pod_container_name|ingress_path)"}]} for name, section in KUBE_JOBS.items() if ours),
        {"job_name": "dropped", "file_sd_configs": [{"files": ["sd/*.json"]}],
         "relabel_configs": [{"source_labels": ["__meta_filepath"], "regex": ".*", "action": "drop"}]},
    ]}


def targets(get):
    """{job: sorted (address, labels, discovered)}."""
    data = json.loads(get("/api/v1/targets")[2])["data"]
    out = {}
    for t in data["activeTargets"]:
        found = t["discoveredLabels"]
        out.setdefault(t["scrapePool"], []).append((t["scrapeUrl"], t["labels"], found))
    for t in data["droppedTargets"]:
        out.setdefault("dropped:" + t["discoveredLabels"].get("job", ""), []).append(
            ("", {}, t["discoveredLabels"]))
    return {job: sorted(rows, key=json.dumps) for job, rows in out.items()}


def equal(ours, theirs, needed, what, seconds=30):
    """Until both say the same and `needed` holds of it; Kubernetes is ours alone."""
    last = {}

    def same():
        last["a"], last["b"] = targets(ours), targets(theirs)
        all_of = dict(last["a"])
        last["a"] = {job: rows for job, rows in all_of.items() if not job.startswith("k_")}
        return last["a"] == last["b"] and needed(all_of)
    try:
        peers.wait_for(same, seconds, what)
    except TimeoutError:
        for job in sorted(set(last["a"]) | set(last["b"])):
            a, b = last["a"].get(job, []), last["b"].get(job, [])
            if a != b:
                print(f"{job}: ours {len(a)}, theirs {len(b)}")
                for x, y in list(zip(a, b))[:1]:
                    print("  ours  ", json.dumps({k: v for k, v in x[2].items() if y[2].get(k) != v}), x[0])
                    print("  theirs", json.dumps({k: v for k, v in y[2].items() if x[2].get(k) != v}), y[0])
        raise
    print(f"ok {what}: {sum(len(x) for x in last['a'].values())} targets", flush=True)


def unshare():
    """The way to a mount namespace of one's own: as root, or as root of a user namespace."""
    for way in (["unshare", "-m"], ["unshare", "-rm"]):
        if subprocess.run([*way, "true"], capture_output=True).returncode == 0:
            return way
    sys.exit("this test needs the right to make a mount namespace: run it as root")


def in_namespace(folder, argv):
    return [*unshare(), "sh", "-c", f"mount --bind {folder}/resolv.conf /etc/resolv.conf && exec \"$@\"", "sh", *argv]


def write(path, text):
    path.with_suffix(".tmp").write_text(text)
    os.replace(path.with_suffix(".tmp"), path)


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    peers.need("prometheus", "apt-get install prometheus")
    with tempfile.TemporaryDirectory(prefix="vigie-sd-") as folder:
        run(binary, pathlib.Path(folder))


def run(binary, folder):
    dns, kube, lists = Dns(dict(DNS_TABLE)), Kube(), Lists()
    (folder / "resolv.conf").write_text(f"nameserver {DNS_HOST}\noptions timeout:1 attempts:1\n")
    (folder / "sd").mkdir()
    (folder / "sd/a.json").write_text('[{"targets": ["f1:1", "f2:2"], "labels": {"x": "1"}}, {"targets": ["f3:3"]}]')
    (folder / "sd/b.yml").write_text("- targets: ['y1:1']\n  labels: {from: yaml}\n")
    lists.text = '[{"targets": ["h1:1"], "labels": {"__meta_dc": "d"}}, {"targets": ["h2:1", "h3:1"]}]'
    for i in range(2):
        (folder / f"prometheus{i}.yml").write_text(json.dumps(config(kube, lists, i == 0)))
    ports = [peers.free_port(), peers.free_port()]
    argv = [[binary, "prometheus"], ["prometheus"]]
    procs = []
    try:
        for i in range(2):
            procs.append(peers.Process(in_namespace(folder, [*argv[i], f"--web.listen-address=127.0.0.1:{ports[i]}",
                                                             f"--config.file={folder}/prometheus{i}.yml", f"--storage.tsdb.path={folder}/data{i}",
                                                             "--web.enable-lifecycle"]), f"{folder}/log{i}"))
        gets = [lambda path, port=port, **kw: peers.http(f"http://127.0.0.1:{port}{path}", **kw) for port in ports]
        for i, get in enumerate(gets):
            peers.wait_for(lambda i=i: not procs[i].alive() or peers.listening(ports[i]), 20, "a server")
            assert procs[i].alive(), procs[i].text()
            peers.wait_for(lambda get=get: get("/-/ready")[0] == 200, 20, "a server that is ready")
        steps(gets[0], gets[1], dns, kube, lists, folder)
    except BaseException:
        print(procs[0].text()[-3000:] if procs else "")
        raise
    finally:
        for p in procs:
            p.stop()


PLUMBING = ("job", "__scrape_interval__", "__scrape_timeout__", "__metrics_path__", "__scheme__")


def compare_kube(found):
    """What Prometheus' own discovery found for the same sections and objects."""
    expected = json.loads((pathlib.Path(__file__).parent / "kube_expected.json").read_text())
    for job, rows in expected.items():
        mine = [{k: v for k, v in d.items() if k not in PLUMBING} for _, _, d in found.get(job, [])]
        mine, rows = sorted(mine, key=lambda x: json.dumps(x, sort_keys=True)), sorted(rows, key=lambda x: json.dumps(x, sort_keys=True))
        for x, y in zip(mine, rows):
            wrong = {k: (x.get(k), y.get(k)) for k in set(x) | set(y) if x.get(k) != y.get(k)}
            assert not wrong, f"{job}: (ours, Prometheus') {wrong}"
        assert len(mine) == len(rows), (job, len(mine), len(rows))
    print(f"ok Kubernetes as Prometheus finds it: {sum(len(r) for r in expected.values())} targets in {len(expected)} jobs", flush=True)


def steps(ours, theirs, dns, kube, lists, folder):
    equal(ours, theirs, lambda t: len(t) == 7 + len(KUBE_JOBS), "everything at the start")
    compare_kube(targets(ours))

    # What changes is found again; what is broken keeps what it was.
    write(folder / "sd/a.json", '[{"targets": ["f1:1", "f9:9"], "labels": {"x": "2"}}]')
    write(folder / "sd/c.json", '[{"targets": ["new:1"]}]')
    lists.text = '[{"targets": ["h4:4"]}]'
    dns.table[("_m._tcp.svc.example", 33)] = [srv(1, "c.svc.example")]
    kube.change("pods", "ADDED", pod("late", "other", "10.1.0.9", [[7]]))
    kube.change("pods", "DELETED", pod("web-2", "default", "10.1.0.2", [[8080]]))
    equal(ours, theirs, lambda t: any("late" in json.dumps(x) for x in t["k_ns"]) and "h4:4" in json.dumps(t["http"]) and
          "f9:9" in json.dumps(t["file"]) and "c.svc" in json.dumps(t["dns_srv"]) and "web-2" not in json.dumps(t["k_pod"]), "changes")

    write(folder / "sd/a.json", '[{"targets": "no list"}]')
    (folder / "sd/b.yml").unlink()
    lists.code = 500
    dns.table[("_m._tcp.svc.example", 33)] = None
    dns.table.pop(("host.svc.example", 28))
    equal(ours, theirs, lambda t: "y1:1" not in json.dumps(t["file"]) and "f9:9" in json.dumps(t["file"]) and "h4:4" in json.dumps(t["http"]) and
          "c.svc" in json.dumps(t["dns_srv"]) and "dns_aaaa" not in t, "broken sources keep what they had, vanished ones do not")

    lists.code, lists.type = 200, "text/plain"
    lists.text = '[{"targets": ["never:1"]}]'
    kube.gone()
    with kube.lock:
        kube.objects["pods"] = [o for o in kube.objects["pods"] if o["metadata"]["name"] != "late"]
        kube.version += 1
    equal(ours, theirs, lambda t: "late" not in json.dumps(t["k_ns"]) and "h4:4" in json.dumps(t["http"]), "after 410 Gone, listed again", 60)

    kube.down = True
    kube.gone()
    # "Unable to refresh" says so; the targets stay.
    peers.wait_for(lambda: float(peers.samples(ours("/metrics")[2])["prometheus_sd_kubernetes_failures_total"]) > 0, 20, "failures of the API server")
    equal(ours, theirs, lambda t: len(t["k_pod"]) > 3, "targets stay while the API server is down")
    kube.down = False
    kube.change("pods", "ADDED", pod("again", "other", "10.1.0.10", [[7]]))
    equal(ours, theirs, lambda t: "again" in json.dumps(t["k_ns"]), "the API server is back", 90)

    assert any(h.get("X-Prometheus-Refresh-Interval-Seconds") == "1" and h.get("User-Agent", "").startswith("Prometheus/3") for h in lists.seen)
    assert all("kube-token" not in p for p, _ in kube.requests)
    m = peers.samples(ours("/metrics")[2])
    assert float(m['prometheus_sd_discovered_targets{config="k_pod",name="scrape"}']) > 3, [x for x in m if "discovered" in x]
    assert float(m["prometheus_sd_http_failures_total"]) > 0 and float(m["prometheus_sd_file_read_errors_total"]) > 0 and float(m["prometheus_sd_dns_lookup_failures_total"]) > 0
    assert "kube-token" not in json.dumps(ours("/api/v1/status/config")[2])
    pools = json.loads(ours("/api/v1/scrape_pools")[2])["data"]["scrapePools"]
    assert len(pools) == 7 + len(KUBE_JOBS), pools

    # A reload that changes nothing of a section keeps its targets without a gap.
    before = targets(ours)
    assert ours("/-/reload", method="POST")[0] == 200
    assert targets(ours) == before
    print("ok reload keeps discoveries")
    print("7 passed, 0 failed")


def serve():
    """The false API server alone, for making kube_expected.json: prints its port."""
    print(Kube().server_address[1], flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        main()
