"""Spools for tests, written as man/nn-spool.5 says, without running anything: spools.py KIND DIR.

small    runs in every state, of two sweeps, with curves, a log, events, a host; what a page can show at all
curves   200 runs of 1,000 points
many     10,000 runs that have ended
hostile  runs whose every text tries to become markup"""

import json
import math
import os
import random
import sys
import time

BASE = 1795000000
GIB = 2**30
RUNNER = "box,6e3ef72f,4026531836,99999999,1"
HOSTILE = [
    "<script>window.hit=1</script>",
    "<img src=x onerror=window.hit=2>",
    '"><svg onload=window.hit=3>',
    "'><iframe src=javascript:window.hit=4></iframe>",
    "javascript:window.hit=5",
    "{{window.hit=6}}${window.hit=6}",
    "</title></textarea></style><body onload=window.hit=7>",
    "\u202eevil\u2066<b>\u0000\u001b[31m&lt;i&gt;&amp;",
    "__proto__",
    "constructor",
    "a\nb\tc",
    "-1 <!-- ",
    "\u2028x\u2029",
    "x" * 3000,
]


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + ".%03dZ" % (seconds % 1 * 1000)


def plain(value):
    """NaN and infinities as the spool has them."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def summary(values):
    sound = [v for v in values if not math.isnan(v)]
    found = {
        "first": values[0],
        "last": values[-1],
        "min": min(sound, default=math.nan),
        "max": max(sound, default=math.nan),
    }
    return {key: plain(value) for key, value in found.items()}


class Spool:
    """A spool that is being written."""

    def __init__(self, directory):
        self.dir = directory
        for name in "runs queued held submitted running done failed cancelled hosts code mail tmp".split():
            os.makedirs(os.path.join(directory, name), mode=0o700, exist_ok=True)
        os.chmod(directory, 0o700)
        self.write("version", "1\n")

    def write(self, path, text):
        with open(os.path.join(self.dir, path), "w", encoding="utf-8", newline="") as file:
            file.write(text)

    def add(self, run, state="done", how=None, job=None, history=None, log=None, events=(), note=None, host="box"):
        """One run; history: {name: values}, a value an epoch."""
        os.mkdir(os.path.join(self.dir, "runs/%d" % run), 0o700)
        job = {"argv": ["./train"], "cwd": "/home/me", "added": stamp(BASE + run * 60), **(job or {})}
        self.write("runs/%d/job.json" % run, json.dumps(job) + "\n")
        if note is not None:
            self.write("runs/%d/labels.json" % run, json.dumps({"note": note, "tags": ["paper"]}) + "\n")
        start, length = BASE + run * 60 + 5, max(map(len, history.values()), default=0) if history else 0
        if state in ("running", "done", "failed", "cancelled"):
            attempt = {
                "attempt": 1,
                "generation": 1,
                "host": host,
                "worker": RUNNER,
                "runner": RUNNER,
                "pid": 99999998,
                "start": 1,
                "started": stamp(start),
            }
            self.write("runs/%d/attempt.json" % run, json.dumps(attempt) + "\n")
        if state in ("done", "failed", "cancelled"):
            metrics = {name: summary(values) for name, values in (history or {}).items()}
            result = {
                "generation": 1,
                "state": state,
                "attempt": 1,
                "started": stamp(start),
                "ended": stamp(start + length),
                "duration": length + 0.5,
                "exit": 1 if how else 0,
                "metrics": metrics,
            }
            self.write("runs/%d/result.json" % run, json.dumps(result) + "\n")
        if history:
            lines = [
                json.dumps(
                    {
                        "t": stamp(start + i),
                        "epoch": i + 1,
                        **{name: plain(values[i]) for name, values in history.items() if i < len(values)},
                    }
                )
                for i in range(length)
            ]
            self.write("runs/%d/history.jsonl" % run, "\n".join(lines) + "\n")
        if log is not None:
            self.write("runs/%d/log" % run, log)
        if events:
            self.write(
                "runs/%d/events.jsonl" % run,
                "".join(json.dumps({"t": stamp(start + i), **event}) + "\n" for i, event in enumerate(events)),
            )
        token = {"queued": "5-%07d.1", "held": "5-%07d.1", "running": "%07d.1~" + RUNNER + "~" + RUNNER + "~s"}.get(
            state, "%07d.1"
        ) % run
        self.write("%s/%s" % (state, token + ("~" + how if how else "")), "")

    def host(self, name="box"):
        gpus = [
            {
                "index": i,
                "uuid": "GPU-%d" % i,
                "name": "NVIDIA " + name,
                "memory": 24 * GIB,
                "memory_used": (21 - 20 * i) * GIB,
                "utilisation": 93 - 90 * i,
                "temperature": 71,
            }
            for i in range(2)
        ]
        sample = {
            "t": stamp(time.time()),
            "host": name,
            "boot": "6e3ef72f",
            "cores": 16,
            "cpu_percent": 850,
            "load": [8.5, 8, 7],
            "ram": 64 * GIB,
            "ram_available": 24 * GIB,
            "disk_free": 12 * GIB,
            "gpus": gpus,
        }
        self.write("hosts/%s.json" % "".join(c for c in name if c.isalnum())[:40], json.dumps(sample) + "\n")


def curve(rate, epochs, floor=0.2):
    return [round(floor + 2 * math.exp(-e * rate) + random.random() * 0.05, 6) for e in range(epochs)]


def sweep(run):
    """The job of a run in a sweep."""
    activation, rate, clip = ["linear", "tanh", "relu"][run % 3], 10.0 ** -(1 + run % 4), [20, 0][run % 2]
    argv = ["./train", "-a", activation, "-lr", "%g" % rate, "-clip", str(clip)]
    params = {"activation": activation, "lr": rate, "clip": clip, "hidden": 64}
    return {"argv": argv, "params": params, "name": "rnn-%s-%g" % (activation, rate), "group": "sweep%d" % (run // 13)}


def empty(_):
    """Nothing."""


def small(spool):
    states = ["done", "done", "done", "failed", "done", "cancelled"]
    for run in range(1, 25):
        job, state = sweep(run), (
            states[run % 6] if run < 19 else "running" if run < 21 else "queued" if run < 24 else "held"
        )
        if state in ("queued", "held"):
            spool.add(
                run, state, job={**job, "needs": {"gpus": 1, "ram": "16G"}, **({"after": [19]} if run == 23 else {})}
            )
            continue
        rate, epochs = job["params"]["lr"] * 10 / 3, 66 if state == "running" else 200
        history = {
            "train_cost": curve(rate, epochs, 0.1),
            "valid_cost": curve(rate, epochs),
            "valid_acc": [1 - min(1, v / 3) for v in curve(rate, epochs)],
        }
        if state == "failed":
            history["train_cost"][-3:] = [math.nan] * 3
        if run == 5:
            history["valid_cost"][30:40] = [math.nan] * 10
        for i, feature in enumerate(["size", "colour", "position", "shape"]):
            history["error/" + feature] = [0.1 * (i + 1) + 0.01 * run]
        log = "".join(
            "\x1b[32mepoch\x1b[0m %d: 10%%\repoch=%d valid_cost=%.4f\n" % (e, e, 1 / (e + 1)) for e in range(2000)
        )
        events = [{"event": "started", "attempt": 1, "host": "box"}]
        if state == "failed":
            log += "Traceback (most recent call last):\nValueError: no such layer\n"
            events.append(
                {
                    "event": "judged",
                    "run": run,
                    "attempt": 1,
                    "level": "error",
                    "detector": "nan",
                    "metric": "train_cost",
                    "at": {"epoch": 198},
                    "why": "train_cost is NaN",
                    "evidence": {},
                }
            )
        spool.add(
            run,
            state,
            "exit,1" if state == "failed" else None,
            job,
            history,
            log,
            events,
            "try a longer schedule" if run % 9 == 0 else None,
        )
        samples = [
            {
                "t": stamp(BASE + i * 10),
                "attempt": 1,
                "cpu": i * 5,
                "cpu_percent": 100 + i % 9,
                "rss": (2 + i / 100) * GIB,
                "gpus": [{"uuid": "GPU-0", "memory": 20 * GIB, "utilisation": 90}],
            }
            for i in range(100)
        ]
        spool.write("runs/%d/resources.jsonl" % run, "".join(json.dumps(sample) + "\n" for sample in samples))
    spool.host()


def curves(spool):
    for run in range(1, 201):
        spool.add(run, job=sweep(run), history={"train_cost": curve(0.01, 1000, 0.1), "valid_cost": curve(0.01, 1000)})


def many(spool):
    for run in range(1, 10001):
        value = 1 / run
        spool.add(
            run,
            "failed" if run % 10 == 0 else "done",
            "exit,1" if run % 10 == 0 else None,
            {**sweep(run), "group": "sweep%d" % (run // 500)},
            None if run % 2 else {"valid_cost": [2.0, value], "train_cost": [2.0, value]},
        )


def hostile(spool):
    for run, text in enumerate(HOSTILE, 1):
        params = {text: text, "lr": text, "n": run}
        job = {
            "argv": ["sh", "-c", text],
            "cwd": "/" + text.replace("\0", ""),
            "name": text.replace("\0", "")[:150],
            "group": text,
            "params": params,
            "tags": [text],
            "needs": {"gpus": 1},
        }
        history = {
            name: [1.0, 0.5, float(run)] for name in (text, "valid_" + text, "error/" + text, "error/b", "error/c")
        }
        events = [
            {
                "event": "judged",
                "run": run,
                "level": "error",
                "detector": text,
                "metric": text,
                "why": text,
                "evidence": {text: text},
            },
            {"event": text, text: text},
        ]
        spool.add(
            run,
            "failed",
            "exit,1",
            job,
            history,
            text + "\n" + "\x1b]0;" + text + "\x07" + text * 3 + "\r" + text + "\n",
            events,
            text,
            host=text,
        )
        spool.write(
            "runs/%d/facts.json" % run,
            json.dumps(
                {"host": {"name": text}, "git": {"commit": text, "branch": text}, text: [text, text + "==" + text]}
            ),
        )
    spool.add(
        len(HOSTILE) + 1, "queued", job={"name": HOSTILE[0], "params": {HOSTILE[1]: HOSTILE[2]}, "needs": {"gpus": 1}}
    )
    for text in HOSTILE[:4]:
        spool.host(text)


if __name__ == "__main__":
    random.seed(1)
    {"small": small, "curves": curves, "many": many, "hostile": hostile}[sys.argv[1]](Spool(sys.argv[2]))
