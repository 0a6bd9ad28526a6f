# Runs that Sacred, TensorBoard and MLflow themselves wrote, as nn-log imports them; and runs that nn-log exports, as those
# read them. Every name, step, value and time is compared. Says how many values were; exit 1 where one differs.
import datetime
import json
import math
import os
import subprocess
import sys

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # newer ones want to be asked
os.environ["GIT_PYTHON_REFRESH"] = "quiet"
os.environ["NN_SPOOL"] = os.path.abspath("spool")

import mlflow
import numpy as np
from mlflow.entities import ViewType
from sacred import Experiment
from sacred.observers import FileStorageObserver
from sacred.serializer import restore
from sacred.utils import TimeoutInterrupt
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, types_pb2
from tensorboard.plugins.hparams import metadata, summary_v2
from tensorboard.summary import Writer
from tensorboard.summary.writer.event_file_writer import EventFileWriter

compared = 0
rng = np.random.RandomState(0)


def out(*words):
    return subprocess.check_output(words).decode().splitlines()


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def history(run):
    """The values of a run by name: (step, value, seconds since 1970)."""
    found = {}
    for line in out("nn-log", "export", run):
        point = json.loads(line)
        t = datetime.datetime.fromisoformat(point["t"].replace("Z", "+00:00")).timestamp() if "t" in point else None
        for name, value in point.items():
            if name not in ("run", "t", "step", "epoch"):
                found.setdefault(name, []).append((point.get("step"), float(value), t))
    return found


def check(found, expected, near=0.0011, number=float):
    """Both by name: lists of (step, value, time). Times have milliseconds; values of one point have one time."""
    global compared
    assert sorted(found) == sorted(expected), (sorted(found), sorted(expected))
    for name, values in expected.items():
        assert len(found[name]) == len(values), (name, len(found[name]), len(values))
        key = lambda entry: (entry[0], entry[2])
        for a, b in zip(sorted(found[name], key=key), sorted(values, key=key)):
            assert a[0] == b[0] and same(number(a[1]), number(b[1])), (name, a, b)
            assert abs(a[2] - b[2]) <= near, (name, a, b)
            compared += 1


def show(run):
    return json.loads("".join(out("nn-queue", "show", "--json", run)))


out("nn-queue", "init")

# Sacred

experiment = Experiment("rnn", save_git_info=False, interactive=True)
experiment.observers.append(FileStorageObserver("sacred"))
logged = {}


@experiment.config
def config():
    lr = 0.01
    layers = (1, 2, 3)
    net = {"act": "tanh", "deep": {"er": None}}
    scale = np.float32(1.5)
    on = True


@experiment.main
def train(_run):
    print("hello from sacred")
    for step in range(200):
        for name, value in (("train.loss", rng.normal()), ("val loss", float("nan") if step == 7 else step * 1e-9), ("inf", float("-inf"))):
            _run.log_scalar(name, value, step * 10)
            logged.setdefault(name.replace(" ", "_"), []).append((step * 10, value))
    _run.log_scalar("numpy", np.float64(0.1))
    logged["numpy"] = [(0, 0.1)]


@experiment.command
def fails():
    raise ValueError("it does not work")


@experiment.command
def interrupted():
    raise KeyboardInterrupt


@experiment.command
def late():
    raise TimeoutInterrupt


experiment.run(config_updates={"lr": 0.5})
for name in ("fails", "interrupted", "late"):
    try:
        experiment.run(name)
    except (ValueError, KeyboardInterrupt, TimeoutInterrupt):
        pass
runs = out("nn-log", "import", "--sacred", "sacred")
assert runs == ["1", "2", "3", "4"], runs
with open("sacred/1/metrics.json") as file:
    metrics = json.load(file)
times = dict((name.replace(" ", "_"), [datetime.datetime.fromisoformat(t + "+00:00").timestamp() for t in m["timestamps"]]) for name, m in metrics.items())
check(history("1"), dict((name, [e + (t,) for e, t in zip(values, times[name])]) for name, values in logged.items()), near=1.0)
shown = [show(run) for run in runs]
assert [(s["state"], s["how"]) for s in shown] == [("done", None), ("failed", "exit status unknown"), ("cancelled", None), ("failed", "time limit")], shown
params = shown[0]["job"]["params"]
expected = {"lr": 0.5, "layers": [1, 2, 3], "net.act": "tanh", "net.deep.er": None, "scale": 1.5, "on": True}
assert params.pop("seed") > 0 and params == expected, params
assert shown[1]["result"]["evidence"].endswith("ValueError: it does not work"), shown[1]
assert "hello from sacred" in out("nn-queue", "log", "1")

# TensorBoard: as PyTorch and the like write it, and as TensorFlow 2 does

logged = {}
for part in range(2):
    writer = EventFileWriter("board/a/b", filename_suffix=".%d" % part)
    for step in range(part * 100, part * 100 + 100):
        values = [("loss", rng.normal()), ("acc/x", float("nan") if step == 50 else step * 0.1)]
        summary = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=n, simple_value=v) for n, v in values])
        writer.add_event(event_pb2.Event(wall_time=1795739414.25 + step, step=step, summary=summary))
        for name, value in values:
            logged.setdefault(name, []).append((step, float(np.float32(value)), 1795739414.25 + step))
    for kind, dtype in ((types_pb2.DT_DOUBLE, np.float64), (types_pb2.DT_HALF, np.float16), (types_pb2.DT_INT64, np.int64)):
        value = dtype(3.14159)
        tensor = tensor_pb2.TensorProto(dtype=kind, tensor_content=value.tobytes())
        meta = summary_pb2.SummaryMetadata(plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name="scalars"))
        name = "tensor/%d" % kind
        summary = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=name, tensor=tensor, metadata=meta)])
        writer.add_event(event_pb2.Event(wall_time=1795739514.25 + part, step=part, summary=summary))
        logged.setdefault(name, []).append((part, float(value), 1795739514.25 + part))
    hparams = summary_v2.hparams_pb({"lr": 0.1, "opt": "adam", "n": 3, "on": True}, start_time_secs=1795739400)
    writer.add_event(event_pb2.Event(wall_time=1795739410, summary=hparams))
    writer.close()
modern = Writer("board/c")
for step in range(50):
    modern.add_scalar("loss", step * 0.5, step, wall_time=1795739414.5 + step)
modern.close()
runs = out("nn-log", "import", "--tensorboard", "board")
assert [show(run)["job"]["name"] for run in runs] == ["a/b", "c"], runs
# Floats of 32 bits come with the fewest digits that tell them.
check(history(runs[0]), logged, number=np.float32)
check(history(runs[1]), {"loss": [(s, s * 0.5, 1795739414.5 + s) for s in range(50)]})
assert show(runs[0])["job"]["params"] == {"lr": 0.1, "n": 3, "on": True, "opt": "adam"}

# MLflow

mlflow.set_tracking_uri("file:" + os.path.abspath("mlruns"))
mlflow.set_experiment("an experiment")
logged = {}
with mlflow.start_run(run_name="it's: one \u65e5 \t" + "long " * 40) as run:
    mlflow.log_params({"lr": 0.1, "net/act": "tanh", "n": 3, "on": True})
    mlflow.set_tag("who", "me")
    mlflow.set_tag("mlflow.note.content", "two\nlines")
    for step in range(100):
        for name, value in (("train/loss", rng.normal()), ("acc", float("nan") if step == 3 else step * 1e300), ("up", float("inf"))):
            mlflow.log_metric(name, value, step=step)
client = mlflow.MlflowClient()
with mlflow.start_run(run_name="deleted") as gone:
    pass
client.delete_run(gone.info.run_id)
for status in ("FAILED", "KILLED"):
    mlflow.start_run(run_name=status)
    mlflow.end_run(status)
for name in ("train/loss", "acc", "up"):
    found = client.get_metric_history(run.info.run_id, name)
    logged[name] = [(m.step, m.value, m.timestamp / 1000.0) for m in found]
runs = dict((number, show(number)) for number in out("nn-log", "import", "--mlflow", "mlruns"))
assert sorted(s["state"] for s in runs.values()) == ["cancelled", "done", "failed"], runs
((number, first),) = [(number, s) for number, s in runs.items() if s["state"] == "done"]
check(history(number), logged, near=1.0)
assert first["job"]["name"] == run.info.run_name.encode()[:200].decode(), first
assert first["job"]["params"] == {"lr": 0.1, "net/act": "tanh", "n": 3, "on": True}, first
assert first["job"]["group"] == "an experiment" and first["job"]["note"] == "two\nlines" and first["job"]["tags"] == ["who=me"]
assert len(client.search_runs([run.info.experiment_id], run_view_type=ViewType.ALL)) == 4

# Out: a run of our own, to TensorBoard and to Sacred

trainer = "for i in 1 2 3 4 5 6 7 8 9; do echo epoch=$i train_cost=0.$i valid_cost=nan lr=1e-$i; done; exit 3"
subprocess.call(["nn-run", "-q", "-n", "own one/x", "-g", "grid", "-p", "lr=0.1", "-p", "act=tanh", "--", "sh", "-c", trainer])
number = out("nn-queue", "list", "--all")[-1].split("\t")[0]
own = [json.loads(line) for line in out("nn-log", "export", number)]
assert len(own) == 9, own
seconds = lambda t: datetime.datetime.fromisoformat(t.replace("Z", "+00:00")).timestamp()
(directory,) = out("nn-log", "export", "--tensorboard", "to/board", number)
assert directory == "to/board/%s-own_one_x" % number, directory
board = EventAccumulator(directory)
board.Reload()
assert sorted(board.Tags()["scalars"]) == ["lr", "train_cost", "valid_cost"], board.Tags()
for name in board.Tags()["scalars"]:
    for point, scalar in zip(own, board.Scalars(name)):
        assert scalar.step == point["epoch"] and same(scalar.value, float(np.float32(float(point[name])))), (point, scalar)
        assert abs(scalar.wall_time - seconds(point["t"])) < 1e-3, (point, scalar)
        compared += 1
start = metadata.parse_session_start_info_plugin_data(board.SummaryMetadata("_hparams_/session_start_info").plugin_data.content)
assert start.hparams["lr"].number_value == 0.1 and start.hparams["act"].string_value == "tanh", start
end = metadata.parse_session_end_info_plugin_data(board.SummaryMetadata("_hparams_/session_end_info").plugin_data.content)
assert end.status == 2, end

(directory,) = out("nn-log", "export", "--sacred", "to/sacred", number)
assert directory == "to/sacred/1", directory
read = lambda name: restore(json.load(open(os.path.join(directory, name))))
assert read("config.json") == {"lr": 0.1, "act": "tanh"}
run = read("run.json")
assert run["status"] == "FAILED" and run["experiment"]["name"] == "grid", run
began, ended = [datetime.datetime.fromisoformat(run[key]) for key in ("start_time", "stop_time")]
assert datetime.timedelta(0) <= ended - began < datetime.timedelta(minutes=1), run
metrics = read("metrics.json")
for name in ("train_cost", "valid_cost", "lr"):
    columns = [metrics[name][key] for key in ("steps", "values", "timestamps")]
    assert [len(column) for column in columns] == [9] * 3, columns
    for point, (step, value, t) in zip(own, zip(*columns)):
        assert step == point["epoch"] and same(value, float(point[name])), (point, step, value)
        assert abs(seconds(t + "+00:00") - seconds(point["t"])) < 1e-3, (point, t)
        compared += 1
# An experiment that goes on in the same directory takes the next number.
experiment.observers[0] = FileStorageObserver("to/sacred")
assert experiment.run()._id == "2"
# And what went out comes in again.
back = out("nn-log", "import", "--sacred", "to/sacred", "--tensorboard", "to/board")
check(history(back[0]), dict((n, [(p["epoch"], float(p[n]), seconds(p["t"])) for p in own]) for n in ("train_cost", "valid_cost", "lr")))
assert [show(run)["state"] for run in back] == ["failed", "done", "failed"], back
assert show(back[0])["job"]["argv"][0] == "sh"
print("%d values as Sacred, TensorBoard and MLflow have them" % compared)
