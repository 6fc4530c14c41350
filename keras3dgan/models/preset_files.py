"""Keras models in the files of presets, and in those of runs."""

from __future__ import annotations

import contextlib
import datetime
import json
import pathlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import h5py
import keras
import numpy as np

import keras3dgan
from keras3dgan import presets
from keras3dgan.errors import InputError
from keras3dgan.files import replacing
from keras3dgan.presets import Preset
from keras3dgan.runs import Run

_PACKAGE = "keras3dgan>"
# The attribute of an empty array of weights that says whose weights it has: "compressor_32:decoder/layers/dense/vars/0".
_SAME_AS = "same_as"
# Bytes; smaller arrays are not worth a reference.
_WORTH_SHARING = 1024


def save(model: Any, preset: Preset, *, shares: str | None = None, **metadata: Any) -> None:
    """Writes a model, in half precision, and `metadata.json` with what KerasHub says there and `metadata`.

    Args:
        model: the model.
        preset: where to write.
        shares: a preset of this package; arrays of weights that it holds too are not stored a second time.
        **metadata: see above.

    Raises:
        InputError: a weight is beyond what float16 holds, or the presets have no weights in common.
    """
    base = _shipped(shares) if shares else None
    config = keras.saving.serialize_keras_object(model)
    _drop(config, ("build_config", "compile_config"))
    with replacing(preset.weights_file) as temporary:
        whole = temporary.with_suffix(".whole.weights.h5")
        try:
            model.save_weights(whole)
            _halve(whole, temporary, base)
        finally:
            whole.unlink(missing_ok=True)
    common = {
        "keras_version": keras.version(),
        "keras3dgan_version": keras3dgan.__version__,
        "parameter_count": model.count_params(),
        "date_saved": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d@%H:%M:%S"),
    }
    for path, content in (
        (preset.config_file, config),
        (preset.metadata_file, {**common, "shares": shares, **metadata}),
    ):
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n")


def half(weights: np.ndarray) -> np.ndarray:
    """A weight as presets store it: float16 where it has two axes and more.

    Its 11 bits of precision are worth more to trained weights, which are near 1, than bfloat16's range with 8. Vectors stay in
    float32: they are few, and a batch normalisation's variances may be beyond the range of float16.

    Raises:
        InputError: a weight is.
    """
    if weights.ndim < 2 or weights.dtype != np.float32:
        return weights
    if not (np.abs(weights) <= np.finfo(np.float16).max).all():
        raise InputError("weights of more than 65504 do not fit into float16; the training has diverged, save another.")
    return weights.astype(np.float16)


def round_weights(model: Any) -> None:
    """Gives a model the weights that it will have when it comes back from a preset."""
    model.set_weights([half(weights).astype(weights.dtype) for weights in model.get_weights()])


def load(preset: Preset, cls: Any = keras.Model) -> Any:
    """The model of a preset, or the network in it, that is of a class.

    Raises:
        InputError: there is none, or the preset is damaged.
    """
    where = place(preset, cls)
    if where is None:
        held = _classes(preset)
        whole, *parts = (each.__name__ for each in held.values())
        text = f"a {whole} of {' and '.join(parts)}" if parts else f"a {whole}"
        raise InputError(f"{preset.name}: holds {text}, no {cls.__name__}; load it with {whole}.from_preset.")
    model = _load(preset)
    return getattr(model, where) if where else model


def load_networks(preset: Preset, names: Sequence[str]) -> list[Any]:
    """Networks of a preset by the names that they have in runs; one that is a preset by itself has its own name.

    Raises:
        InputError: there is no such network, or the preset is damaged.
    """
    model = _load(preset)
    held = {name: getattr(model, name) for name in model.PARTS if getattr(model, name)} or {model.name: model}
    for name in names:
        if name not in held:
            raise InputError(f"{preset.name}: holds {' and '.join(held)}, no {name}; give another.")
    return [held[name] for name in names]


def place(preset: Preset, cls: Any) -> str | None:
    """Where a preset holds a model of a class: as a whole, "", or in this argument of it; None: nowhere."""
    return next((name for name, held in _classes(preset).items() if issubclass(held, _wanted(cls))), None)


def _wanted(cls: Any) -> tuple[type, ...]:
    """A class, and those that do the same."""
    return (cls, *(keras.saving.get_registered_object(_PACKAGE + name) for name in getattr(cls, "ALSO", ())))


def network(run: Run, name: str) -> Any:
    """The model in `models/<name>.keras`.

    Raises:
        InputError: the run has no such model, or its file is damaged.
    """
    path = run.model_file(f"{name}.keras")
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:
        raise InputError(f"{path}: a damaged model file; run its training again.") from error


def of_run(run: Run, cls: Any) -> Any:
    """The only network of a class among those of a run.

    Raises:
        InputError: no run, there is none, or a file is damaged.
    """
    kind = run.kind
    found = {path.stem: _saved_class(path) for path in sorted(run.models.glob("*.keras"))}
    for name, held in found.items():
        if issubclass(held, _wanted(cls)):
            return network(run, name)
    text = " and ".join(f"{name} ({held.__name__})" for name, held in found.items()) or "no models yet"
    raise InputError(f"{run.name}: this run of kind '{kind}' has {text}, no {cls.__name__}; give another.")


def _saved_class(path: pathlib.Path) -> type:
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
    except Exception as error:  # zipfile, zlib and json each raise their own
        raise InputError(f"{path}: a damaged model file; run its training again.") from error
    return keras.saving.get_registered_object(config.get("registered_name")) or keras.Model


def _classes(preset: Preset) -> dict[str, type]:
    """The class of a preset's model, by "", and those of the networks that it consists of, by the names of its arguments."""
    config = preset.model_config()
    arguments = config.get("config")
    found = {"": config, **(arguments if isinstance(arguments, dict) else {})}
    return {
        name: _class(preset, content)
        for name, content in found.items()
        if isinstance(content, dict) and "registered_name" in content
    } or {"": _class(preset, config)}


def _class(preset: Preset, config: Mapping[str, Any]) -> type:
    name = config.get("registered_name")
    held = keras.saving.get_registered_object(name) if str(name).startswith(_PACKAGE) else None
    if held is None:
        raise InputError(f"{preset.name}: its config.json names no model of keras3dgan; give another preset.")
    return held


def _check(preset: Preset, config: Mapping[str, Any]) -> None:
    """Refuses whatever Keras would build that is none of this package's models: a preset may come from anywhere."""
    if "class_name" in config or "module" in config:
        _class(preset, config)
    for value in config.values():
        if isinstance(value, dict):
            _check(preset, value)


def _load(preset: Preset) -> Any:
    config = preset.model_config()
    _check(preset, config)
    try:
        model = keras.saving.deserialize_keras_object(config)
        with _whole_weights(preset) as path:
            model.load_weights(path)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{preset.name}: a damaged preset; get it again.") from error
    return model


def _halve(source: pathlib.Path, target: pathlib.Path, base: Preset | None) -> None:
    """Copies a file of weights, kernels in half precision, packed; those that `base` holds too as references to it."""
    known = _arrays(base) if base else {}
    shared = 0
    with h5py.File(source) as old, h5py.File(target, "w") as new:

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            nonlocal shared
            if isinstance(item, h5py.Dataset):
                value = half(item[()])
                how = {"compression": "gzip", "shuffle": True} if value.ndim > 1 else {}
                place = known.get(_key(value))
                made = new.create_dataset(
                    name, **({"data": h5py.Empty(value.dtype)} if place else {"data": value, **how})
                )
                if place:
                    made.attrs[_SAME_AS] = place
                    shared += 1
            else:
                made = new.require_group(name)
            for key, attribute in item.attrs.items():
                made.attrs[key] = attribute

        old.visititems(copy)
        for key, attribute in old.attrs.items():
            new.attrs[key] = attribute
    if base and not shared:
        raise InputError(f"{base.name} has no weights in common with this model; leave it out.", "shares")


def _arrays(preset: Preset) -> dict[tuple[tuple[int, ...], bytes], str]:
    """The larger arrays of a preset's weights: shape and content -> where they are."""
    found = {}
    with h5py.File(preset.weights_file) as file:

        def add(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset) and item.nbytes >= _WORTH_SHARING:
                found[_key(item[()])] = f"{preset.name}:{name}"

        file.visititems(add)
    return found


def _key(value: np.ndarray) -> tuple[tuple[int, ...], bytes]:
    return value.shape, (value + 0).tobytes()  # -0, which a running mean makes 0, is the same


@contextlib.contextmanager
def _whole_weights(preset: Preset) -> Iterator[pathlib.Path]:
    """A file with all weights of a preset, also those that it shares with another one."""
    places: dict[str, str] = {}
    with h5py.File(preset.weights_file) as file:
        file.visititems(
            lambda name, item: places.update({name: item.attrs[_SAME_AS]} if _SAME_AS in item.attrs else {})
        )
    if not places:
        yield preset.weights_file
        return
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, preset.weights_file.name)
        shutil.copy(preset.weights_file, path)
        with h5py.File(path, "r+") as whole, contextlib.ExitStack() as opened:
            others: dict[str, h5py.File] = {}
            for name, place in places.items():
                base, _, inner = str(place).partition(":")
                if base not in others:
                    others[base] = opened.enter_context(h5py.File(_shipped(base).weights_file))
                del whole[name]
                others[base].copy(inner, whole, name)
        yield path


def _shipped(name: str) -> Preset:
    found = presets.shipped()
    if name not in found:
        raise InputError(f"'{name}' is no preset of this package; choose one of {', '.join(found)}.", "shares")
    return found[name]


def _drop(config: dict[str, Any], keys: Sequence[str]) -> None:
    for key in keys:
        config.pop(key, None)
    for value in config.values():
        if isinstance(value, dict):
            _drop(value, keys)
