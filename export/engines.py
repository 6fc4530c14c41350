"""Models for other engines, ONNX Runtime and LiteRT, each compared with TensorFlow as it is written."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import pathlib
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from keras3dgan.errors import InputError
from keras3dgan.export.saved_model import ServedPart, examples, next_version, parts_of
from keras3dgan.files import replacing
from keras3dgan.runs import Run

# What each format is called on disk, and what `pip install` takes to write and run it.
_SUFFIXES = {"onnx": ".onnx", "litert": ".tflite"}
_NEEDS = {"onnx": ("tf2onnx", "onnxruntime"), "litert": ("ai_edge_litert",)}
_TOLERANCE = 1e-4
_BATCHES = (1, 32)
_REPEATS = 15


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What an exported file does beside TensorFlow.

    Attributes:
        path: the file.
        difference: the largest absolute difference of any output value.
        milliseconds: batch -> (TensorFlow's, this engine's) median time.
    """

    path: pathlib.Path
    difference: float
    milliseconds: dict[int, tuple[float, float]]


def write(run: Run, output: pathlib.Path, form: str) -> list[Comparison]:
    """Writes `<output>/<part>/<version>.onnx` or `.tflite` with the part's `serving_default`, dynamic in its batch.

    Raises:
        InputError: the run is missing or has not finished, a package is missing, or the values are not TensorFlow's to 1e-4.
    """
    for package in _NEEDS[form]:
        try:
            __import__(package)
        except ModuleNotFoundError as error:
            raise InputError(
                f"{form} needs {package}; type pip install '.[engines]' in the checkout.", "format"
            ) from error
    parts = parts_of(run)
    version = next_version(output, parts)
    comparisons = []
    for part in parts:
        path = output / part.name / f"{version}{_SUFFIXES[form]}"
        [example] = examples(part.signatures["serving_default"][1]).values()
        part.model(example)  # Keras exports what has been called only
        with replacing(path) as temporary, _quiet():
            part.model.export(str(temporary), format=form, verbose=False)
            if form == "onnx":
                _name_output(temporary, part)
            comparisons.append(_compare(part.model, _RUNNERS[form](temporary), path))
    return comparisons


def table(comparisons: Sequence[Comparison]) -> str:
    """The comparisons as lines of text."""
    lines = [f"{'':40} {'difference':>10} " + " ".join(f"{f'ms, batch {n}':>24}" for n in _BATCHES)]
    for row in comparisons:
        times = (f"{ours:.1f} (TensorFlow {theirs:.1f})" for theirs, ours in row.milliseconds.values())
        lines.append(f"{row.path!s:40} {row.difference:10.1e} " + " ".join(f"{text:>24}" for text in times))
    return "\n".join(lines)


def _name_output(path: pathlib.Path, part: ServedPart) -> None:
    """Calls the output what it is called in the SavedModel."""
    import onnx

    graph = onnx.load(path)
    old, new = graph.graph.output[0].name, _output_name(part)
    graph.graph.output[0].name = new
    for node in graph.graph.node:
        node.output[:] = [new if name == old else name for name in node.output]
        node.input[:] = [new if name == old else name for name in node.input]
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


def _output_name(part: ServedPart) -> str:
    function, inputs = part.signatures["serving_default"]
    [name] = tf.function(function, input_signature=inputs).get_concrete_function().structured_outputs
    return name


def _onnx(path: pathlib.Path) -> Callable[[np.ndarray], np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda batch: session.run(None, {name: batch})[0]


def _litert(path: pathlib.Path) -> Callable[[np.ndarray], np.ndarray]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=os.cpu_count())
    try:
        interpreter.allocate_tensors()
    except RuntimeError as error:
        raise InputError(
            f"LiteRT lacks an operation of this model ({str(error).rpartition('(')[2].partition(')')[0]}); take onnx.",
            "format",
        ) from error
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def run(batch: np.ndarray) -> np.ndarray:
        if interpreter.get_input_details()[0]["shape"][0] != len(batch):
            interpreter.resize_tensor_input(source, batch.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(source, batch)
        interpreter.invoke()
        return interpreter.get_tensor(target)

    return run


_RUNNERS = {"onnx": _onnx, "litert": _litert}


def _compare(model: keras.Model, engine: Callable[[np.ndarray], np.ndarray], path: pathlib.Path) -> Comparison:
    compiled = tf.function(lambda batch: model(batch, training=False))
    rng = np.random.default_rng(0)
    differences, milliseconds = [], {}
    for count in _BATCHES:
        batch = rng.random((count, *model.input.shape[1:]), np.float32)
        differences.append(float(np.abs(engine(batch) - compiled(batch).numpy()).max()))
        times: dict[str, list[float]] = {"tensorflow": [], "engine": []}
        for _ in range(_REPEATS):  # in turns, since the machine may be shared
            for name, function in (("tensorflow", lambda x: compiled(x).numpy()), ("engine", engine)):
                begin = time.perf_counter()
                function(batch)
                times[name].append(1000 * (time.perf_counter() - begin))
        milliseconds[count] = (statistics.median(times["tensorflow"]), statistics.median(times["engine"]))
    if max(differences) > _TOLERANCE:
        raise InputError(f"{path}: its values differ from TensorFlow's by {max(differences):.1e}; update the engine.")
    return Comparison(path, max(differences), milliseconds)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Converters warn of what they themselves do, and print."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
