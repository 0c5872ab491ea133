# SPDX-License-Identifier: Apache-2.0
"""--web.config.file: TLS, client certificates, passwords, headers; ours beside Debian's prometheus over the same file."""
import base64
import contextlib
import pathlib
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import peers

FILE = """
tls_server_config: {cert_file: server.crt, key_file: server.key%(tls)s}
http_server_config: {headers: {X-Frame-Options: deny, Strict-Transport-Security: max-age=31536000}}
%(users)s
"""
# htpasswd -nbBC 4 alice secret
USERS = "basic_auth_users: {alice: '%s'}"


def openssl(work, *args):
    subprocess.run(["openssl", *args], cwd=work, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)


def certificates(work):
    for name in ("ca", "server", "client", "stranger"):
        openssl(work, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
    openssl(work, "req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=test ca", "-days", "2", "-out", "ca.crt")
    (work / "san").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    for name in ("server", "client"):
        openssl(work, "req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
        openssl(work, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "san", "-out", f"{name}.crt")
    openssl(work, "req", "-x509", "-new", "-key", "stranger.key", "-subj", "/CN=stranger", "-days", "2", "-out", "stranger.crt")


def bcrypt(password):
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import crypt
    return crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))


def ask(port, work, user=None, cert=None, version=None, path="/-/healthy"):
    """Status and two headers; "tls" when the handshake fails."""
    ctx = ssl.create_default_context(cafile=work / "ca.crt")
    if cert:
        ctx.load_cert_chain(work / f"{cert}.crt", work / f"{cert}.key")
    if version:
        ctx.minimum_version = ctx.maximum_version = version
        ctx.set_ciphers("ALL:@SECLEVEL=0")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ctx))
    req = urllib.request.Request(f"https://127.0.0.1:{port}{path}")
    if user:
        req.add_header("Authorization", "Basic " + base64.b64encode(user.encode()).decode())
    try:
        with opener.open(req, timeout=10) as r:
            return r.status, r.headers["X-Frame-Options"], r.headers["WWW-Authenticate"]
    except urllib.error.HTTPError as e:
        with e:
            return e.code, e.headers["X-Frame-Options"], e.headers["WWW-Authenticate"]
    except (urllib.error.URLError, ConnectionError, ssl.SSLError):
        return "tls"


@contextlib.contextmanager
def server(argv, work, name, web):
    port = peers.free_port()
    (work / "empty.yml").write_text("")
    with peers.Process([*argv, f"--config.file={work / 'empty.yml'}", f"--storage.tsdb.path={work / name}", f"--web.listen-address=127.0.0.1:{port}",
                        f"--web.config.file={web}"], work / f"{name}.log") as p:
        peers.wait_for(lambda: not p.alive() or peers.listening(port), 20, name)
        assert p.alive(), p.text()[-1500:]
        yield port


def both(vigie, work, web):
    """[(name, port)] of the two servers over one file."""
    stack = contextlib.ExitStack()
    ports = [stack.enter_context(server(argv, work, name, web)) for argv, name in (([vigie, "prometheus"], "ours"), (["prometheus"], "theirs"))]
    return stack, ports


def compare(vigie, work, text, questions):
    web = work / "web.yml"
    web.write_text(text)
    stack, ports = both(vigie, work, web)
    bad = []
    with stack:
        for q in questions:
            said = [ask(port, work, **q) for port in ports]
            if said[0] != said[1]:
                bad.append(f"{q}: ours {said[0]}, theirs {said[1]}")
    assert not bad, "\n".join(bad)


def main():
    vigie = sys.argv[1]
    peers.need("prometheus", "apt-get install prometheus")
    peers.need("openssl", "apt-get install openssl")
    with tempfile.TemporaryDirectory() as w:
        work = pathlib.Path(w)
        certificates(work)
        users = USERS % bcrypt("secret")
        compare(vigie, work, FILE % {"tls": "", "users": users},
                [{}, {"user": "alice:secret"}, {"user": "alice:secret"}, {"user": "alice:wrong"}, {"user": "alice:wrong"}, {"user": "bob:secret"},
                 {"user": "alice:secret", "path": "/metrics?x=1"[:8]}, {"user": "alice:secret", "path": "/api/v1/nothing"},
                 {"user": "alice:secret", "version": ssl.TLSVersion.TLSv1_1}, {"user": "alice:secret", "version": ssl.TLSVersion.TLSv1_2}])
        print("ok TLS and passwords")
        compare(vigie, work, FILE % {"tls": ", min_version: TLS13", "users": ""},
                [{"version": ssl.TLSVersion.TLSv1_2}, {"version": ssl.TLSVersion.TLSv1_3}])
        compare(vigie, work, FILE % {"tls": ", max_version: TLS12, cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256], curve_preferences: [CurveP256]", "users": ""},
                [{"version": ssl.TLSVersion.TLSv1_2}, {"version": ssl.TLSVersion.TLSv1_3}])
        print("ok versions, ciphers")
        for kind in ("RequestClientCert", "RequireAnyClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"):
            ca = ", client_ca_file: ca.crt"
            compare(vigie, work, FILE % {"tls": f", client_auth_type: {kind}{ca}", "users": ""}, [{}, {"cert": "client"}, {"cert": "stranger"}])
        print("ok client certificates")
        reload(vigie, work)


def reload(vigie, work):
    """A new file counts from the next request on; a broken one does not."""
    web = work / "web.yml"
    web.write_text(FILE % {"tls": "", "users": USERS % bcrypt("old")})
    with server([vigie, "prometheus"], work, "reload", web) as port:
        assert ask(port, work, user="alice:old")[0] == 200
        web.write_text(FILE % {"tls": "", "users": USERS % bcrypt("new")})
        assert ask(port, work, user="alice:new")[0] == 200
        assert ask(port, work, user="alice:old")[0] == 401
        web.write_text("nonsense: [")
        assert ask(port, work, user="alice:new")[0] == 200
    print("ok read again")


if __name__ == "__main__":
    main()
