# SPDX-License-Identifier: Apache-2.0
"""The grafana role by its API: login, dashboards, data sources, the page; shapes against tests/golden/api, which the page's
tests read, too, so that both ends hold one contract.
"""
import base64
import json
import pathlib
import re
import sys
import tempfile

import peers

VIGIE = sys.argv[1]
GOLDEN = peers.ROOT / "tests" / "golden" / "api"
OPTIONAL = {"cluster", "typeLogoUrl"}


def golden(name):
    return json.loads((GOLDEN / f"{name}.json").read_text())


def same_shape(want, got, at="$"):
    """Every key of want is in got with the same kind of value."""
    if isinstance(want, dict):
        assert isinstance(got, dict), f"{at}: {got!r} is no object"
        for k, v in want.items():
            if k in OPTIONAL:
                continue
            assert k in got, f"{at}: key {k} is missing in {sorted(got)}"
            same_shape(v, got[k], f"{at}.{k}")
    elif isinstance(want, list):
        assert isinstance(got, list), f"{at}: {got!r} is no list"
        if want:
            assert got, f"{at}: empty"
            same_shape(want[0], got[0], f"{at}[0]")
    else:
        assert type(want) is type(got), f"{at}: {got!r} instead of {want!r}"


class Grafana:
    def __enter__(self):
        self.dir = tempfile.TemporaryDirectory(prefix="vigie-grafana-")
        self.port = peers.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()
        return self

    def start(self):
        self.p = peers.Process([VIGIE, "grafana", f"--http-port={self.port}", "--http-addr=127.0.0.1", f"--paths.data={self.dir.name}/data",
                                f"--paths.provisioning={peers.ROOT}/monitoring/grafana/provisioning"], f"{self.dir.name}/log")
        peers.wait_for(lambda: self.p.alive() and self.call("/api/health")[0] == 200, 20, "the grafana role")

    def __exit__(self, *_):
        self.p.stop()
        self.dir.cleanup()

    def call(self, path, body=None, method=None, auth="admin:admin", **headers):
        if auth:
            headers["Authorization"] = "Basic " + base64.b64encode(auth.encode()).decode()
        data = json.dumps(body).encode() if body is not None else None
        return peers.http(self.url + path, method=method or ("POST" if data else "GET"), body=data, headers=headers)

    def json(self, path, want=200, **kw):
        status, _, text = self.call(path, **kw)
        assert status == want, (path, status, text[:300])
        return json.loads(text)


def health_as_scripts_grep_it(g):
    text = g.call("/api/health", auth=None)[2]
    assert '"database":"ok"' in text, text
    same_shape(golden("health"), json.loads(text))
    assert g.call("/api/health", auth=None, method="HEAD")[0] == 200


def login_with_cookie_and_basic(g):
    same_shape(golden("login-refused"), g.json("/login", 401, body={"user": "admin", "password": "wrong"}, auth=None))
    assert g.json("/api/user", 401, auth=None) == {"message": "Unauthorized"}
    assert g.call("/api/user", auth="admin:no")[0] == 401
    status, headers, text = g.call("/login", body={"user": "admin", "password": "admin"}, auth=None)
    assert status == 200
    same_shape(golden("login"), json.loads(text))
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    session = re.match(r"grafana_session=(\w+)", cookie).group(0)
    same_shape(golden("user"), g.json("/api/user", auth=None, Cookie=session))
    g.p.stop()
    g.start()
    g.json("/api/user", auth=None, Cookie=session)  # a restart ends no session
    assert g.call("/logout", auth=None, Cookie=session)[0] in (200, 302)
    assert g.call("/api/user", auth=None, Cookie=session)[0] == 401


def a_foreign_page_changes_nothing(g):
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
        assert g.call("/api/dashboards/db", body={"dashboard": {"title": "x"}}, **headers)[0] == 403
    assert g.call("/api/dashboards/db", body={"dashboard": {"title": "own origin"}}, Origin=g.url)[0] == 200


def the_documents_dashboard_is_provisioned(g):
    d = g.json("/api/dashboards/uid/kafka-monitoring-dreamscape")
    same_shape(golden("dashboard-by-uid"), d)
    assert d["dashboard"]["title"] == "Kafka Monitoring - DreamScape" and d["meta"]["provisioned"]
    assert '"title":"Kafka Monitoring - DreamScape"' in g.call("/api/dashboards/uid/kafka-monitoring-dreamscape")[2]
    assert len([p for p in d["dashboard"]["panels"] if p["type"] != "row"]) == 7
    same_shape(golden("dashboard-not-found"), g.json("/api/dashboards/uid/none", 404))
    hits = g.json("/api/search?query=kafka%20monitoring")
    same_shape(golden("search"), hits)
    refused = g.json("/api/dashboards/db", 400, body={"dashboard": d["dashboard"], "overwrite": True})
    assert refused["message"] == "Cannot save provisioned dashboard"


def save_import_delete(g):
    saved = g.json("/api/dashboards/db", body={"dashboard": {"title": "Mine", "panels": []}, "overwrite": False})
    assert saved["status"] == "success" and saved["version"] == 1
    again = {"uid": saved["uid"], "title": "Mine 2", "version": 0}
    assert g.call("/api/dashboards/db", body={"dashboard": again})[0] == 412
    assert g.json("/api/dashboards/db", body={"dashboard": again, "overwrite": True})["version"] == 2
    model = {"title": "In", "panels": [{"datasource": "${DS_PROM}"}]}
    imported = g.json("/api/dashboards/import", body={"dashboard": model, "overwrite": True, "inputs": [{"name": "DS_PROM", "type": "datasource", "value": "prometheus"}]})
    same_shape(golden("dashboard-import"), imported)
    assert g.json(f"/api/dashboards/uid/{imported['uid']}")["dashboard"]["panels"][0]["datasource"] == "prometheus"
    bare = g.json("/api/dashboards/import", body={"title": "Bare", "panels": []})
    g.p.kill()
    g.start()
    for uid in (saved["uid"], imported["uid"], bare["uid"]):
        assert g.json(f"/api/dashboards/uid/{uid}")["dashboard"]["uid"] == uid  # kill -9 loses no saved dashboard
        assert "deleted" in g.json(f"/api/dashboards/uid/{uid}", method="DELETE")["message"]
        g.json(f"/api/dashboards/uid/{uid}", 404)
    assert g.call("/api/dashboards/db", body={"dashboard": []})[0] == 400
    status, _, text = peers.http(g.url + "/api/dashboards/import", method="POST", body=b'{"a":\n  x}', headers={"Authorization": "Basic " + base64.b64encode(b"admin:admin").decode()})
    assert status == 400 and "2:" in text, text  # line and column


def data_sources(g):
    same_shape(golden("datasources"), g.json("/api/datasources"))
    assert any(s["type"] == "prometheus" and "prometheus" in s["url"] for s in g.json("/api/datasources"))
    assert g.json("/api/datasources/uid/PBFA97CFB590B2093")["name"] == "Prometheus"
    assert g.json("/api/datasources/name/Alertmanager")["uid"] == "alertmanager"
    g.json("/api/datasources/uid/none", 404)
    assert g.json("/api/datasources/uid/prometheus/health", 400)["status"] == "ERROR"  # nobody is there, and it says so
    assert g.call("/api/datasources/proxy/uid/prometheus/api/v1/query?query=1")[0] == 502


def the_page_is_served_small_and_cached(g):
    status, headers, _ = g.call("/", auth=None)
    assert status == 200 and headers["Content-Security-Policy"] and headers["X-Frame-Options"] == "deny"
    page = g.call("/d/kafka-monitoring-dreamscape/x", auth=None)[2]
    script = re.search(r'src="(/public/[^"]+\.js)"', page).group(1)
    status, headers, _ = g.call(script, auth=None)
    assert status == 200 and "immutable" in headers["Cache-Control"]
    tag = g.call("/", auth=None)[1]["ETag"]
    assert g.call("/", auth=None, **{"If-None-Match": tag})[0] == 304
    assert g.call("/public/none.js", auth=None)[0] == 404
    assert g.json("/api/none", 404) == {"message": "Not found"}


def the_password_is_changed_once_for_all(g):
    same_shape(golden("frontend-settings"), g.json("/api/frontend/settings"))
    change = {"oldPassword": "admin", "newPassword": "better-one", "confirmNew": "better-one"}
    assert g.call("/api/user/password", body={**change, "oldPassword": "no"}, method="PUT")[0] == 401
    assert g.call("/api/user/password", body={**change, "newPassword": "admin", "confirmNew": "admin"}, method="PUT")[0] == 400
    assert g.json("/api/user/password", body=change, method="PUT")["message"] == "User password changed"
    assert g.call("/api/user")[0] == 401
    assert g.call("/api/user", auth="admin:better-one")[0] == 200
    log = pathlib.Path(g.dir.name, "log").read_text()
    assert "better-one" not in log and "admin:admin" not in log


def main():
    with Grafana() as g:
        tests = [health_as_scripts_grep_it, login_with_cookie_and_basic, a_foreign_page_changes_nothing, the_documents_dashboard_is_provisioned,
                 save_import_delete, data_sources, the_page_is_served_small_and_cached, the_password_is_changed_once_for_all]
        for test in tests:
            try:
                test(g)
            except BaseException:
                print(g.p.text()[-3000:], file=sys.stderr)
                raise
            print(f"ok {test.__name__}", flush=True)
    print(f"{len(tests)} passed, 0 failed", flush=True)


main()
