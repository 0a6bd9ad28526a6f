"""A callback for Keras: model.fit(x, y, callbacks=[Record()])

Records what Keras measures at the end of each epoch, and saves the weights where a resumed attempt finds them:
initial_epoch=first_epoch(model).
"""
import re

import keras

import nn  # PYTHONPATH=PREFIX/share/nn


class Record(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        nn.log(logs or {}, epoch=epoch + 1)
        with nn.saving("epoch-%d.weights.h5" % (epoch + 1)) as path:
            self.model.save_weights(path)


def first_epoch(model):
    """Loads what a former attempt saved; the number of epochs that are done."""
    if not nn.resume():
        return 0
    model.load_weights(nn.resume())
    return int(re.findall(r"epoch-(\d+)", nn.resume())[-1])
