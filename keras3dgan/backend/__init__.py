"""What differs between the backends of Keras: several devices, several hosts, determinism, compilation, gradients.

Each backend gives the same names; nothing outside this package asks which one is in use.
"""

import keras

if keras.backend.backend() == "tensorflow":
    from keras3dgan.backend.tensorflow_devices import (
        device_count,
        gather,
        has_bfloat16,
        host_failures,
        is_first_host,
        jit_compile,
        make_deterministic,
        make_fit_work,
        on_several_hosts,
        own_rows,
        replicas,
        scope,
    )
    from keras3dgan.backend.tensorflow_gradients import compiled, input_gradients
elif keras.backend.backend() == "jax":
    from keras3dgan.backend.jax_devices import (
        device_count,
        gather,
        has_bfloat16,
        host_failures,
        is_first_host,
        jit_compile,
        make_deterministic,
        make_fit_work,
        on_several_hosts,
        own_rows,
        replicas,
        scope,
    )
    from keras3dgan.backend.jax_gradients import compiled, input_gradients
else:
    raise ImportError(f"keras3dgan runs on Keras's backends tensorflow and jax, not on {keras.backend.backend()}.")

__all__ = [
    "compiled",
    "device_count",
    "gather",
    "has_bfloat16",
    "host_failures",
    "input_gradients",
    "is_first_host",
    "jit_compile",
    "make_deterministic",
    "make_fit_work",
    "on_several_hosts",
    "own_rows",
    "replicas",
    "scope",
]
