"""What the commands share: flags in two groups, short help, and errors in one sentence."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import importlib.util
import logging
import os
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from absl import app, flags
from absl import logging as absl_logging

from keras3dgan.errors import InputError, LostHostError

FLAGS = flags.FLAGS
MODEL, INFRASTRUCTURE = "Model", "Infrastructure"
_groups: dict[str, list[str]] = {MODEL: [], INFRASTRUCTURE: []}
# The extra of setup.py that brings a backend of Keras.
_EXTRAS = {"tensorflow": "cpu", "jax": "jax"}
_NEEDED_BY_TRAINING = (
    "keras",
    "tensorflow",
    "jax",
    "tensorflow_datasets",
    "sklearn",
    "matplotlib",
    "tensorboard",
)


def enum(*values: str) -> Callable[..., Any]:
    """A `define` for `add`: one of these words."""
    return lambda name, default, help: flags.DEFINE_enum(name, default, list(values), help)


def add(define: Callable[..., Any], name: str, default: Any, help: str, group: str = INFRASTRUCTURE) -> None:
    """Defines an absl flag and puts it into a group of `--help`.

    Args:
        define: e.g. `flags.DEFINE_string`.
        name: of the flag.
        default: its default.
        help: what a person needs to know.
        group: `MODEL` or `INFRASTRUCTURE`.
    """
    define(name, default, help)
    _groups[group].append(name)


def add_settings(kind: type, presets: Sequence[str]) -> None:
    """Defines `--preset` and one flag for every field of a settings class; unset flags leave the preset's value."""
    add(flags.DEFINE_string, "preset", presets[0], f"named values of all flags below: {', '.join(presets)}", MODEL)
    for field in dataclasses.fields(kind):
        text = f"{field.metadata['help']} [{presets[0]}: {_show(field.default)}]"
        if isinstance(field.default, bool):
            add(flags.DEFINE_boolean, field.name, None, text, MODEL)
        elif isinstance(field.default, int):
            add(flags.DEFINE_integer, field.name, None, text, MODEL)
        elif isinstance(field.default, float):
            add(flags.DEFINE_float, field.name, None, text, MODEL)
        elif isinstance(field.default, tuple):
            add(flags.DEFINE_list, field.name, None, text, MODEL)
        else:
            add(flags.DEFINE_string, field.name, None, text, MODEL)


def settings(kind: type) -> Any:
    """The settings that `--preset` and the flags given ask for."""
    from keras3dgan.training import presets

    overrides: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        value = FLAGS[field.name].value
        if value is None:
            continue
        if isinstance(field.default, tuple) and field.default:
            value = _range(field.name, value)
        overrides[field.name] = tuple(value) if isinstance(value, list) else value
    return presets.settings(kind, FLAGS.preset, overrides)


def add_data() -> None:
    """Defines `--data_dir` and `--manual_dir`."""
    add(flags.DEFINE_string, "data_dir", None, "where TFDS keeps prepared data sets [its own default]")
    add(flags.DEFINE_string, "manual_dir", None, "folder with the source of a data set that is fetched by hand")


def add_run() -> None:
    """Defines what every training takes: `--workdir`, data folders, checkpoints."""
    add(flags.DEFINE_string, "workdir", None, "folder of the run; given again, training goes on where it was")
    flags.mark_flag_as_required("workdir")
    add_data()
    add(flags.DEFINE_float, "checkpoint_seconds", 60.0, "training time that a kill may cost at most, in whole epochs")
    text = "none; mirrored: all GPUs of this host; multi_worker: the hosts that TF_CONFIG names"
    add(enum("none", "mirrored", "multi_worker"), "strategy", "none", text)
    add(flags.DEFINE_integer, "virtual_cpus", 1, "split the CPU into so many devices, to try --strategy without GPUs")


@contextlib.contextmanager
def training() -> Iterator[Any]:
    """Gives the `RunDirectory` of `--workdir`; what is trained inside runs under `--strategy`."""
    from keras3dgan import backend
    from keras3dgan.training.run_directory import RunDirectory

    if FLAGS.virtual_cpus < 1:
        raise InputError(f"--virtual_cpus: must be at least 1, got {FLAGS.virtual_cpus}.")
    with backend.scope(FLAGS.strategy, FLAGS.virtual_cpus):
        yield RunDirectory(FLAGS.workdir, backend.is_first_host(FLAGS.strategy))


def run_options(callbacks: Sequence[Any] = ()) -> Any:
    """The values of the flags of `add_run`, and Keras callbacks, as the training functions take them."""
    from keras3dgan.training.loop import Options

    return Options(FLAGS.data_dir, FLAGS.manual_dir, FLAGS.checkpoint_seconds, callbacks)


def run(
    main: Callable[[Sequence[str]], None], usage: str, takes_files: bool = False, needs_backend: bool = True
) -> None:
    """Parses flags and runs a command; the last line of every command module.

    Args:
        main: gets the words that are no flags.
        usage: the module's docstring: a line that says what the command does, and examples.
        takes_files: whether words that are no flags are allowed.
        needs_backend: whether Keras must have a backend to run on.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    name = os.path.basename(sys.modules[main.__module__].__file__ or "").removesuffix(".py")

    def parse(argv: Sequence[str]) -> list[str]:
        if "--help" in argv or "-h" in argv:
            print(_help(name, usage))
            sys.exit(0)
        try:
            words = FLAGS(argv)[1:]
        except flags.Error as error:
            sys.exit(_complain(name, f"{str(error).splitlines()[0]} (see --help)", 2))
        if words and not takes_files:
            sys.exit(_complain(name, f"'{words[0]}' is not understood; this command takes flags only (see --help)", 2))
        return words

    def guarded(words: Sequence[str]) -> None:
        signal.signal(signal.SIGTERM, _terminate)
        absl_logging.set_verbosity(absl_logging.WARNING)
        # TensorFlow warns of retracing whenever two models predict in one process.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
        try:
            if needs_backend:
                import_backend()
            main(words)
        except LostHostError as error:
            _leave_at_once(_complain(name, str(error), 1))
        except InputError as error:
            sys.exit(_complain(name, str(error), 1))
        except OSError as error:
            place = error.filename or "writing"
            sys.exit(_complain(name, f"{place}: {error.strerror}; check the folder and its free space.", 1))
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in _NEEDED_BY_TRAINING:
                raise
            extra = _EXTRAS[os.environ.get("KERAS_BACKEND", "tensorflow")]
            sys.exit(_complain(name, f"needs {error.name}; type pip install '.[{extra}]' in the checkout.", 1))
        except _Terminated:
            sys.exit(_complain(name, "terminated; run the same command again to go on", 128 + signal.SIGTERM))
        except KeyboardInterrupt:
            sys.exit(_complain(name, "stopped; run the same command again to go on", 130))

    app.run(guarded, flags_parser=parse)


def run_command(name: str) -> None:
    """Runs the command of this name as the program itself."""
    package = "export" if name == "export_models" else "commands"
    module = importlib.import_module(f"keras3dgan.{package}.{name}")
    takes_files, needs_backend = getattr(module, "TAKES_FILES", False), getattr(module, "NEEDS_BACKEND", True)
    run(module.main, module.__doc__ or "", takes_files, needs_backend)


class _Terminated(KeyboardInterrupt):
    """SIGTERM, on which a training saves as on Ctrl-C."""


def _terminate(number: int, frame: Any) -> None:
    raise _Terminated


def import_backend() -> None:
    """Checks `KERAS_BACKEND`, and imports TensorFlow where it is installed, since on JAX too it reads data."""
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if backend not in _EXTRAS:
        raise InputError(f"KERAS_BACKEND: must be {' or '.join(_EXTRAS)}, got '{backend}'.")
    if importlib.util.find_spec(backend) is None:
        raise InputError(
            f"KERAS_BACKEND: {backend} is not installed; type pip install '.[{_EXTRAS[backend]}]' in the checkout, or set the "
            "variable to one that is."
        )
    import_tensorflow()


def add_codec() -> None:
    """Defines `--model` and what its streams are to reach."""
    from keras3dgan.codec import DEFAULT

    text = "a name, an octree model's .npz, or a run of train_octree, train_compressor or train_autoencoder"
    add(flags.DEFINE_string, "model", DEFAULT, text, MODEL)
    text = "every voxel exact, or an error; octree models do so unless told otherwise"
    add(flags.DEFINE_boolean, "lossless", False, text, MODEL)
    add(flags.DEFINE_integer, "bytes", None, "at most so many bytes a shape", MODEL)
    add(flags.DEFINE_float, "mean_bytes", None, "at most so many bytes a shape on average", MODEL)
    add(flags.DEFINE_float, "min_iou", None, "the fewest bytes with at least this IoU", MODEL)


def goal() -> Any:
    """The `Goal` that the flags of `add_codec` ask for."""
    from keras3dgan.codec import Goal

    given = Goal(FLAGS.bytes, FLAGS.mean_bytes, FLAGS.min_iou)
    if FLAGS.lossless and given != Goal():
        raise InputError("give one of --lossless, --bytes, --mean_bytes and --min_iou.")
    return Goal(min_iou=1.0) if FLAGS.lossless else given


def load_codec(goal: Any = None) -> Any:
    """The codec that `--model` names, and a backend of Keras where it needs one."""
    from keras3dgan import codec

    if codec.octree_file(FLAGS.model) is None:
        import_backend()
    return codec.load(FLAGS.model, goal or codec.Goal())


def import_tensorflow() -> None:
    """Imports TensorFlow, where it is installed, without what it has to say."""
    if importlib.util.find_spec("tensorflow"):
        with _silent_stderr():
            importlib.import_module("tensorflow")


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    """For the lines that TensorFlow's native code writes to stderr on every start, which no setting stops."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _complain(name: str, message: str, status: int) -> int:
    print(f"keras3dgan {name}: {message}", file=sys.stderr)
    return status


def _leave_at_once(status: int) -> NoReturn:
    """Ends the process without taking it apart: TensorFlow's threads still wait for the lost host, and would complain."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _help(name: str, usage: str) -> str:
    lines = [usage.strip()]
    for group, names in _groups.items():
        if names:
            lines.append(f"\n{group} flags:")
        for flag in names:
            default = FLAGS[flag].default
            shown = "" if default is None or "[" in (FLAGS[flag].help or "") else f" [{_show(default)}]"
            text = f"--{flag}: {FLAGS[flag].help}{shown}"
            lines.append(textwrap.fill(text, 118, initial_indent="  ", subsequent_indent="      "))
    return "\n".join(lines)


def _show(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(str(v) for v in value) or "all"
    return str(value)


def _range(name: str, words: Sequence[str]) -> tuple[float, float]:
    try:
        low, high = (float(word) for word in words)
    except ValueError as error:
        raise InputError(f"--{name}: give two numbers with a comma between, as 0.7,1.2.") from error
    return low, high
