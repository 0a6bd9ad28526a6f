"""A training loop of the Theano kind, Python 2.7 or 3: nn-run -p lr=0.1 -- python theano_loop.py

What is marked with # nn is all that nn-tools add. The network is a line through points, so that nothing is needed to try
it; put your theano.function in the place of train().
"""
import pickle
import random

import nn  # nn: PYTHONPATH=PREFIX/share/nn

p = nn.params(lr=0.05, epochs=10)  # nn: the run's own over these
rng = random.Random(1)
points = [(x, 3.0 * x + 1.0 + rng.gauss(0, 0.1)) for x in (rng.uniform(-1, 1) for _ in range(200))]
w, b, first = 0.0, 0.0, 1
if nn.resume():  # nn: a former attempt left this
    with open(nn.resume(), "rb") as f:
        w, b, first = pickle.load(f)


def train(x, y):
    global w, b
    error = w * x + b - y
    w, b = w - p["lr"] * error * x, b - p["lr"] * error
    return error * error


for epoch in range(first, p["epochs"] + 1):
    cost = sum(train(x, y) for x, y in points[:150]) / 150
    valid = sum((w * x + b - y) ** 2 for x, y in points[150:]) / 50
    nn.log({"norm/w": abs(w)}, epoch=epoch, train_cost=cost, valid_cost=valid)  # nn
    with nn.saving("epoch-%d.pkl" % epoch) as path:  # nn: never seen half written
        with open(path, "wb") as f:
            pickle.dump((w, b, epoch + 1), f, 2)
print("w %.2f b %.2f" % (w, b))
