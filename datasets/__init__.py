"""The data sets of keras3dgan. Importing this registers them with TensorFlow Datasets, so that `tfds.load` finds them."""

import importlib.util

if importlib.util.find_spec("tensorflow"):
    from keras3dgan.datasets.builders import load_shapes
else:
    from keras3dgan.datasets.without_tensorflow import load_shapes

__all__ = ["load_shapes"]
