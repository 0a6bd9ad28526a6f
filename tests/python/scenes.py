"""More of what a person sees of nn-web, see browser.py: a training as it goes on, much to show, hostile texts, a narrow
screen, keys, dark and light, an export, the token."""

import contextlib
import os
import re
import shutil
import subprocess
import time

import spools
from browser import NN, VIEWS, Server, check, drawn, go, page, picture, runs_shown, settle
from webdriver import Browser

TRAIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts/demo/train")


def queue(server, name):
    command = ["nn-queue", "add", "-n", name, "--", "echo", name]
    subprocess.run(command, env={**NN, "NN_SPOOL": server.spool}, check=True, stdout=subprocess.DEVNULL)


def live(directory):
    """A training is seen as it goes on: its row, curves, log; and a server that was away for a while."""
    with page(directory, "empty") as (browser, server):
        browser.go(server.url)
        browser.wait("document.body.innerText.includes('No runs yet')")
        browser.wait("document.querySelector('#live').innerText === 'live'")
        check("an empty spool says so, and is live", True)
        slow = '%s -lr 0.01 -epochs 120 | while IFS= read -r line; do echo "$line"; sleep 0.05; done' % TRAIN
        runner = subprocess.Popen(
            ["nn-run", "-q", "-n", "live", "-p", "lr=0.01", "-p", "epochs=120", "--", "sh", "-c", slow],
            env={**NN, "NN_SPOOL": server.spool},
        )
        browser.wait("document.querySelector('.row .state.running')")
        check("a run that starts is listed", runs_shown(browser) == [1])
        browser.keys("Enter")
        points = "Number(/, (\\d+) points/.exec(document.querySelector('.charts canvas[role=img]')?.ariaLabel)?.[1])"
        browser.wait("location.hash === '#/run/1' && %s > 10" % points)
        seen, log = browser.run("return " + points), len(browser.text(".log pre"))
        browser.wait(
            "%s > arguments[0] + 20 && document.querySelector('.log pre').innerText.length > arguments[1]" % points,
            seen,
            log,
        )
        check("its curves and its log grow", True)
        check("and it is running", browser.text(".standing").startswith("running"), browser.text(".standing"))
        picture(browser, "live")
        runner.wait(timeout=60)
        browser.wait("document.querySelector('.standing').innerText.startsWith('done')")
        whole = server.get("runs/1/history")["series"]
        browser.wait("%s === arguments[0]" % points, sum(len(s["y"]) for s in whole.values()))
        check(
            "at its end nothing is missing",
            browser.text(".log pre").rstrip().splitlines()[-1]
            == open(os.path.join(server.spool, "runs/1/log")).read().rstrip().splitlines()[-1],
        )
        lines = browser.text(".log pre").rstrip().splitlines()
        check(
            "nor twice",
            len(lines) == len(open(os.path.join(server.spool, "runs/1/log")).read().rstrip().splitlines()),
            len(lines),
        )
        browser.wait("document.querySelector('[aria-label=Events]').innerText.includes('ended')")
        address = re.search(r"//(.*)/", server.url)[1]
        server.stop()
        browser.wait("document.querySelector('#live').innerText.startsWith('away since')")
        check("a server that is away is noticed", True)
        queue(server, "later")
        server.start(address)
        browser.wait("document.querySelector('#live').innerText === 'live'")
        browser.complaints()
        browser.keys("Escape")
        browser.wait("document.querySelectorAll('.grid .row').length === 2")
        check("what happened meanwhile is there", runs_shown(browser) == [1, 2])
        hide = "Object.defineProperty(document, 'hidden', { value: %s, configurable: true });"
        browser.run(hide % "true" + "document.dispatchEvent(new Event('visibilitychange'))")
        queue(server, "unseen")
        time.sleep(2.5)
        check("a tab that nobody sees is told nothing", runs_shown(browser) == [1, 2])
        browser.run(hide % "false" + "document.dispatchEvent(new Event('visibilitychange'))")
        browser.wait("document.querySelectorAll('.grid .row').length === 3")
        check("and catches up", runs_shown(browser) == [1, 2, 3])
        browser.complaints()


def speed(directory):
    """200 runs of 1,000 points: filtered and compared within 200 ms of the page's own time."""
    with page(directory, "curves") as (browser, server):
        go(browser, server.url, "#/runs")
        filters = ("lr>0.01 activation=tanh", "valid_cost@min<1", "name~relu and clip=20")
        filtering = min(browser.probe("filtering", where) for where in filters)
        check("filtered within 200 ms", filtering < 200, filtering)
        times = []
        for _ in range(3):
            go(browser, server.url, "#/runs")
            times.append(browser.probe("comparing", "#/compare?runs=1-200", 200))
        total, server_took = min(times, key=lambda t: t[0] - t[1])
        label = browser.attribute(".chart canvas[role=img]", "aria-label")
        check("200 curves are drawn", "200 curves, 200,000 points" in label, label)
        check("compared within 200 ms, the server's reply aside", total - server_took < 200, times)
        drawing = min(browser.probe("drawing") for _ in range(4))
        check("drawn anew within 200 ms", drawing < 200, drawing)
        hover = max(browser.probe("pointing", x) for x in (200, 250, 290))
        picture(browser, "curves")
        print(
            "   filter %.0f ms; compare %.0f ms, of which the reply %.0f ms; draw %.0f ms; pointer %.1f ms"
            % (filtering, total, server_took, drawing, hover)
        )


def many(directory):
    """10,000 runs are listed within 500 ms of the page's own time, and scrolled without a long task."""
    with page(directory, "many") as (browser, server):
        server.get("runs")
        times = []
        for _ in range(3):
            browser.go("about:blank")
            browser.go(server.url)
            browser.wait("document.querySelectorAll('.grid .row').length > 10")
            times.append(browser.probe("listing"))
        reply, listed = min(times, key=lambda t: t[1])
        check("10,000 runs are listed within 500 ms", listed < 500, times)
        rows = browser.value("document.querySelectorAll('.grid .row').length")
        count = [browser.text(".total"), rows, browser.attribute(".grid", "aria-rowcount")]
        check(
            "all of them, of which few exist",
            count[0] == "10,000 runs" and count[1] < 80 and count[2] == "10001",
            count,
        )
        settle(browser)
        tries = [browser.probe("scrolling") for _ in range(3)]
        long, slowest = min(tries, key=lambda t: max(t[0], default=0))
        check("scrolled without a task of more than 50 ms", max(long, default=0) <= 50, tries)
        browser.keys("End")
        settle(browser)
        check(
            "to the last one",
            runs_shown(browser)[-1] == 10000 and browser.text(".row.cursor a") == "10000",
            runs_shown(browser),
        )
        filters = ("lr>0.01 state=failed", "valid_cost@min<0.001", "name~relu")
        filtering = min(browser.probe("filtering", where) for where in filters)
        browser.type("#where", "state=failed run>9950")
        settle(browser)
        check("filtered", runs_shown(browser) == [9960, 9970, 9980, 9990, 10000], runs_shown(browser))
        check("within 200 ms", filtering < 200, filtering)
        print(
            "   reply %.0f ms, listed %.0f ms after it; slowest frame %.0f ms; filter %.0f ms"
            % (reply, listed, slowest, filtering)
        )


def inert(browser, where):
    """Nothing of what was written by others has become markup, or run."""
    found = browser.probe("strange")
    check("inert: " + where, found == [None, None, 0, []], found)


def hostile(directory):
    """Names, parameters, notes, logs, hosts that try to become markup stay text; in the export as well."""
    with page(directory, "hostile") as (browser, server):
        for view in (
            VIEWS
            + [
                "#/runs?where=" + "%3Cimg%20src=x%20onerror=window.hit=9%3E",
                "#/compare?runs=%3Cscript%3E&y=%3Cb%3E",
                "#/run/%3Cimg%20src=x%3E",
                "#/runs?cols=%3Cb%3E,run,command,tags,dir&sort=__proto__",
                "#/constructor",
            ]
            + ["#/run/%d" % n for n in range(1, 16)]
        ):
            go(browser, server.url, view)
            browser.probe("unfold")
            settle(browser)
            inert(browser, view)
        go(browser, server.url, "#/run/2")
        check(
            "and are seen as what they are",
            browser.text("main").count("<img src=x onerror=window.hit=2>") >= 6,
            browser.text("main"),
        )
        check(
            "the log too",
            "<img src=x onerror=window.hit=2>" in browser.text(".log pre")
            and "\x1b" not in browser.run("return document.querySelector('.log pre').textContent"),
        )
    target = os.path.join(directory, "export")
    subprocess.run(["nn-web", "--export", target], env={**NN, "NN_SPOOL": os.path.join(directory, "spool")}, check=True)
    with page(directory, url="file://%s/" % target) as (browser, _):
        for view in VIEWS + ["#/run/1", "#/run/8", "#/run/14"]:
            go(browser, "file://%s/index.html" % target, view)
            inert(browser, "export " + view)


def narrow(directory):
    """390 px wide: no view scrolls sideways."""
    with page(directory, "small") as (browser, server):
        browser.size(390, 844, 2)
        for view in VIEWS:
            go(browser, server.url, view)
            wide, beyond = browser.probe("widths", 390)
            check("390 px: " + view, wide <= 390 and not beyond, wide, beyond)
            picture(browser, "narrow-%d" % VIEWS.index(view))


def keys(directory):
    """All without a mouse, and with names for those who do not see."""
    with page(directory, "small") as (browser, server):
        go(browser, server.url, "#/runs")
        at = "document.querySelector('.row.cursor a').innerText"
        browser.keys("j", "j", "Down", "k")
        check("j, k and the arrows move", browser.run("return " + at) == "3")
        browser.keys("x", "j", "Space")
        check("x and space select", browser.text(".picked").startswith("2 selected"), browser.text(".picked"))
        browser.keys("/", *"state=failed", "Enter")
        browser.wait("document.activeElement.className === 'grid'")
        check("/ filters, Enter goes to the table", runs_shown(browser) == [3, 9, 15], runs_shown(browser))
        browser.keys("Enter")
        browser.wait("location.hash.startsWith('#/run/')")
        browser.wait("document.querySelector('.standing')")
        check("Enter opens", True)
        browser.keys("Escape")
        browser.wait("location.hash.startsWith('#/runs?where=state=failed')")
        check("Esc goes back to what was filtered", True)
        for key, view in (("h", "hosts"), ("q", "queue"), ("c", "compare"), ("r", "runs")):
            browser.keys("g", key)
            browser.wait("location.hash.startsWith('#/%s')" % view)
        check("g goes to the views", True)
        browser.keys("?")
        browser.wait("document.querySelector('dialog[open]')")
        check("? tells the keys", "next, previous" in browser.text("dialog"))
        browser.keys("Escape")
        browser.wait("!document.querySelector('dialog')")
        for view in VIEWS:
            go(browser, server.url, view)
            nameless = browser.probe("nameless")
            check("everything has a name: " + view, not nameless, nameless)
            marks = browser.run(
                "return ['main', 'nav', 'header', 'h1'].filter(s => document.querySelectorAll(s).length !== 1)"
            )
            check("landmarks and one heading: " + view, not marks, marks)
        go(browser, server.url, "#/runs")
        order = []
        for _ in range(20):
            browser.keys("\ue004")
            order.append(browser.probe("focused"))
        check(
            "the focus is always seen",
            all(seen for name, seen in order if name != "body") and ["grid", True] in order,
            order,
        )


def dark(directory):
    """Dark and light as the system has it, or as was chosen; text can be read in both."""
    with page(directory, "small") as (browser, server):
        ground = "getComputedStyle(document.body).backgroundColor"
        browser.scheme("dark")
        for scheme in ("dark", "light"):
            browser.scheme(scheme)
            for i, view in enumerate(VIEWS):
                go(browser, server.url, view)
                is_dark = max(map(int, re.findall(r"\d+", browser.run("return " + ground))[:3])) < 80
                pale = browser.probe("pale")
                check("%s, with contrast: %s" % (scheme, view), is_dark == (scheme == "dark") and not pale, pale)
                picture(browser, "%s-%d" % (scheme, i))
        go(browser, server.url, "#/compare?runs=1-3")
        before = drawn(browser, ".chart canvas")
        browser.keys("d")
        check(
            "d turns it, the chart as well",
            browser.run("return document.documentElement.dataset.theme") == "dark"
            and drawn(browser, ".chart canvas") != before,
        )
        go(browser, server.url, "#/runs")
        check("and it stays", browser.run("return document.documentElement.dataset.theme") == "dark")


def export(directory):
    """Static files, opened without a server, show all views."""
    spool, target = os.path.join(directory, "spool"), os.path.join(directory, "export")
    spools.small(spools.Spool(spool))
    subprocess.run(["nn-web", "--export", target], env={**NN, "NN_SPOOL": spool}, check=True)
    shutil.rmtree(spool)
    base = "file://%s/index.html" % target
    with page(directory, url="file://%s/" % target) as (browser, _):
        go(browser, base, "#/runs?where=state=failed")
        check("runs, filtered", runs_shown(browser) == [3, 9, 15], runs_shown(browser))
        check("it says that it is a copy", browser.text("#live") == "a copy")
        go(browser, base, "#/run/3")
        browser.wait("document.querySelector('.diff tbody tr')")
        text = browser.text("main")
        check(
            "a run",
            all(word in text for word in ("rnn-linear-0.0001", "ValueError: no such layer", "train_cost is NaN")),
            text,
        )
        check(
            "its curves",
            "2 curves, 400 points" in browser.attribute(".charts canvas[role=img]", "aria-label"),
        )
        check("a difference", "param lr" in browser.texts(".diff tbody th"), browser.texts(".diff tbody th"))
        go(browser, base, "#/compare?runs=1-12")
        browser.wait("document.querySelectorAll('.legend li').length === 12")
        check("curves", drawn(browser, ".chart canvas")[1] > 3000)
        for view in VIEWS:
            go(browser, base, view)
            check(
                "copy: " + view,
                len(browser.text("main")) > 60 and "cannot be read" not in browser.text("main"),
                browser.text("main"),
            )
        check(
            "no button to change anything",
            browser.run(
                "return [...document.querySelectorAll('button')].filter(b => /cancel|hold/i.test(b.innerText)).length"
            )
            == 0,
        )


def secret(directory):
    """A file with the token."""
    token = os.path.join(directory, "token")
    with open(token, "w", encoding="ascii") as file:
        file.write("correct-horse-battery-staple\n")
    os.chmod(token, 0o600)
    return token


def actions(directory):
    """With the token, and only with it, runs are changed; the change comes back by itself."""
    token = secret(directory)
    with page(directory, "small", ("--token-file", token)) as (browser, server):
        go(browser, server.url, "#/run/22")
        button = "[...document.querySelectorAll('.top button')].find(b => b.innerText === '%s')"
        browser.run(button % "Hold" + ".click()")
        browser.type("dialog input", "wrong")
        browser.keys("Enter")
        browser.wait("document.querySelector('#said').className === 'bad'")
        check("a wrong token changes nothing", server.get("runs/22")["state"] == "queued")
        browser.run(button % "Hold" + ".click()")
        browser.type("dialog input", "correct-horse-battery-staple")
        browser.keys("Enter")
        browser.wait("document.querySelector('.standing').innerText.startsWith('held')")
        check("held", server.get("runs/22")["state"] == "held")
        browser.wait(button % "Release")
        browser.run(button % "Release" + ".click()")
        browser.wait("document.querySelector('.standing').innerText.startsWith('queued')")
        browser.run(button % "Note…" + ".click()")
        browser.type("dialog input", "<b>so</b> it is")
        browser.keys("Enter")
        browser.wait("document.querySelector('.note')?.innerText === '<b>so</b> it is'")
        check("released and noted, without the token again", True)
        browser.wait(button % "Cancel")
        browser.run(button % "Cancel" + ".click()")
        check(
            "to cancel is asked twice",
            browser.run("return Boolean(%s)" % (button % "Really cancel?"))
            and server.get("runs/22")["state"] == "queued",
        )
        browser.run(button % "Really cancel?" + ".click()")
        browser.wait("document.querySelector('.standing').innerText.startsWith('cancelled')")
        check("cancelled", server.get("runs/22")["state"] == "cancelled")


def hold(browser, server, go_on):
    """The checks of `redrawn`, on a run that does an epoch for each file `go_on`."""
    browser.go(server.url)
    browser.wait("document.querySelector('.row .state.running')")
    go(browser, server.url, "#/run/1")

    def anew(where):
        """Once more, at least, with the next epoch."""
        browser.run("document.querySelector(arguments[0]).dataset.old = 1", where)
        open(go_on, "w", encoding="ascii").close()
        browser.wait("document.querySelector(arguments[0]) && !document.querySelector(arguments[0]).dataset.old", where)

    button = "[...document.querySelectorAll('.top button')].find(b => b.innerText === '%s')"
    browser.wait(button % "Note…")
    browser.run(button % "Note…" + ".focus()")
    anew(".top h1")
    check("the focus stays", browser.run("return document.activeElement.innerText") == "Note…")
    found = "[...document.querySelectorAll('details')].find(d => d.innerText.startsWith('What was found'))"
    browser.run(found + ".querySelector('summary').click()")
    browser.wait(found + ".querySelector('tbody tr')")
    anew("[aria-label=Facts] dl")
    check("what was opened stays open", browser.run("return %s.open && %s.innerText.length" % (found, found)) > 100)
    browser.run("document.querySelector('.top h1').dataset.old = 1; " + button % "Cancel" + ".click()")
    open(go_on, "w", encoding="ascii").close()
    browser.wait("!document.querySelector('.top h1').dataset.old")
    check("what is asked once more stays asked", browser.run("return Boolean(%s)" % (button % "Really cancel?")))
    browser.wait(button % "Cancel")
    check("for a while", server.get("runs/1")["state"] == "running")

    go(browser, server.url, "#/compare?runs=1&y=loss")
    points = "Number(/, (\\d+) points/.exec(document.querySelector('.chart canvas[role=img]')?.ariaLabel)?.[1])"
    before = browser.wait(points)
    tab = "[...document.querySelectorAll('[role=tab]')].find(b => b.innerText === '%s').click()"
    browser.run(tab % "Table")
    browser.wait("document.querySelector('.view .grid .row')")
    anew(".view .grid")
    browser.run(tab % "Curves")
    browser.wait("%s > arguments[0]" % points, before)
    check("curves that were not looked at are drawn as they are now", True)

    go(browser, server.url, "#/hosts")
    browser.wait("document.querySelector('.host')")
    address = re.search(r"//(.*)/", server.url)[1]
    server.stop()
    browser.wait("document.querySelector('#live').innerText.startsWith('away since')")
    browser.run("location.hash = '#/queue'")
    browser.run("location.hash = '#/hosts'")
    browser.wait("document.querySelector('.machines [role=alert]')")
    check("what cannot be read is said", not browser.texts(".host"))
    server.start(address)
    browser.wait("document.querySelector('.machines .host')")
    check("and the hosts come back", not browser.texts(".machines [role=alert]"))
    browser.complaints()


def redrawn(directory):
    """What is drawn anew while a run goes on takes nothing out of the hands of whoever uses it."""
    token, go_on = secret(directory), os.path.join(directory, "spool", "go-on")
    # After each epoch it waits to be told to go on.
    script = """i=0; while :; do i=$((i+1)); echo epoch=$i loss=$i; until rm %s 2>/dev/null; do sleep 0.02; done; done""" % go_on
    with page(directory, "empty", ("--token-file", token)) as (browser, server):
        command = ["nn-run", "-q", "-n", "long", "--", "sh", "-c", script]
        runner = subprocess.Popen(command, env={**NN, "NN_SPOOL": server.spool})
        try:
            hold(browser, server, go_on)
        finally:
            runner.terminate()
            runner.wait(timeout=60)


def login(directory):
    """Where others can reach the server, reading asks for the token, once."""
    token = secret(directory)
    spools.small(spools.Spool(os.path.join(directory, "spool")))
    with contextlib.ExitStack() as stack:
        server = Server(directory, "--token-file", token, listen="0.0.0.0:0")
        stack.callback(server.stop)
        browser = Browser()
        stack.callback(browser.close)
        browser.size(1280, 800)
        url = "http://127.0.0.1:%s/" % server.url.rstrip("/").rsplit(":", 1)[1]
        browser.go(url)
        browser.type("dialog input", "wrong")
        browser.keys("Enter")
        browser.wait("document.querySelector('#said').innerText === 'That is not the token.'")
        check("a wrong token shows nothing", not browser.texts(".grid .row"))
        browser.type("dialog input", "correct-horse-battery-staple")
        browser.keys("Enter")
        browser.wait(
            "document.querySelectorAll('.grid .row').length >= 20 && document.querySelector('#live').innerText === 'live'"
        )
        check("the right one shows all", True)
        browser.go(url)
        browser.wait("document.querySelectorAll('.grid .row').length >= 20")
        check("and is not asked for again", not browser.texts("dialog"))
