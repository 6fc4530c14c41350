"""A client of TensorFlow Serving for exported models, and a development server that keeps to the same contract."""

from keras3dgan.serving.client import Client
from keras3dgan.serving.transport import ServingError

__all__ = ["Client", "ServingError"]
