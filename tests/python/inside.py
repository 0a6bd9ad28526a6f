# nn.py inside a run. The first attempt leaves a checkpoint and fails.
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.environ["TESTS"], "..", "scripts"))
sys.dont_write_bytecode = True
import nn


def refused(error, *points, **values):
    try:
        nn.log(*points, **values)
    except error:
        return
    raise AssertionError("not refused: %r %r" % (points, values))


assert nn.run() == int(os.environ["NN_RUN"]) and nn.run_dir() == os.environ["NN_RUN_DIR"]
assert nn.params(lr=7, momentum=0.9) == {"lr": 0.5, "name": "x", "momentum": 0.9}, nn.params()

first = 1
if nn.resume():
    assert open(nn.resume()).read() == "3", nn.resume()
    assert os.environ["NN_ATTEMPT"] == "2"
    first = 3
for epoch in range(first, 6):
    assert nn.log({"norm/fc.1": 2.5}, epoch=epoch, cost=1.0 / epoch, attempt=int(os.environ["NN_ATTEMPT"]))
    with nn.saving("epoch-%d.txt" % epoch) as path:
        with open(path, "w") as f:
            f.write(str(epoch))
    if first == 1 and epoch == 3:
        break
else:
    nn.log(odd=float("nan"), big=float("inf"), small=float("-inf"), whole=2**60, exact=12345678901234, tiny=1e-300)
    refused(TypeError, cost="0.5")
    refused(TypeError, cost=None)
    refused(ValueError, epoch=float("nan"), cost=1)
    refused(ValueError, epoch=3)
    refused(ValueError, {"a b": 1})
    refused(ValueError, {"t": 1})
    refused(ValueError, {"": 1})
    refused(ValueError, {"x" * 300: 1})
    # A line that a crash cut short is closed by the next writer.
    own = [n for n in os.listdir(nn.run_dir()) if n.startswith("history.") and n != "history.jsonl"]
    assert len(own) == 1, own
    with open(os.path.join(nn.run_dir(), own[0]), "a") as f:
        f.write('{"t":"20')

    def many(thread):
        for step in range(100):
            nn.log(step=step, **{"of/%d" % thread: step})

    threads = [threading.Thread(target=many, args=(n,)) for n in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    sys.exit(0)
assert sorted(os.listdir(os.environ["NN_CHECKPOINTS"])) == ["epoch-1.txt", "epoch-2.txt", "epoch-3.txt"]
sys.exit(1)
