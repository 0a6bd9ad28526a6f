# nn.py outside of any run: what it reads is what nn-log and nn-queue say.
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ["TESTS"], "..", "scripts"))
sys.dont_write_bytecode = True
import nn

assert nn.run() is None and nn.log(cost=1) is False and nn.resume() is None and nn.history() == []
assert nn.params(lr=1) == {"lr": 1} and nn.checkpoint("a.npz") == "a.npz"
with nn.saving("b.txt") as path:
    open(path, "w").close()
assert os.path.exists("b.txt") and not [n for n in os.listdir(".") if n.startswith(".tmp-")]
try:
    with nn.saving("c.txt") as path:
        open(path, "w").close()
        raise KeyError
except KeyError:
    assert not os.path.exists("c.txt") and not [n for n in os.listdir(".") if n.startswith(".tmp-")]

runs = nn.runs()
assert [(r["number"], r["state"], r["name"]) for r in runs] == [(1, "done", "py"), (2, "failed", None), (3, "queued", None)], runs
assert runs[0]["params"] == {"lr": 0.5, "name": "x"} and runs[1]["how"] == "exit,3" and runs[2]["how"] is None
assert [r["number"] for r in nn.runs("failed", "queued")] == [2, 3]


def same(a, b):
    return a == b or (a != a and b != b)


def number(value):
    return float({"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}.get(value, value))


assert nn.history(3) == []
for run in (1, 2):
    told = subprocess.check_output(["nn-log", "export", str(run)]).decode("utf-8").splitlines()
    points = nn.history(run)
    assert len(told) == len(points), (run, len(told), len(points))
    # Points of one millisecond may stand in any order.
    key = lambda p: (p.get("t"), sorted((k, repr(number(v))) for k, v in p.items() if k not in ("t", "run")))
    for line, point in zip(sorted((json.loads(l) for l in told), key=key), sorted(points, key=key)):
        line.pop("run")
        assert set(line) == set(point), (line, point)
        assert all(k == "t" or same(number(v), float(point[k])) for k, v in line.items()), (line, point)
history = nn.history(1)
epochs = [(p["epoch"], p["attempt"]) for p in history if "cost" in p]
assert epochs == [(1, 1), (2, 1), (3, 2), (4, 2), (5, 2)], epochs
odd = [p for p in history if "odd" in p][0]
assert odd["odd"] != odd["odd"] and odd["small"] == float("-inf") and odd["exact"] == 12345678901234
assert sum(1 for p in history if any(k.startswith("of/") for k in p)) == 400
try:
    import pandas  # noqa: F401
except ImportError:
    pass
else:
    assert len(nn.frame(1)) == len(history) and set(nn.frame(1)["run"]) == {1}
print("as nn-log and nn-queue say")
