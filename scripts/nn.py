"""Talk to nn-tools from Python: one file, Python 2.7 and 3, nothing but the standard library. See nn.py(3).

    import nn
    p = nn.params(lr=0.1)                      # the run's parameters, with defaults
    if nn.resume(): load(nn.resume())          # the newest complete checkpoint of a former attempt
    nn.log(epoch=3, valid_cost=0.12)           # a point in the history
    with nn.saving("epoch-3.npz") as path: save(path)
    for run in nn.runs("done"): print(run["number"], run["params"], nn.history(run["number"])[-1])

Outside a run log() does nothing and the others give what they can, so a script need not know where it runs. The files are
those of nn-spool(5).
"""
from __future__ import print_function

import contextlib
import errno
import io
import json
import math
import os
import re
import sys
import threading
import time

__all__ = ["log", "params", "checkpoint", "saving", "resume", "runs", "history", "frame", "run", "run_dir", "spool"]

COUNTERS = ("epoch", "step", "batch", "batches", "iter")
STATES = ("queued", "held", "submitted", "running", "done", "failed", "cancelled")
_KEPT = 4 << 20  # bytes kept while a disk is full
_lock = threading.Lock()
_waiting = {}  # by file: bytes that were refused
_told = []
try:
    _texts, _whole = (basestring,), (int, long)  # Python 2
except NameError:
    _texts, _whole = (str,), (int,)


# ---- inside a run ----


def run():
    """The number of the run this is called in, or None."""
    number = os.environ.get("NN_RUN", "")
    return int(number) if number.isdigit() else None


def run_dir(number=None):
    """The directory of a run; without a number, of the one this is called in. None outside of any."""
    if number is None:
        directory = os.environ.get("NN_RUN_DIR")
        if directory:
            return directory
        number = run()
    return None if number is None else os.path.join(spool(), "runs", str(number))


def params(**defaults):
    """The parameters of the run as a dict, over these defaults."""
    found = dict(defaults)
    path = os.environ.get("NN_PARAMS")
    if path:
        with io.open(path, encoding="utf-8") as f:
            found.update(json.load(f))
    return found


def checkpoint(name):
    """The path for a checkpoint of this name: in the run's own directory for them, or in the current one."""
    directory = os.environ.get("NN_CHECKPOINTS")
    if not directory:
        return name
    _make(directory)
    return os.path.join(directory, name)


@contextlib.contextmanager
def saving(name):
    """A path to write to, which gets its name when all is written: so a checkpoint is never seen half."""
    path = checkpoint(name)
    parts = os.path.split(path)
    # The ending stays the last: numpy and others add theirs to a name without.
    unfinished = os.path.join(parts[0], ".tmp-%d-%s" % (os.getpid(), parts[1]))
    try:
        yield unfinished
        with open(unfinished, "rb+") as f:
            os.fsync(f.fileno())
        os.rename(unfinished, path)
    except BaseException:
        try:
            os.unlink(unfinished)
        except OSError:
            pass
        raise


def resume():
    """The newest complete checkpoint of a former attempt of this run, or None: begin anew."""
    return os.environ.get("NN_CHECKPOINT") or None


def log(*points, **values):
    """Records values, and the counters (epoch, step, batch, batches, iter) that say where they stand.

    Names that are no Python names go into a dict: log({"norm/fc1": 3.2}, epoch=3). True: it is on record, or will be when
    the disk has room again. False: this is not called in a run. A value that is no number is a mistake of the program, and
    raises TypeError or ValueError; what a disk refuses never stops a training.
    """
    members = {}
    for point in points:
        members.update(point)
    members.update(values)
    line = _line(members)
    directory = run_dir()
    if directory is None:
        return False
    with _lock:
        _append(os.path.join(directory, "history.%s.jsonl" % _host()), line)
    return True


def _line(members):
    for name, value in members.items():
        bad = not isinstance(name, _texts) or not name or name == "t" or len(name.encode("utf-8")) > 200
        if bad or re.search(u"[\\s\\x00-\\x1f\\x7f-\\x9f]", name, re.U):
            raise ValueError("%r cannot name a value" % (name,))
        if name in COUNTERS and not _is_finite(value):
            raise ValueError("%s is a counter and cannot be %r" % (name, value))
    names = [name for name in COUNTERS if name in members]
    measured = sorted(name for name in members if name not in COUNTERS)
    if not measured:
        raise ValueError("nothing but counters: what was measured?")
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + ".%03dZ" % (now % 1 * 1000)
    pairs = ['"t":"%s"' % stamp]
    pairs += ["%s:%s" % (json.dumps(name), _number(name, members[name])) for name in names + measured]
    return ("{" + ",".join(pairs) + "}\n").encode("ascii")


def _is_finite(value):
    value = float(value)
    return not math.isnan(value) and not math.isinf(value)


def _number(name, value):
    if isinstance(value, _whole) and not isinstance(value, bool) and abs(value) < 1 << 53:
        return "%d" % value
    if isinstance(value, _texts):
        raise TypeError("%s: %r is text, not a number" % (name, value))
    try:
        value = float(value)  # of numpy, Theano, PyTorch as well
    except (TypeError, ValueError):
        raise TypeError("%s: %r is not a number" % (name, value))
    if math.isnan(value):
        return '"NaN"'
    if math.isinf(value):
        return '"Infinity"' if value > 0 else '"-Infinity"'
    return repr(value)


def _host():
    try:
        with open("/proc/sys/kernel/hostname") as f:
            name = f.read().strip()
    except IOError:
        name = ""
    name = re.sub("[^A-Za-z0-9.]", "-", name)[:60].lstrip(".") or "localhost"
    return re.sub("[^A-Za-z0-9_-]", "_", name)


def _append(path, line):
    """Whole lines in one write; a torn last line is closed; what is refused is kept for the next time."""
    waiting = _waiting.get(path, b"")
    if len(waiting) < _KEPT:
        waiting += line
    try:
        mode = 0o660 if os.stat(os.path.dirname(path)).st_mode & 0o020 else 0o600
        fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, mode)
        try:
            size = os.fstat(fd).st_size
            if size == 0 and mode == 0o660:
                os.chmod(path, mode)
            if size > 0 and path not in _waiting:
                os.lseek(fd, -1, os.SEEK_END)
                if os.read(fd, 1) != b"\n":
                    waiting = b"\n" + waiting
            while waiting:
                waiting = waiting[os.write(fd, waiting):]
        finally:
            os.close(fd)
        _waiting.pop(path, None)
    except (IOError, OSError) as err:
        _waiting[path] = waiting
        if not _told:
            _told.append(path)
            print("nn.py: cannot write %s: %s" % (path, err.strerror), file=sys.stderr)


def _make(directory):
    try:
        os.mkdir(directory, 0o700)
    except OSError as err:
        if err.errno != errno.EEXIST:
            raise


# ---- what is on record ----


def spool():
    """The spool: $NN_SPOOL, else the setting of the config file, else ~/.nn."""
    if os.environ.get("NN_SPOOL"):
        return os.environ["NN_SPOOL"]
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    try:
        with io.open(os.path.join(config, "nn", "config"), encoding="utf-8") as f:
            for text in f:
                key, _, value = text.partition("=")
                if key.strip() == "spool" and value.strip():
                    return os.path.expanduser(value.strip())
    except (IOError, OSError):
        pass
    return os.path.expanduser("~/.nn")


def runs(*states):
    """The runs, in the order of their numbers, as dicts: number, state, how, name, group, params, note, dir; of these states only."""
    seen = {}
    # What moves forward is seen at least once; of two tokens of one run the more advanced is the truth.
    for rank, state in enumerate(STATES):
        for token in _names(os.path.join(spool(), state)):
            match = re.match(r"(?:\d-)?(\d+)\.(\d+)(?:~(.*))?$", token)
            if match:
                number, key = int(match.group(1)), (int(match.group(2)), rank)
                if number not in seen or seen[number][0] < key:
                    seen[number] = (key, state, match.group(3))
    found = []
    for number in sorted(seen):
        state, how = seen[number][1:]
        if not states or state in states:
            job = _json(os.path.join(run_dir(number), "job.json")) or {}
            labels = _json(os.path.join(run_dir(number), "labels.json")) or {}
            found.append({
                "number": number, "state": state, "how": how if state == "failed" else None, "name": job.get("name"),
                "group": job.get("group"), "params": job.get("params", {}), "note": labels.get("note", job.get("note")),
                "dir": run_dir(number),
            })
    return found


def history(number=None):
    """The points of a run as dicts, in the order of time: "t" (text) and numbers.

    Without a number, of the run this is called in. What a later attempt did again is there once, as the later one had it.
    """
    directory = run_dir(number)
    if directory is None:
        return []
    names = sorted(n for n in _names(directory) if n == "history.jsonl" or re.match(r"history\..*\.jsonl$", n))
    points = []
    for name in names:
        points += [(at, name, point) for at, point in _points(os.path.join(directory, name))]
    for seam in _seams(directory):
        points = seam.join(points)
    points.sort(key=lambda p: p[2].get("t", ""))
    return [point for _, _, point in points]


def frame(*numbers):
    """The histories of runs as a pandas DataFrame, with the column "run"; needs pandas."""
    import pandas

    rows = []
    for number in numbers or [r["number"] for r in runs()]:
        rows += [dict(point, run=number) for point in history(number)]
    table = pandas.DataFrame(rows)
    if "t" in table:
        table["t"] = pandas.to_datetime(table["t"])
    return table


def _names(directory):
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _json(path):
    try:
        with io.open(path, encoding="utf-8") as f:
            return json.load(f)
    except (IOError, OSError, ValueError):
        return None


_NOT_FINITE = {"NaN": "nan", "nan": "nan", "Infinity": "inf", "inf": "inf", "-Infinity": "-inf", "-inf": "-inf"}


def _points(path):
    """The points of a file, each with the byte it begins at; lines that are none, and a torn last one, are passed over."""
    at = 0
    with open(path, "rb") as f:
        for line in f:
            try:
                members = json.loads(line.decode("utf-8")) if line.endswith(b"\n") else None
            except ValueError:
                members = None
            if isinstance(members, dict):
                point = {}
                for name, value in members.items():
                    if name == "t" and isinstance(value, _texts):
                        point[name] = value
                    elif isinstance(value, _texts) and value in _NOT_FINITE:
                        point[name] = float(_NOT_FINITE[value])
                    elif isinstance(value, _whole + (float,)) and not isinstance(value, bool):
                        point[name] = value
                yield at, point
            at += len(line)


class _Seam(object):
    """Where a later attempt begins in each file, and what of the attempts before it replaces: resumed.jsonl, nn-spool(5)."""

    def __init__(self, line):
        self.starts, self.resumed = line["history"], line.get("checkpoint") is not None

    def join(self, points):
        own = [p for at, name, p in points if at >= self.starts.get(name, 0)]
        first = []
        for place in filter(None, map(_place, own)):
            for i, known in enumerate(first):
                order = _compare(place, known)
                if order is not None:
                    if order < 0:
                        first[i] = place
                    break
            else:
                first.append(place)

        def stays(point):
            place = _place(point)
            if place is None:
                return self.resumed or not own
            return not any((_compare(place, known) or 0) >= 0 for known in first if _compare(place, known) is not None)

        return [(at, name, p) for at, name, p in points if at >= self.starts.get(name, 0) or stays(p)]


def _seams(directory):
    found = []
    try:
        with io.open(os.path.join(directory, "resumed.jsonl"), encoding="utf-8") as f:
            for line in f:
                try:
                    found.append(_Seam(json.loads(line)))
                except (ValueError, KeyError, TypeError, AttributeError):
                    pass  # torn by a crash
    except (IOError, OSError):
        pass
    return found


def _place(point):
    place = dict((name, point[name]) for name in ("step", "epoch", "batch", "iter") if name in point)
    return place or None


def _compare(a, b):
    """-1, 0, 1, or None where the places cannot be compared. An epoch without a batch stands for all of the epoch."""
    for name in ("step", "epoch", "iter", "batch"):
        if name in a and name in b:
            order = (a[name] > b[name]) - (a[name] < b[name])
            if name == "epoch" and order == 0 and "batch" in a and "batch" in b:
                return (a["batch"] > b["batch"]) - (a["batch"] < b["batch"])
            return order
    return None
