"""What a person sees of nn-web, in a real Chromium: browser.py SCENARIO DIR. Makes a spool in DIR, starts nn-web on it,
and prints a line a check. The API is read by this program itself, so that the page is held against what the server says.
NN_SHOTS=DIR keeps pictures of what was seen."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

import spools
from webdriver import Browser

NN = {**os.environ, "NO_COLOR": "1"}
VIEWS = [
    "#/runs",
    "#/runs?group=1",
    "#/run/3",
    "#/compare?runs=1-12",
    "#/compare?runs=1-12&view=table",
    "#/compare?runs=1-12&view=scatter",
    "#/compare?runs=1-12&view=parallel",
    "#/compare?runs=1-3&view=bars",
    "#/hosts",
    "#/queue",
]


def check(name, holds, *seen):
    if not holds:
        raise AssertionError("%s: %s" % (name, " | ".join(repr(s)[:800] for s in seen)))
    print("ok", name, flush=True)


class Server:
    """nn-web on a spool."""

    def __init__(self, directory, *options, listen="127.0.0.1:0"):
        self.spool = os.path.join(directory, "spool")
        self.options = options
        self.start(listen)

    def start(self, listen):
        command = ["nn-web", "--listen", listen, *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**NN, "NN_SPOOL": self.spool})
        self.url = self.process.stdout.readline().strip()
        if not self.url.startswith("http"):
            raise AssertionError("nn-web did not start: " + self.url)

    def get(self, path):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.url + "api/" + path, timeout=60) as reply:
            return json.load(reply)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        self.process.stdout.close()


@contextlib.contextmanager
def page(directory, kind=None, options=(), url=None):
    """A server on a spool of a kind, and a browser; at the end the browser must have had nothing to complain of."""
    spool = os.path.join(directory, "spool")
    if kind:
        getattr(spools, kind)(spools.Spool(spool))
    with contextlib.ExitStack() as stack:
        server = None
        if url is None:
            server = Server(directory, *options)
            stack.callback(server.stop)
        browser = Browser()
        stack.callback(browser.close)
        try:
            browser.size(1280, 800)
            yield browser, server
        except BaseException:
            if shots := os.environ.get("NN_SHOTS"):
                browser.shot(os.path.join(shots, "failed.png"))
            raise
        check(
            "no script error, no violation of the policy",
            not (said := [c for c in browser.complaints() if "status of 40" not in c and "Canvas2D" not in c]),
            said,
        )
        seen = browser.run("return performance.getEntriesByType('resource').map(e => e.name)")
        home = server.url if server else url
        check("nothing is asked of anybody else", all(name.startswith((home, "data:,")) for name in seen), seen)


def go(browser, base, view):
    """A view, when it has settled: nothing is being read, and two frames have been drawn."""
    browser.go("about:blank")
    browser.go(base + view)
    browser.wait("document.querySelector('main .view h1, main .view h2, main .row')")
    settle(browser)


def settle(browser):
    last = None
    while (now := browser.probe("settled")) != last:
        last = now
        time.sleep(0.15)


def picture(browser, name):
    if shots := os.environ.get("NN_SHOTS"):
        browser.shot(os.path.join(shots, name + ".png"))


def runs_shown(browser):
    """The numbers of the runs in the table, from above."""
    return browser.probe("runs")


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def expected(rows, holds):
    return [row["run"] for row in rows if holds(row)]


def drawn(browser, selector):
    """What a canvas shows, as a fingerprint; and how many of its pixels are not empty."""
    return browser.probe("drawn", selector)


def asked_for(browser, server, api):
    """Filters by what no row has: nn-table is asked for it."""
    tenth = {}
    for row in api:
        curve = server.get("runs/%d/history" % row["run"])["series"].get("valid_cost", {})
        tenth[row["run"]] = dict(zip(curve.get("epoch", []), curve.get("y", []))).get(10, 99)
    for where, holds in {
        "valid_cost@10<1": lambda r: tenth[r["run"]] < 1,
        "exit=1 lr<0.01": lambda r: r["state"] == "failed" and r["params"]["lr"] < 0.01,
    }.items():
        want = expected(api, holds)
        browser.type("#where", where)
        until = time.monotonic() + 30
        while runs_shown(browser) != want and time.monotonic() < until:
            time.sleep(0.05)
        check("filter " + where, want and runs_shown(browser) == want, (want, runs_shown(browser)))


def runs_view(browser, server):
    api = server.get("runs")["runs"]
    go(browser, server.url, "#/runs")
    shown = runs_shown(browser)
    check("all runs are listed", shown == [row["run"] for row in api], shown)
    grid = [browser.attribute(".grid", name) for name in ("role", "aria-rowcount", "aria-label")]
    check("the table says how long it is", grid == ["grid", str(len(api) + 1), "Runs"], grid)
    heads = browser.texts(".head [role=columnheader]")[1:]
    check(
        "columns as nn-table",
        heads
        == [
            "run",
            "state",
            "how",
            "name",
            "activation",
            "lr",
            "clip",
            "valid_cost",
            "valid_cost@min",
            "valid_acc",
            "valid_acc@max",
            "note",
        ],
        heads,
    )
    cells = browser.probe("cells")
    for row, line in zip(api, cells):
        lr, last = row["params"]["lr"], row.get("metrics", {}).get("valid_cost", {}).get("last")
        assert (
            number(line[5]) == lr
            and line[3] == row["name"]
            and line[1].startswith(row["state"])
            and (last is None and line[7] == "" or abs(number(line[7]) - last) < 1e-5 * abs(last))
        ), (row, line)
    check("the cells say what the API says", True)
    lows = {row["run"]: row["metrics"]["valid_cost"]["min"] for row in api if "metrics" in row}
    for where, holds in {
        "lr>0.01 state=failed": lambda r: r["params"]["lr"] > 0.01 and r["state"] == "failed",
        "valid_cost@min<0.3 and name~relu": lambda r: lows.get(r["run"], 9) < 0.3 and "relu" in r["name"],
        "state!=done": lambda r: r["state"] != "done",
        "train_cost=1": lambda r: False,
        "train_cost!=1": lambda r: True,
        'note~"longer schedule" clip>=20': lambda r: "longer schedule" in r.get("note", "")
        and r["params"]["clip"] >= 20,
        "p.activation=tanh lr<=0.001": lambda r: r["params"]["activation"] == "tanh" and r["params"]["lr"] <= 0.001,
        "run>20": lambda r: r["run"] > 20,
    }.items():
        browser.type("#where", where)
        settle(browser)
        check("filter " + where, runs_shown(browser) == expected(api, holds), runs_shown(browser))
    asked_for(browser, server, api)
    browser.type("#where", "run>20")
    browser.wait("location.hash.includes('where=run')")
    check("the filter is in the address", True)
    for where, said in {
        "lrr>1": "no run has 'lrr' (did you mean 'lr'?)",
        "lr>1 >2": "expected COLUMN=VALUE",
        "": "",
    }.items():
        browser.type("#where", where or " ")
        settle(browser)
        check(
            "what is wrong is said: " + said,
            said in browser.text("#wrong") and (said or not browser.text("#wrong")),
            browser.text("#wrong"),
        )
    browser.click(".head [role=columnheader]:nth-child(10) button")
    settle(browser)
    order = sorted(lows, key=lambda run: lows[run])
    check("sorted by a heading", runs_shown(browser)[: len(order)] == order, runs_shown(browser))
    check(
        "and it says so",
        browser.run("return document.querySelectorAll('.head [role=columnheader]')[9].getAttribute('aria-sort')")
        == "ascending",
    )
    browser.click(".head [role=columnheader]:nth-child(10) button")
    settle(browser)
    check("and back", runs_shown(browser)[: len(order)] == order[::-1], runs_shown(browser))
    go(browser, server.url, "#/runs?group=1")
    groups = browser.texts(".row.group")
    check(
        "grouped by sweep",
        len(groups) == 2 and groups[0].startswith("▾ sweep0: 12 runs: ") and "best valid_cost" in groups[0],
        groups,
    )
    browser.click(".row.group")
    settle(browser)
    check("a sweep is folded", runs_shown(browser) == list(range(13, 25)), runs_shown(browser))
    go(browser, server.url, "#/runs?cols=run,name,host")
    check("chosen columns", browser.texts(".head [role=columnheader]")[1:] == ["run", "name", "host"])
    browser.click(".chooser summary")
    browser.wait("document.querySelector('.sheet label')")
    check("what can be chosen", "Of every run" in browser.text(".sheet"), browser.text(".sheet"))
    browser.run("[...document.querySelectorAll('.sheet label')].find(l => l.innerText === 'train_cost@last').click()")
    settle(browser)
    check(
        "a column is added",
        browser.texts(".head [role=columnheader]")[1:] == ["run", "name", "host", "train_cost"],
        browser.texts(".head [role=columnheader]"),
    )


def run_view(browser, server):
    whole = server.get("runs/3")
    go(browser, server.url, "#/run/3")
    text = browser.text("main")
    check(
        "facts",
        all(word in text for word in (whole["command"], whole["job"]["cwd"], "sweep0", "box", "exit 1", "failed")),
        text,
    )
    pairs = browser.probe("lines", "[aria-label=Parameters] tr")
    check("parameters", {k: number(v) if number(v) is not None else v for k, v in pairs} == whole["params"], pairs)
    check(
        "the log's end, as text",
        browser.text(".log pre").rstrip().endswith("ValueError: no such layer")
        and "\x1b" not in browser.text(".log pre")
        and "10%" not in browser.text(".log pre"),
        browser.text(".log pre")[-300:],
    )
    check(
        "events",
        "nan: train_cost is NaN" in browser.text("[aria-label=Events]")
        and "error" in browser.text("[aria-label=Events]"),
        browser.text("[aria-label=Events]"),
    )
    check(
        "a chart a meaning",
        browser.texts("[aria-label=Curves] figcaption") == ["cost", "acc", "error"],
        browser.texts("[aria-label=Curves] figcaption"),
    )
    check(
        "with its curves",
        "2 curves, 400 points" in browser.attribute(".charts canvas[role=img]", "aria-label"),
    )
    check(
        "bars of what has a common beginning",
        sorted(browser.texts(".bars th")) == ["colour", "position", "shape", "size"],
        browser.texts(".bars th"),
    )
    browser.wait("document.querySelectorAll('[aria-label=Resources] figure').length >= 3")
    diff = server.get("diff?a=%d&b=3" % whole["good"])["rows"]
    browser.wait("document.querySelector('.diff tbody tr')")
    check(
        "a failed run against the last good one",
        sorted(browser.texts(".diff tbody th")) == sorted(row["what"] for row in diff),
        browser.texts(".diff tbody th"),
        diff,
    )
    browser.type(".diff input", "4")
    browser.keys("Enter")
    browser.wait("document.querySelector('.diff thead')?.innerText.includes('run 4')")
    check("against another run", "lr" in browser.text(".diff tbody"))
    history = server.get("runs/3/history?points=1000")["series"]["valid_cost"]
    browser.run("document.querySelector('.charts canvas[role=img]').focus()")
    browser.keys("Home", "\ue012", "\ue012")
    label = browser.run("return document.activeElement.getAttribute('aria-label')")
    value = re.search(r"epoch (\d+): (\S+)$", label)
    at = history["epoch"].index(int(value[1])) if value else None
    series = server.get("runs/3/history?points=1000")["series"][label.split(":")[0]]["y"]
    check(
        "the values under the cross",
        value and (number(value[2]) != number(value[2]) or abs(number(value[2]) - number(str(series[at]))) < 1e-5),
        label,
    )
    go(browser, server.url, "#/run/99")
    check("a run that is not there", "there is no run 99" in browser.text("main"), browser.text("main"))
    go(browser, server.url, "#/run/22")
    check("a run that waits", "No values yet." in browser.text("main") and "queued" in browser.text("main"))
    check(
        "no NaN of its own making",
        "undefined" not in browser.text("main") and "NaN" not in browser.text("main"),
        browser.text("main"),
    )


def compare_view(browser, server):
    go(browser, server.url, "#/runs")
    browser.keys("x", "j", "x", "j", "x", "c")
    browser.wait("location.hash.startsWith('#/compare?runs=1-3') && document.querySelector('.legend button')")
    settle(browser)
    names = browser.texts(".legend button")
    check(
        "the legend names what differs",
        len(names) == 3
        and all(re.fullmatch(r"%d activation=\w+ lr=\S+ clip=\d+" % i, n) for i, n in enumerate(names, 1)),
        names,
    )
    label = browser.attribute(".chart canvas[role=img]", "aria-label")
    check("all curves are drawn", "3 curves, 600 points" in label and drawn(browser, ".chart canvas")[1] > 2000, label)
    whole = drawn(browser, ".chart canvas")
    browser.drag(".chart", (300, 100), (500, 250))
    settle(browser)
    check("dragging zooms", drawn(browser, ".chart canvas") != whole)
    browser.run("document.querySelector('.chart canvas[role=img]').dispatchEvent(new MouseEvent('dblclick'))")
    check("a double click shows all", drawn(browser, ".chart canvas") == whole)
    browser.wheel(".chart canvas[role=img]", -240)
    check("the wheel zooms", drawn(browser, ".chart canvas") != whole)
    browser.run("document.querySelector('.chart canvas[role=img]').focus()")
    browser.keys("0")
    check("0 shows all", drawn(browser, ".chart canvas") == whole)
    browser.click(".legend button")
    check(
        "a curve is hidden",
        drawn(browser, ".chart canvas") != whole and browser.attribute(".legend button", "aria-pressed") == "false",
    )
    browser.click(".legend button")
    check("and shown", drawn(browser, ".chart canvas") == whole)
    browser.click(".controls input[type=checkbox]")
    browser.wait("location.hash.includes('log=1')")
    check("on a logarithmic scale", drawn(browser, ".chart canvas") != whole)
    api = server.get("curves?runs=1-3&y=valid_cost&x=time&points=1000")["curves"]
    for axis in ("time", "step", "epoch"):
        script = "const s = document.querySelectorAll('.controls select')[1]; s.value = arguments[0];"
        browser.run(script + "s.dispatchEvent(new Event('change'))", axis)
        settle(browser)
        check(
            "along " + axis,
            "against " + axis in browser.attribute(".chart canvas[role=img]", "aria-label"),
        )
    check("the API has them", [c["run"] for c in api] == [1, 2, 3])
    go(browser, server.url, "#/compare?runs=5")
    browser.wait("document.querySelector('.legend button')")
    gap = browser.probe("gap", ".chart canvas", [0, 114, 178])
    check("NaN leaves a gap", 40 < gap < 70, gap)
    go(browser, server.url, "#/compare?runs=1-12&view=table")
    check("the table", runs_shown(browser) == list(range(1, 13)) and "activation" in browser.text(".head"))
    for view, canvas in (("scatter", ".chart canvas"), ("parallel", ".parallel canvas")):
        go(browser, server.url, "#/compare?runs=1-12&view=" + view)
        check(view, drawn(browser, canvas)[1] > 500, drawn(browser, canvas))
    go(browser, server.url, "#/compare?runs=1-3&view=bars")
    first = [[name, *values.split()] for name, values in browser.probe("lines", ".bars tr")]
    rows = server.get("runs")["runs"][:3]
    names = sorted(
        (name for name in rows[0]["metrics"] if name.startswith("error/")),
        key=lambda name: -rows[0]["metrics"][name]["last"],
    )
    check(
        "bars by their numbers",
        [line[0] for line in first] == [name[6:] for name in names]
        and [number(v) for v in first[0][1:]] == [round(row["metrics"][names[0]]["last"], 6) for row in rows],
        first,
    )
    go(browser, server.url, "#/compare?runs=500")
    check("runs that are not there", "There is no run 500." in browser.text("main"))


def other_views(browser, server):
    hosts = server.get("hosts")["hosts"]
    go(browser, server.url, "#/hosts")
    text = browser.text("main")
    check(
        "hosts",
        hosts
        and all(host["host"] in text for host in hosts)
        and "GPU 0 NVIDIA box" in text
        and "21G of 24G" in text
        and "40G of 64G" in text
        and "12G free" in text,
        text,
    )
    meters = browser.value(
        "[...document.querySelectorAll(arguments[0])].map(m => m.ariaLabel + ' ' + m.ariaValueNow)", "[role=meter]"
    )
    check("gauges", "RAM 62" in meters or "RAM 63" in meters, meters)
    queue = server.get("queue")["queue"]
    go(browser, server.url, "#/queue")
    lines = browser.probe("lines", "tbody tr")
    check(
        "the queue, in order",
        [int(line[1]) for line in lines] == [entry["run"] for entry in queue]
        and all(entry["waits"] == line[4] for entry, line in zip(queue, lines)),
        lines,
        queue,
    )


def views(directory):
    """Each view renders what the API says."""
    with page(directory, "small") as (browser, server):
        runs_view(browser, server)
        run_view(browser, server)
        compare_view(browser, server)
        other_views(browser, server)


if __name__ == "__main__":
    import scenes

    scenario = sys.argv[1]
    begun = time.monotonic()
    (views if scenario == "views" else getattr(scenes, scenario))(os.path.abspath(sys.argv[2]))
    print("done %s in %.1f s" % (scenario, time.monotonic() - begun))
