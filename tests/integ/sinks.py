# SPDX-License-Identifier: Apache-2.0
"""Where messages arrive in tests: a mail server and a web hook that keep what they got."""
import email
import email.policy
import http.server
import json
import socketserver
import threading


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
