"""A browser to drive: chromedriver and a headless Chromium, by the WebDriver protocol, with the standard library alone.
The browser reaches nothing but this host: every other name resolves to nowhere, and there is no proxy."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
]
KEYS = {
    "Enter": "\ue007",
    "Escape": "\ue00c",
    "Down": "\ue015",
    "Up": "\ue013",
    "End": "\ue010",
    "Home": "\ue011",
    "Space": " ",
}


class Browser:
    """One window. Every wait is for a condition, at most `limit` seconds."""

    limit = 30

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="nn-browser-")
        port = None
        # The port that it found free may be another's when it takes it: then it ends.
        for _ in range(5):
            command = ["chromedriver", "--port=0"]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            for line in self.process.stdout:
                if "successfully on port" in line:
                    port = int(line.rsplit("port", 1)[1].strip().rstrip("."))
                    break
            if port:
                break
            self.process.wait()
        self.base = "http://127.0.0.1:%d" % port
        options = {"args": FLAGS + ["--user-data-dir=" + self.profile]}
        capabilities = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self.session = ""
        try:
            answer = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        except BaseException:
            self.close()
            raise
        self.session = "/session/" + answer["sessionId"]

    def ask(self, method, path, body=None):
        """One command; what the driver says is wrong becomes an exception."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.base + self.__dict__.get("session", "") + path,
            data,
            {"Content-Type": "application/json"},
            method=method,
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120) as reply:
                return json.load(reply)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise RuntimeError("%s: %s" % (value["error"], value["message"].splitlines()[0])) from None

    def go(self, address):
        self.ask("POST", "/url", {"url": address})

    def run(self, script, *arguments):
        """What the body of a function returns."""
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def probe(self, name, *arguments):
        """What a function of probes.js returns or promises."""
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "probes.js"), encoding="utf-8") as file:
            text = file.read()
        script = "const probes = %s; return probes[arguments[0]](...[...arguments].slice(1))" % text.strip()
        return self.run(script, name, *arguments)

    def wait(self, condition, *arguments):
        """Until an expression is true; its value."""
        end = time.monotonic() + self.limit
        while True:
            value = self.run("try { return (%s); } catch (error) { return null; }" % condition, *arguments)
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError("never true: %s; the page: %s" % (condition, self.text("body")[:500]))
            time.sleep(0.02)

    def value(self, expression, *arguments):
        """What an expression is."""
        return self.run("return " + expression, *arguments)

    def attribute(self, selector, name):
        return self.value("document.querySelector(arguments[0])?.getAttribute(arguments[1])", selector, name)

    def find(self, selector):
        self.wait("document.querySelector(arguments[0])", selector)
        return self.ask("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)", selector)

    def click(self, selector):
        self.ask("POST", "/element/%s/click" % self.find(selector), {})

    def type(self, selector, text):
        element = self.find(selector)
        self.ask("POST", "/element/%s/clear" % element, {})
        self.ask("POST", "/element/%s/value" % element, {"text": text})

    def keys(self, *names):
        """Presses keys, one after the other, wherever the focus is."""
        steps = [{"type": kind, "value": KEYS.get(name, name)} for name in names for kind in ("keyDown", "keyUp")]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": steps}]})

    def drag(self, selector, start, end):
        """The mouse, pressed at one place of an element and released at another, both from its top left corner."""
        box = self.run(
            "const r = document.querySelector(arguments[0]).getBoundingClientRect(); return [r.left, r.top]", selector
        )
        at = [
            [int(box[0] + x), int(box[1] + y)]
            for x, y in (start, ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2), end)
        ]
        move = [{"type": "pointerMove", "duration": 20, "x": x, "y": y} for x, y in at]
        steps = [move[0], {"type": "pointerDown", "button": 0}, move[1], move[2], {"type": "pointerUp", "button": 0}]
        self.ask("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": steps}]})

    def wheel(self, selector, dy):
        origin = {ELEMENT: self.find(selector)}
        step = {"type": "scroll", "x": 0, "y": 0, "deltaX": 0, "deltaY": dy, "duration": 0, "origin": origin}
        self.ask("POST", "/actions", {"actions": [{"type": "wheel", "id": "wheel", "actions": [step]}]})

    def devtools(self, command, **parameters):
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def size(self, width, height, scale=1):
        mobile = width < 600
        self.devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile
        )

    def scheme(self, name):
        """What the system prefers: dark or light."""
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def complaints(self):
        """What the console got since the last call: script errors, violations of the policy."""
        return [
            line["message"]
            for line in self.ask("POST", "/se/log", {"type": "browser"})
            if line["level"] in ("SEVERE", "WARNING")
        ]

    def shot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.ask("GET", "/screenshot")))

    def close(self):
        try:
            self.ask("DELETE", "")
        except (RuntimeError, OSError):
            pass
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)
