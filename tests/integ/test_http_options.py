# SPDX-License-Identifier: Apache-2.0
"""Every HTTP option of a scrape job against real TLS servers, proxies and a token server; what each of them saw.

One server, many jobs: a job is up, or down with a sentence. Nothing secret reaches the log, the API or another origin.
"""
import base64
import contextlib
import http.server
import json
import pathlib
import select
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.parse

import peers

PAGE = b"a 1\n"
SECRETS = ["pw-sesame", "tok-opaque", "cs-hidden", "hdr-quiet", "file-pw", "acc-1", "prx-pw", "conn-key"]


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, handler, context=None, host="127.0.0.1"):
        super().__init__((host, 0), handler)
        self.context = context
        self.seen = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, client_address):
        if self.context:
            with contextlib.suppress(OSError, ssl.SSLError):
                super().finish_request(self.context.wrap_socket(request, server_side=True), client_address)
        else:
            super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass

    @property
    def port(self):
        return self.server_address[1]


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Target(Quiet):
    """Pages by path: /auth wants the header named in the query, /to sends on."""

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        self.server.seen.append((self.path, dict(self.headers.items()), self.headers.get_all("X-Many")))
        if url.path == "/to":
            self.answer(int(query.get("code", 302)), Location=query["where"])
        elif url.path == "/auth" and self.headers.get("Authorization") != query["want"]:
            self.answer(401)
        else:
            self.answer(200, PAGE, Content_Type="text/plain; version=0.0.4")


    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers.items()), body))
        self.answer(200, b"{}", Content_Type="application/json")


class Tokens(Quiet):
    """Client credentials in the header on /header, in the body on /body; every token lasts 12 s: 2 s for a client."""

    def do_POST(self):
        body = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.server.seen.append((self.path, body, self.headers.get("Authorization")))
        basic = "Basic " + base64.b64encode(b"client+1:cs-hidden").decode()
        in_header = self.path == "/header" and self.headers.get("Authorization") == basic
        in_body = self.path == "/body" and body.get("client_secret") == "cs-hidden" and "Authorization" not in self.headers
        if not (in_header or in_body) or body.get("grant_type") != "client_credentials":
            self.answer(401, b'{"error":"invalid_client"}')
            return
        n = sum(1 for p, _, _ in self.server.seen if p == self.path)
        self.answer(200, json.dumps({"access_token": f"acc-1{self.path}", "token_type": "bearer", "expires_in": 12, "n": n}).encode(),
                    Content_Type="application/json")


class Proxy(Quiet):
    """CONNECT, and plain requests with a whole URL."""

    def do_CONNECT(self):
        self.server.seen.append(("CONNECT " + self.path, dict(self.headers.items()), None))
        host, port = self.path.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as far:
            self.send_response(200)
            self.end_headers()
            pair = [self.connection, far]
            while True:
                ready, _, _ = select.select(pair, [], [], 10)
                if not ready:
                    break
                data = ready[0].recv(65536)
                if not data:
                    break
                pair[1 - pair.index(ready[0])].sendall(data)
        self.close_connection = True

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers.items()), None))
        self.answer(200, PAGE, Content_Type="text/plain; version=0.0.4")


def openssl(folder, *args):
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)


def certificates(folder):
    """A CA, a server for the name monitor.example, one for 127.0.0.1, a client; and a stranger's CA."""
    for ca in ("ca", "stranger"):
        openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{ca}.key",
                "-out", f"{ca}.pem", "-days", "2", "-subj", f"/CN={ca}")
    for name, san in (("named", "DNS:monitor.example"), ("server", "IP:127.0.0.1"), ("client", "DNS:client")):
        openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key", "-out",
                f"{name}.csr", "-subj", f"/CN={name}")
        pathlib.Path(folder, "ext").write_text(f"subjectAltName={san}\n")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", "ext", "-out", f"{name}.pem")


def context(folder, name, client_ca=None, maximum=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(f"{folder}/{name}.pem", f"{folder}/{name}.key")
    if client_ca:
        c.load_verify_locations(f"{folder}/{client_ca}.pem")
        c.verify_mode = ssl.CERT_REQUIRED
    if maximum:
        c.maximum_version = maximum
    return c


def jobs(folder, s):
    """name: (options, target, expected error or None)"""
    pem = {n: pathlib.Path(folder, n).read_text() for n in ("ca.pem", "client.pem", "client.key")}
    local, tls = f"127.0.0.1:{s['plain'].port}", {"scheme": "https"}
    ca = {"tls_config": {"ca_file": "ca.pem"}}
    basic = urllib.parse.quote("Basic " + base64.b64encode(b"us:pw-sesame").decode())
    filed = urllib.parse.quote("Basic " + base64.b64encode(b"us:file-pw").decode())
    bearer = urllib.parse.quote("Bearer tok-opaque")

    def auth(want):
        return {"metrics_path": "/auth", "params": {"want": [urllib.parse.unquote(want)]}}

    def oauth(path, **more):
        return {"oauth2": {"client_id": "client 1", "client_secret": "cs-hidden", "token_url": f"http://127.0.0.1:{s['tokens'].port}{path}",
                           "scopes": ["a", "b"], "endpoint_params": {"audience": "x y"}, **more}}

    def to(server, code=302, scheme="http", **more):
        return {"metrics_path": "/to", "params": {"where": [f"{scheme}://127.0.0.1:{server.port}/landed"], "code": [str(code)]}, **more}
    login = {"basic_auth": {"username": "us", "password": "pw-sesame"}, "http_headers": {"X-Many": {"secrets": ["hdr-quiet"]}}}
    return {
        "basic": ({**auth(basic), "basic_auth": {"username": "us", "password": "pw-sesame"}}, local, None),
        "basic_file": ({**auth(filed), "basic_auth": {"username_file": "user", "password_file": "password"}}, local, None),
        "basic_no_file": ({"basic_auth": {"username": "us", "password_file": "missing"}}, local, "unable to read basic auth password"),
        "bearer": ({**auth(bearer), "bearer_token": "tok-opaque"}, local, None),
        "credentials_file": ({**auth(bearer), "authorization": {"credentials_file": "token"}}, local, None),
        "oauth_header": ({**auth("Bearer acc-1/header"), **oauth("/header")}, local, None),
        "oauth_body": ({**auth("Bearer acc-1/body"), **oauth("/body")}, local, None),
        "oauth_refused": (oauth("/none"), local, "oauth2: cannot fetch token: server returned HTTP status 401"),
        "oauth_bad_ca": ({"oauth2": {"client_id": "c", "client_secret": "cs-hidden", "token_url": f"https://127.0.0.1:{s['tls'].port}/",
                                     "tls_config": {"ca_file": "stranger.pem"}}}, local, "certificate signed by unknown authority"),
        "tls_ca": ({**tls, **ca}, f"127.0.0.1:{s['tls'].port}", None),
        "tls_inline": ({**tls, "tls_config": {"ca": pem["ca.pem"]}}, f"127.0.0.1:{s['tls'].port}", None),
        "tls_unknown": ({**tls, "tls_config": {"ca_file": "stranger.pem"}}, f"127.0.0.1:{s['tls'].port}",
                        "tls: failed to verify certificate: x509: certificate signed by unknown authority"),
        "tls_no_ca": (tls, f"127.0.0.1:{s['tls'].port}", "tls: failed to verify certificate"),
        "tls_skip": ({**tls, "tls_config": {"insecure_skip_verify": True}}, f"127.0.0.1:{s['tls'].port}", None),
        "tls_name": ({**tls, "tls_config": {"ca_file": "ca.pem", "server_name": "monitor.example"}}, f"127.0.0.1:{s['named'].port}", None),
        "tls_wrong_name": ({**tls, **ca}, f"127.0.0.1:{s['named'].port}", "tls: failed to verify certificate"),
        "tls_client": ({**tls, "tls_config": {"ca_file": "ca.pem", "cert_file": "client.pem", "key_file": "client.key"}},
                       f"127.0.0.1:{s['client'].port}", None),
        "tls_client_inline": ({**tls, "tls_config": {"ca_file": "ca.pem", "cert": pem["client.pem"], "key": pem["client.key"]}},
                              f"127.0.0.1:{s['client'].port}", None),
        "tls_no_client": ({**tls, **ca}, f"127.0.0.1:{s['client'].port}", "127.0.0.1"),
        "tls_min": ({**tls, "tls_config": {"ca_file": "ca.pem", "min_version": "TLS13"}}, f"127.0.0.1:{s['tls12'].port}", "127.0.0.1"),
        "tls_max": ({**tls, "tls_config": {"ca_file": "ca.pem", "max_version": "TLS12"}}, f"127.0.0.1:{s['tls12'].port}", None),
        "tls_no_file": ({**tls, "tls_config": {"ca_file": "gone.pem"}}, f"127.0.0.1:{s['tls'].port}", "unable to load specified CA cert"),
        "headers": ({"http_headers": {"X-Many": {"values": ["v1", "v2"], "secrets": ["hdr-quiet"], "files": ["header"]}}}, local, None),
        "proxy": ({"proxy_url": f"http://us:prx-pw@127.0.0.1:{s['proxy'].port}"}, "far.example:80", None),
        "proxy_tunnel": ({**tls, **ca, "proxy_url": f"http://127.0.0.1:{s['proxy'].port}",
                          "proxy_connect_header": {"X-Key": ["conn-key"]}, **{k: v for k, v in login.items() if k == "basic_auth"}},
                         f"127.0.0.1:{s['tls'].port}", None),
        "no_proxy": ({"proxy_url": "http://127.0.0.1:1", "no_proxy": "10.0.0.0/8,.example"}, local, None),
        "proxy_env": ({"proxy_from_environment": True}, "env.example:80", None),
        "proxy_not_from_env": ({"params": {"x": ["y"]}}, "env.example:80", "env.example"),
        "to_same": ({**to(s["plain"]), **login}, local, None),
        "to_other": ({**to(s["other"]), **login}, local, None),
        "to_other_308": ({**to(s["other"], 308), **login}, local, None),
        "to_tls": ({**to(s["tls"], 302, "https"), **login, **ca}, local, None),
        "to_nowhere": ({**to(s["plain"]), "follow_redirects": False}, local, "server returned HTTP status 302 Found"),
        "http1": ({"enable_http2": False}, local, None),
    }


def scraped(vigie, n):
    targets = json.loads(vigie.get("/api/v1/targets")[2])["data"]["activeTargets"]
    return len(targets) == n and all(t["health"] != "unknown" for t in targets) and targets


def write_config(folder, all_jobs):
    config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [
        {"job_name": name, "static_configs": [{"targets": [target]}], **options} for name, (options, target, _) in all_jobs.items()]}
    pathlib.Path(folder, "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML


def headers_of(server, path, job_query=""):
    return [h for p, h, _ in server.seen if p.startswith(path) and job_query in p]


def check_what_they_saw(s, folder):
    many = [m for _, _, m in s["plain"].seen if m and "v1" in m]
    assert many and many[0] == ["v1", "v2", "hdr-quiet", "from-file"], many
    for h in headers_of(s["other"], "/landed") + headers_of(s["tls"], "/landed"):
        assert "Authorization" not in h and "X-Many" not in h, h
    assert len(headers_of(s["other"], "/landed")) >= 2
    assert all("Authorization" in h and h["X-Many"] == "hdr-quiet" for h in headers_of(s["plain"], "/landed"))
    named = headers_of(s["named"], "/metrics")
    assert named and all(h["Host"] == f"127.0.0.1:{s['named'].port}" for h in named), named
    plain = headers_of(s["proxy"], "http://far.example")
    assert plain and plain[0]["Proxy-Authorization"] == "Basic " + base64.b64encode(b"us:prx-pw").decode()
    tunnel = headers_of(s["proxy"], "CONNECT")
    assert tunnel and tunnel[0]["X-Key"] == "conn-key" and "Authorization" not in tunnel[0], tunnel
    assert headers_of(s["proxy"], "http://env.example"), "proxy_from_environment"
    body = next(b for p, b, _ in s["tokens"].seen if p == "/header")
    assert body["scope"] == "a b" and body["audience"] == "x y" and "client_secret" not in body, body


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="vigie-http-") as folder:
        certificates(folder)
        for name, text in (("user", "us\n"), ("password", "file-pw\n"), ("token", "tok-opaque\n"), ("header", "from-file\n")):
            pathlib.Path(folder, name).write_text(text)
        s = {"plain": Server(Target), "other": Server(Target), "tokens": Server(Tokens), "proxy": Server(Proxy),
             "tls": Server(Target, context(folder, "server")), "named": Server(Target, context(folder, "named")),
             "client": Server(Target, context(folder, "server", "ca")),
             "tls12": Server(Target, context(folder, "server", maximum=ssl.TLSVersion.TLSv1_2))}
        rows = jobs(folder, s)
        write_config(folder, rows)
        env = {"PATH": "/usr/bin:/bin", "HTTP_PROXY": f"http://127.0.0.1:{s['proxy'].port}", "NO_PROXY": "nothing.example"}
        run(binary, folder, s, rows, env)


def run(binary, folder, s, rows, env):
    log = f"{folder}/log"
    port = peers.free_port()
    argv = [binary, "prometheus", f"--web.listen-address=127.0.0.1:{port}", f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data", "--web.enable-lifecycle"]
    with peers.Process(argv, log, env=env) as p:
        def get(path, **kw):
            return peers.http(f"http://127.0.0.1:{port}{path}", **kw)
        p.get = get
        peers.wait_for(lambda: not p.alive() or peers.listening(port), 20, "the server")
        assert p.alive(), p.text()
        found = {t["scrapePool"]: t for t in peers.wait_for(lambda: scraped(p, len(rows)), 30, "a scrape of every job")}
        wrong = []
        for name, (_, _, error) in rows.items():
            t = found[name]
            good = t["health"] == "up" if error is None else t["health"] == "down" and error in t["lastError"]
            if not good:
                wrong.append(f"{name}: {t['health']} {t['lastError']}")
            elif error:
                print(f"   {name}: {t['lastError']}")
        assert not wrong, "\n".join(wrong)
        check_what_they_saw(s, folder)
        print("ok every option")

        # Tokens: two jobs, scraped every second for more than the 2 s a token is good for.
        def renewed():
            return sum(1 for p, _, a in s["tokens"].seen if p == "/header" and a) >= 3
        peers.wait_for(renewed, 30, "a third token")
        scrapes = sum(1 for p, _, _ in s["plain"].seen if "acc-1%2Fheader" in p)
        assert scrapes >= 4, f"{scrapes} scrapes took three tokens"
        print("ok tokens are kept and renewed")

        # A rotated file counts without a reload.
        pathlib.Path(folder, "password").write_text("other-pw")
        peers.wait_for(lambda: "401" in {t["scrapePool"]: t for t in scraped(p, len(rows))}["basic_file"]["lastError"], 10, "the new password")
        print("ok files are read again")

        shown = json.loads(get("/api/v1/status/config")[2])["data"]["yaml"] + get("/api/v1/targets")[2] + p.text() + get("/metrics")[2]
        for secret in SECRETS:
            where = shown.replace("acc-1%2F", "").replace("acc-1/", "").replace("tok-opaque", "", 0)
            # The params of /auth name what is wanted: they are ours and no secret of the configuration's.
            lines = [x for x in where.splitlines() if secret in x and "want" not in x]
            lines = [x for x in lines if x.strip() != f"- Bearer {secret}"]
            assert not lines, f"{secret} is shown: {lines[0][:300]}"
        assert "<secret>" in shown
        print("ok nothing secret is shown")
    notifiers(binary, folder, s)
    print("6 passed, 0 failed")


def notifiers(binary, folder, s):
    """Hooks and Alertmanagers behind TLS: ours to both, with logins of all kinds."""
    am, prom = peers.free_port(), peers.free_port()
    login = {"tls_config": {"ca_file": "ca.pem"}, "follow_redirects": True}
    oauth = {"client_id": "client 1", "client_secret": "cs-hidden", "token_url": f"http://127.0.0.1:{s['tokens'].port}/header"}
    hook = f"https://127.0.0.1:{s['tls'].port}/hook"
    pathlib.Path(folder, "am.yml").write_text(json.dumps({"route": {"receiver": "r", "group_wait": "0s"}, "receivers": [{"name": "r", "webhook_configs": [
        {"url": hook + "1", "http_config": {**login, "oauth2": oauth}},
        {"url": hook + "2", "http_config": {**login, "http_headers": {"X-Many": {"secrets": ["hdr-quiet"]}}}},
        {"url": f"https://127.0.0.1:{s['client'].port}/hook3", "http_config": {
            "tls_config": {"ca_file": "ca.pem", "cert_file": "client.pem", "key_file": "client.key"}}}]}]}))
    pathlib.Path(folder, "rules.yml").write_text("groups: [{name: g, rules: [{alert: A, expr: vector(1)}]}]")
    pathlib.Path(folder, "p2.yml").write_text(json.dumps({
        "global": {"evaluation_interval": "1s"}, "rule_files": ["rules.yml"], "alerting": {"alertmanagers": [
            {"scheme": "https", **login, "authorization": {"credentials_file": "token"}, "static_configs": [{"targets": [f"127.0.0.1:{s['tls'].port}"]}]}]}}))
    with peers.Process([binary, "alertmanager", f"--web.listen-address=127.0.0.1:{am}", f"--config.file={folder}/am.yml",
                        f"--storage.path={folder}/am", "--cluster.listen-address="], f"{folder}/log-am") as a, \
            peers.Process([binary, "prometheus", f"--web.listen-address=127.0.0.1:{prom}", f"--config.file={folder}/p2.yml",
                           f"--storage.tsdb.path={folder}/data2"], f"{folder}/log-p2") as p:
        peers.wait_for(lambda: peers.listening(am), 20, "the alertmanager: " + a.text())
        alert = json.dumps([{"labels": {"alertname": "A"}}]).encode()
        assert peers.http(f"http://127.0.0.1:{am}/api/v2/alerts", method="POST", body=alert, headers={"Content-Type": "application/json"})[0] == 200

        def came(server, path):
            return next((h for q, h, b in s[server].seen if q == path and b), None)
        one = peers.wait_for(lambda: came("tls", "/hook1"), 20, "a hook by OAuth 2 behind TLS: " + a.text())
        assert one["Authorization"] == "Bearer acc-1/header", one
        two = peers.wait_for(lambda: came("tls", "/hook2"), 20, "a hook behind TLS")
        assert two["X-Many"] == "hdr-quiet" and "Authorization" not in two, two
        peers.wait_for(lambda: came("client", "/hook3"), 20, "a hook that wants a certificate")
        sent = peers.wait_for(lambda: came("tls", "/api/v2/alerts"), 20, "an alert to an Alertmanager behind TLS: " + p.text())
        assert sent["Authorization"] == "Bearer tok-opaque", sent
        shown = peers.http(f"http://127.0.0.1:{am}/api/v2/status")[2] + a.text() + p.text()
        assert not any(x in shown for x in SECRETS), shown
    print("ok notifiers")


if __name__ == "__main__":
    main()
