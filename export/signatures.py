"""What an exported model can be asked: signatures with named inputs and outputs, in TensorFlow alone.

Models are given as they are served: decoder and generator end in occupancy, not in logits. All but `generate` work on
batches of any size, first axis first, as a server that joins requests into batches needs them. n is the resolution, k the
number of latents; packed grids are bits in C order, most significant first (`voxels.grid.pack`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras3dgan import tensor_packing
from keras3dgan.codec.latent.entropy_coder import EntropyCoder
from keras3dgan.training.recipe import Part
from keras3dgan.voxels.grid import packed_size

THRESHOLD = 0.5
# Name of a signature -> (function, its inputs).
Signatures = dict[str, tuple[Callable[..., dict[str, Any]], list[tf.TensorSpec]]]


def encoder(model: keras.Model, part: Part) -> Signatures:
    """`serving_default`: voxels float32 (batch, n, n, n, 1) in [0, 1] -> latents float32 (batch, k). `compress`: packed uint8
    (batch, n^3 / 8) -> symbols int32 (batch, k). `describe`: see `_describe`."""
    coder = _coder(part)
    resolution = coder.resolution

    def latents(voxels: Any) -> dict[str, Any]:
        return {"latents": model(voxels, training=False)}

    def compress(packed: Any) -> dict[str, Any]:
        found = model(tensor_packing.unpack(packed, resolution), training=False)
        symbols = tf.round(found / tf.constant(coder.step, tf.float32))
        low, high = coder.low.astype("float32"), coder.high.astype("float32")
        return {"symbols": tf.cast(tf.clip_by_value(symbols, low, high), tf.int32)}

    return {
        "serving_default": (latents, [_voxels(resolution)]),
        "compress": (compress, [_packed(resolution)]),
        "describe": _describe(coder),
    }


def decoder(model: keras.Model, part: Part) -> Signatures:
    """`serving_default`: latents float32 (batch, k) -> occupancy float32 (batch, n, n, n, 1) in [0, 1]. `decompress`: symbols
    int32 (batch, k) -> packed uint8 (batch, n^3 / 8), voxels with an occupancy above 0.5. `describe`: see `_describe`."""
    coder = _coder(part)

    def occupancy(latents: Any) -> dict[str, Any]:
        return {"occupancy": model(latents, training=False)}

    def decompress(symbols: Any) -> dict[str, Any]:
        latents = tf.cast(symbols, tf.float32) * tf.constant(coder.step, tf.float32)
        return {"packed": tensor_packing.pack(model(latents, training=False) > THRESHOLD)}

    latents = tf.TensorSpec((None, coder.size), tf.float32, "latents")
    symbols = tf.TensorSpec((None, coder.size), tf.int32, "symbols")
    return {
        "serving_default": (occupancy, [latents]),
        "decompress": (decompress, [symbols]),
        "describe": _describe(coder),
    }


def generator(model: keras.Model, part: Part) -> Signatures:
    """`serving_default`: latents float32 (batch, k) -> occupancy float32 (batch, n, n, n, 1) in [0, 1]. `generate`, where the
    part's latents have a standard deviation: seed int64 (), count int32 () from 0 -> occupancy of so many shapes, from latents
    drawn from N(0, part.latent_stddev^2)."""
    size, stddev = model.input.shape[1], part.latent_stddev

    def occupancy(latents: Any) -> dict[str, Any]:
        return {"occupancy": model(latents, training=False)}

    def generate(seed: Any, count: Any) -> dict[str, Any]:
        normal = tf.random.stateless_normal((count, size), (seed, tf.zeros_like(seed)))
        return occupancy(stddev * normal)

    found: Signatures = {"serving_default": (occupancy, [tf.TensorSpec((None, size), tf.float32, "latents")])}
    if stddev is not None:
        found["generate"] = (generate, [tf.TensorSpec((), tf.int64, "seed"), tf.TensorSpec((), tf.int32, "count")])
    return found


def classifier(model: keras.Model, part: Part) -> Signatures:
    """`serving_default`: voxels float32 (batch, n, n, n, 1) in [0, 1] -> probabilities float32 (batch, classes). `classify`:
    packed uint8 (batch, n^3 / 8) -> probabilities, and class_name_bytes string (batch,), the most likely one's."""
    names, resolution = tf.constant(list(part.class_names)), model.input.shape[1]

    def probabilities(voxels: Any) -> dict[str, Any]:
        return {"probabilities": model(voxels, training=False)}

    def classify(packed: Any) -> dict[str, Any]:
        found = model(tensor_packing.unpack(packed, resolution), training=False)
        return {"probabilities": found, "class_name_bytes": tf.gather(names, tf.argmax(found, axis=1))}

    return {
        "serving_default": (probabilities, [_voxels(resolution)]),
        "classify": (classify, [_packed(resolution)]),
    }


def picture_encoder(model: keras.Model, part: Part) -> Signatures:
    """`serving_default`: pictures float32 (batch, s, s, 3) in [0, 1], objects framed on white -> latents float32 (batch, k), the
    mean of what the encoder gives."""
    size = model.input.shape[1]

    def latents(pictures: Any) -> dict[str, Any]:
        return {"latents": model(pictures, training=False)[0]}

    return {"serving_default": (latents, [tf.TensorSpec((None, size, size, 3), tf.float32, "pictures")])}


BY_ROLE: dict[str, Callable[[keras.Model, Part], Signatures]] = {
    "encoder": encoder,
    "decoder": decoder,
    "generator": generator,
    "classifier": classifier,
    "picture_encoder": picture_encoder,
}


def _coder(part: Part) -> EntropyCoder:
    assert part.coder is not None, "encoders and decoders have one"
    return part.coder


def _describe(coder: EntropyCoder) -> tuple[Callable[..., dict[str, Any]], list[tf.TensorSpec]]:
    """`describe`: index int32 (batch,), of any values -> coder_bytes string (batch,), `EntropyCoder.to_bytes` each time.

    So a client needs an address only, and no files. The input is there for servers that batch, which cannot do without."""
    content = tf.constant(coder.to_bytes())

    def describe(index: Any) -> dict[str, Any]:
        return {"coder_bytes": tf.fill(tf.shape(index), content)}

    return describe, [tf.TensorSpec((None,), tf.int32, "index")]


def _voxels(resolution: int) -> tf.TensorSpec:
    return tf.TensorSpec((None, *(resolution,) * 3, 1), tf.float32, "voxels")


def _packed(resolution: int) -> tf.TensorSpec:
    return tf.TensorSpec((None, packed_size(resolution)), tf.uint8, "packed")
