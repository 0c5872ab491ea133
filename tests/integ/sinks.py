# SPDX-License-Identifier: Apache-2.0
"""Where messages arrive in tests: a mail server and a web hook that keep what they got."""
import email
import email.policy
import http.server
import json
import logging
import socketserver
import ssl
import subprocess
import threading

import peers


class MailSink(socketserver.ThreadingTCPServer):
    """SMTP without TLS or login on a free port of 127.0.0.1; the whole mails are in .mails."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), MailSession)
        self.port, self.mails = self.server_address[1], []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class MailSession(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        self.say("220 sink")
        while line := self.rfile.readline():
            verb = line.strip().upper()
            if verb.startswith(b"DATA"):
                self.say("354 go on")
                self.data()
            elif verb.startswith(b"QUIT"):
                return self.say("221 bye")
            self.say("250 ok")

    def data(self):
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        self.server.mails.append(email.message_from_bytes(b"".join(lines), policy=email.policy.default))


class HookSink(http.server.ThreadingHTTPServer):
    """Answers every POST with 200 "ok"; the JSON bodies are in .bodies."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Hook)
        self.url, self.bodies = f"http://127.0.0.1:{self.server_address[1]}/hook", []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


class LoginMail:
    """A real SMTP server (aiosmtpd): STARTTLS, and a login that only works inside it. The envelopes are in .mails."""

    def __init__(self, folder, user, password):
        try:
            from aiosmtpd.controller import Controller
            from aiosmtpd.smtp import AuthResult
        except ImportError:
            raise peers.Missing("python3-aiosmtpd is not installed: apt-get install python3-aiosmtpd, and run this by /usr/bin/python3") from None
        self.user, self.password, self.mails, self.logins = user, password, [], []
        self.certificate, key = folder / "mail.pem", folder / "mail.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", key, "-out", self.certificate], check=True, capture_output=True)
        logging.getLogger("mail.log").setLevel(logging.ERROR)  # it warns of itself at every login
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(self.certificate, key)

        def login(_server, _session, _envelope, _mechanism, data):
            self.logins.append((data.login.decode(), data.password.decode()))
            return AuthResult(success=self.logins[-1] == (user, password))

        self.port = peers.free_port()
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, tls_context=tls, require_starttls=True, authenticator=login, auth_required=True,
                                     auth_exclude_mechanism=["LOGIN"])  # its prompts are none that Alertmanager 0.25 knows
        self.controller.start()

    async def handle_DATA(self, _server, _session, envelope):
        self.mails.append(envelope)
        return "250 kept"

    def messages(self):
        return [email.message_from_bytes(m.content, policy=email.policy.default) for m in self.mails]

    def stop(self):
        self.controller.stop()
