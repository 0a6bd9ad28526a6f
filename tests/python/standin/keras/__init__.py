# Stands in for Keras where scripts/examples/keras_callback.py is tried: as much of it as that uses.


class callbacks(object):
    class Callback(object):
        model = None


class Model(object):
    saved = None

    def fit(self, epochs, initial_epoch, callbacks):
        for callback in callbacks:
            callback.model = self
        for epoch in range(initial_epoch, epochs):
            for callback in callbacks:
                callback.on_epoch_end(epoch, {"loss": 1.0 / (epoch + 1), "val_loss": 2.0 / (epoch + 1)})

    def save_weights(self, path):
        assert path.endswith(".weights.h5"), path
        with open(path, "w") as f:
            f.write("weights")

    def load_weights(self, path):
        self.saved = open(path).read()
