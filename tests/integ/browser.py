# SPDX-License-Identifier: Apache-2.0
"""A real browser (headless Chromium) for tests and screenshots, spoken to over its DevTools protocol.

    with Browser() as b:
        b.cookie("http://localhost:3000", "grafana_session", token)
        b.open("http://localhost:3000/", width=1920, height=1080)
        b.wait("document.querySelector('.tile')", 30)
        b.screenshot("home.png")
"""
import base64
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

import peers

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-allow-origins=*"]


class Socket:
    """The client's end of a WebSocket, text messages only (RFC 6455)."""

    def __init__(self, url):
        u = urllib.parse.urlparse(url)
        self.s = socket.create_connection((u.hostname, u.port), 30)
        key = base64.b64encode(os.urandom(16)).decode()
        self.s.sendall(f"GET {u.path} HTTP/1.1\r\nHost: {u.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.s.recv(1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(head.decode())

    def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        n = len(data)
        size = struct.pack("!B", 0x80 | n) if n < 126 else struct.pack("!BH", 0xFE, n) if n < 65536 else struct.pack("!BQ", 0xFF, n)
        self.s.sendall(b"\x81" + size + mask + bytes(c ^ mask[i % 4] for i, c in enumerate(data)))

    def exactly(self, n):
        out = bytearray()
        while len(out) < n:
            got = self.s.recv(min(n - len(out), 1 << 20))
            if not got:
                raise EOFError("the browser hung up")
            out += got
        return bytes(out)

    def receive(self):
        out = b""
        while True:
            first, size = self.exactly(2)
            n = size & 127
            if n == 126:
                n = struct.unpack("!H", self.exactly(2))[0]
            elif n == 127:
                n = struct.unpack("!Q", self.exactly(8))[0]
            part = self.exactly(n)
            if first & 15 in (0, 1):
                out += part
                if first & 128:
                    return out.decode()


class Browser:
    def __enter__(self):
        peers.need("chromium", "apt-get install chromium")
        self.home = tempfile.mkdtemp(prefix="vigie-chromium-")
        port = peers.free_port()
        self.p = subprocess.Popen(["chromium", *FLAGS, f"--user-data-dir={self.home}", f"--remote-debugging-port={port}", "about:blank"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            pages = peers.wait_for(lambda: json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=5)), 60, "Chromium")
            self.ws = Socket(next(x for x in pages if x["type"] == "page")["webSocketDebuggerUrl"])
        except BaseException:
            self.__exit__()
            raise
        self.n, self.errors = 0, []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def call(self, method, **params):
        self.n += 1
        self.ws.send(json.dumps({"id": self.n, "method": method, "params": params}))
        while True:
            m = json.loads(self.ws.receive())
            if m.get("method") == "Runtime.exceptionThrown":
                d = m["params"]["exceptionDetails"]
                self.errors.append(d.get("exception", {}).get("description") or d["text"])
            if m.get("id") == self.n:
                if "error" in m:
                    raise RuntimeError(f"{method}: {m['error']['message']}")
                return m["result"]

    def cookie(self, url, name, value):
        self.call("Network.setCookie", url=url, name=name, value=value)

    def theme(self, name):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def open(self, url, width=1920, height=1080, mobile=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        self.call("Page.navigate", url=url)

    def js(self, expression):
        r = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in r:
            raise RuntimeError(r["exceptionDetails"]["exception"].get("description", "exception"))
        return r["result"].get("value")

    def wait(self, expression, seconds, what=None):
        """The first true value of a JavaScript expression; while a page comes and goes it may throw."""
        def attempt():
            try:
                return self.js(f"(()=>{{const v={expression};return v instanceof Node?true:v}})()")
            except RuntimeError as e:
                raise OSError(str(e)) from e  # wait_for tries again, and names the last one in the end
        return peers.wait_for(attempt, seconds, what or expression)

    def rest(self, seconds):
        """Lets time pass; the events must be read meanwhile, a browser whose reader sleeps tears its messages."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.js("new Promise(r=>setTimeout(r,500))")

    def screenshot(self, file, of=None):
        """The window, or the element that a selector names."""
        clip = {}
        if of:
            box = self.js(f"(()=>{{const e=document.querySelector({json.dumps(of)});e.scrollIntoView();const b=e.getBoundingClientRect();"
                          "return {x:b.x+scrollX,y:b.y+scrollY,width:b.width,height:b.height}})()")
            clip = {"clip": {**box, "scale": 1}, "captureBeyondViewport": True}
        # A window that nobody looks at makes no frames: the first picture may show what a canvas held long ago.
        self.call("Page.captureScreenshot", format="png", **clip)
        self.rest(0.5)
        pathlib.Path(file).write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png", **clip)["data"]))
