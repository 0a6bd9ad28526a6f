# Norms that nn-weights prints, against numpy, safetensors and PyTorch as witnesses: the files are theirs. Each is in
# every type, order and byte order it writes. Says how many were compared; exit 1 where one differs by more than 1e-6.
# Without PyTorch its zip and pickle are made as torch.save makes them, by classes of the same names.
import json
import os
import pickle
import subprocess
import sys
import types
import zipfile

import numpy as np

done = []


def check(path, expected, *options):
    said = subprocess.check_output(["nn-weights", "--json"] + list(options) + [path])
    found = dict((r["layer"], r) for r in map(json.loads, said.decode().splitlines()))
    assert set(found) == set(expected), (path, sorted(found), sorted(expected))
    for name, array in expected.items():
        wide = np.asarray(array).astype("complex128" if np.asarray(array).dtype.kind == "c" else "float64").ravel()
        record = found[name]
        near = lambda a, b, scale: abs(float(a) - b) <= 1e-6 * scale
        norm = float(np.linalg.norm(wide))
        assert near(record["norm"], norm, norm), (path, name, record["norm"], norm)
        if wide.size and wide.dtype.kind != "c":
            size = float(np.abs(wide).max())
            assert near(record["mean"], wide.mean(), size) and near(record["std"], wide.std(), size), (path, name, record)
            assert record["min"] == wide.min() and record["max"] == wide.max(), (path, name, record)
            assert record["zeros"] == int((wide == 0).sum()) and record["count"] == wide.size, (path, name, record)
        if "sigma" in record and record["sigma"] is not None:
            matrix = np.asarray(array, "float64").reshape(np.asarray(array).shape[0], -1)
            sigma = float(np.linalg.svd(matrix, compute_uv=False)[0])
            assert near(record["sigma"], sigma, sigma), (path, name, record["sigma"], sigma)
        done.append(name)


rng = np.random.RandomState(0)
shapes = [(), (7,), (64, 3, 5, 5), (130, 97), (4096 * 3 + 5,), (0, 3), (1, 1)]


def values(dtype, shape):
    x = rng.normal(0, 50, shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.normal(0, 50, shape)
    if np.dtype(dtype).kind == "u":
        x = np.abs(x)
    return np.asarray(x > 0 if np.dtype(dtype) == bool else x).astype(dtype)


arrays = {}
for dtype in ["?", "i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "u1", "<u2", ">u2", "<u4", ">u4", "<u8", ">u8", "<f2", ">f2",
              "<f4", ">f4", "<f8", ">f8", "<c8", ">c8", "<c16", ">c16"]:
    for shape in shapes:
        name = "%s_%s" % (dtype.replace("<", "little/").replace(">", "big/"), "x".join(map(str, shape)))
        arrays[name] = values(dtype, shape)
        if len(shape) > 1:
            arrays[name + "_F"] = np.asfortranarray(values(dtype, shape))
for name, size in [("great", 1e200), ("small", 1e-200), ("subnormal", 1e-312)]:
    arrays[name] = rng.normal(0, 1, 5000) * size if name != "subnormal" else np.full(9, size)
for name in ("great", "small", "subnormal"):  # numpy's own norm over- and underflows
    array, power = arrays.pop(name), {"great": 200, "small": -200, "subnormal": -312}[name]
    np.save(name + ".npy", array)
    record = json.loads(subprocess.check_output(["nn-weights", "--json", name + ".npy"]).decode())
    norm = float(np.linalg.norm(array / float("1e%d" % power)))
    assert abs(record["norm"] / float("1e%d" % power) - norm) <= 1e-6 * norm, (name, record["norm"], norm)
    done.append(name)
np.savez("stored.npz", **arrays)
np.savez_compressed("deflated.npz", **arrays)
check("stored.npz", arrays)
check("deflated.npz", arrays)
np.save("one.npy", arrays["little/f4_130x97_F"])
check("one.npy", {"one": arrays["little/f4_130x97_F"]}, "--singular")

try:
    from safetensors.numpy import save_file
except ImportError:
    print("skipped: safetensors: not installed")
else:
    plain = dict((n, np.ascontiguousarray(a)) for n, a in arrays.items() if "big" not in n and "c16" not in n and "c8" not in n)
    save_file(plain, "plain.safetensors", metadata={"format": "np"})
    check("plain.safetensors", plain)


def torch_like(path, tensors):
    """What torch.save writes, without PyTorch: (array, offset, size, stride) each in a storage of its own."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    sys.modules.update({"torch": torch, "torch._utils": utils})

    def rebuild(*args):
        raise AssertionError("never called")

    rebuild.__name__ = rebuild.__qualname__ = "_rebuild_tensor_v2"
    rebuild.__module__ = "torch._utils"
    utils._rebuild_tensor_v2 = rebuild
    names = {"f4": "Float", "f8": "Double", "f2": "Half", "i8": "Long", "i4": "Int", "i2": "Short", "i1": "Char", "u1": "Byte", "b1": "Bool"}
    for name in names.values():
        storage = type(name + "Storage", (), {"__module__": "torch"})
        setattr(torch, name + "Storage", storage)

    class Storage(object):
        def __init__(self, key, array):
            self.id = ("storage", getattr(torch, names[array.dtype.str[1:]] + "Storage"), key, "cpu", array.size)

    class Tensor(object):
        def __init__(self, args):
            self.args = args

        def __reduce__(self):
            return rebuild, self.args

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            return obj.id if isinstance(obj, Storage) else None

    import collections
    import io

    state, storages = collections.OrderedDict(), []
    for name, (array, offset, size, stride) in tensors.items():
        key = str(len(storages))
        storages.append(array)
        state[name] = Tensor((Storage(key, array), offset, size, stride, False, collections.OrderedDict()))
    out = io.BytesIO()
    Pickler(out, protocol=2).dump({"model": state, "epoch": 3})
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("archive/data.pkl", out.getvalue())
        for key, array in enumerate(storages):
            z.writestr("archive/data/%d" % key, array.tobytes())
        z.writestr("archive/version", "3\n")
    del sys.modules["torch"], sys.modules["torch._utils"]


base = {}
for dtype in ["f4", "f8", "f2", "i8", "i4", "i2", "i1", "u1", "b1"]:
    base[dtype] = (values(dtype if dtype != "b1" else "?", (6, 5)), 0, (6, 5), (5, 1))
square = values("f4", (6, 5))
base.update(turned=(square, 0, (5, 6), (1, 5)), part=(square, 6, (3, 2), (5, 1)), repeated=(square, 0, (4, 5), (0, 1)))
torch_like("like.pt", base)
expected = {}
for name, (array, offset, size, stride) in base.items():
    flat = array.ravel()
    expected["model." + name] = np.lib.stride_tricks.as_strided(flat[offset:], size, [s * flat.itemsize for s in stride])
check("like.pt", expected)

try:
    import torch
except ImportError:
    print("skipped: PyTorch: not installed")
else:
    x = torch.randn(6, 5)
    odd = {"t": x.t(), "part": x[:, 1:3], "row": x[2], "expanded": torch.randn(1, 4).expand(3, 4), "half": x.half(),
           "bfloat": x.bfloat16(), "double": x.double(), "long": torch.arange(5), "bool": torch.tensor([True, False]),
           "complex": torch.randn(3, dtype=torch.complex64), "scalar": torch.tensor(2.5), "char": torch.tensor([-3], dtype=torch.int8)}
    torch.save({"model": odd, "shared": [x, x[0]], "parameter": torch.nn.Parameter(x), "epoch": 3}, "odd.pt")
    wide = lambda t: t.detach().to(torch.complex128 if t.is_complex() else torch.float64).numpy()
    expected = dict(("model." + n, wide(t)) for n, t in odd.items())
    expected.update({"shared.0": wide(x), "shared.1": wide(x[0]), "parameter": wide(x)})
    check("odd.pt", expected)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.LSTM(10, 5))
    torch.save(net.state_dict(), "state.pt")
    torch.save(net, "module.pt")
    expected = dict((n, wide(t)) for n, t in net.state_dict().items())
    check("state.pt", expected)
    check("module.pt", expected)
print("%d tensors as the witnesses have them" % len(done))
