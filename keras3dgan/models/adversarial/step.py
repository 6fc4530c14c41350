"""The adversarial training step of the backend in use."""

import keras

if keras.backend.backend() == "tensorflow":
    from keras3dgan.models.adversarial.tensorflow_step import AdversarialStep
else:
    from keras3dgan.models.adversarial.jax_step import AdversarialStep

__all__ = ["AdversarialStep"]
