"""What the commands share: flags in two groups, short help, and errors in one sentence."""

from __future__ import annotations

import contextlib
import errno
import importlib
import importlib.util
import io
import logging
import math
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from absl import app, flags
from absl import logging as absl_logging

from keras3dgan import recipes
from keras3dgan.bounded import Limits
from keras3dgan.codec import DEFAULT, Goal, shipped
from keras3dgan.codec.shape_codec import ShapeCodec
from keras3dgan.codec.shipped import BEST
from keras3dgan.commands import interrupts
from keras3dgan.commands.items import sentence
from keras3dgan.errors import InputError, LostHostError, printable
from keras3dgan.runs import Run
from keras3dgan.training.options import Options
from keras3dgan.training.recipe import Recipe

FLAGS = flags.FLAGS
MODEL, INFRASTRUCTURE = "Model", "Infrastructure"
_groups: dict[str, list[str]] = {MODEL: [], INFRASTRUCTURE: []}
# The extra of setup.py that brings a backend of Keras.
_EXTRAS = {"tensorflow": "cpu", "jax": "jax"}
# The flag of a setting, by the type of its default; bool comes before int, which it is one of.
_DEFINES: dict[type, Callable[..., Any]] = {
    bool: flags.DEFINE_boolean,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    tuple: flags.DEFINE_list,
    str: flags.DEFINE_string,
}
# In errors of TensorFlow, which writes TensorBoard's events; Python's own are of another class.
_FULL_DISK = re.compile(rf"(\S+); ({os.strerror(errno.ENOSPC)}|{os.strerror(errno.EDQUOT)})")
# absl's words for a required flag that is not given.
_REQUIRED = re.compile(r"Flag --(\w+) must have a value other than None")
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


def add_settings(recipe: Recipe) -> None:
    """Defines `--preset` and one flag for every setting of a recipe; unset flags leave the preset's value."""
    first = next(iter(recipe.presets))
    add(flags.DEFINE_string, "preset", first, f"named values of all flags below: {', '.join(recipe.presets)}", MODEL)
    for name, field in recipe.fields().items():
        text = f"{field.metadata['help']} [{first}: {_show(name, field.default)}]"
        define = next(define for kind, define in _DEFINES.items() if isinstance(field.default, kind))
        add(define, name, None, text, MODEL)


def settings(recipe: Recipe) -> Any:
    """The settings that `--preset` and the flags given ask for."""
    overrides: dict[str, Any] = {}
    for name, field in recipe.fields().items():
        value = FLAGS[name].value
        if value is None:
            continue
        if isinstance(field.default, tuple) and field.default:
            value = _range(name, value)
        overrides[name] = tuple(value) if isinstance(value, list) else value
    return recipe.make_settings(FLAGS.preset, **overrides)


def add_data() -> None:
    """Defines `--data_dir` and `--manual_dir`."""
    add(flags.DEFINE_string, "data_dir", None, "where TFDS keeps prepared data sets [its own default]")
    text = "folder with the source of a data set that is fetched by hand, or with a preset's .npz"
    add(flags.DEFINE_string, "manual_dir", None, text)


def add_run() -> None:
    """Defines what every training takes: `--workdir`, data folders, checkpoints."""
    add(flags.DEFINE_string, "workdir", None, "folder of the run; given again, training goes on where it was")
    flags.mark_flag_as_required("workdir")
    add_data()
    add(flags.DEFINE_float, "checkpoint_seconds", 60.0, "training time that a kill may cost at most, in whole epochs")
    text = "mirrored: all GPUs of this host; multi_worker: TF_CONFIG's hosts"
    add(enum("none", "mirrored", "multi_worker"), "strategy", "none", text)
    add(flags.DEFINE_integer, "virtual_cpus", 1, "split the CPU into so many devices, to try --strategy without GPUs")


@contextlib.contextmanager
def training() -> Iterator[Run]:
    """Gives the run of `--workdir`, locked; what is trained inside runs under `--strategy`."""
    from keras3dgan import backend

    if FLAGS.virtual_cpus < 1:
        raise InputError(f"must be at least 1, got {FLAGS.virtual_cpus}.", "virtual_cpus")
    # From joining the other hosts to leaving them: whatever a lost one interrupts ends in one sentence.
    with backend.host_failures(FLAGS.strategy), backend.scope(FLAGS.strategy, FLAGS.virtual_cpus):
        run = Run(FLAGS.workdir, backend.is_first_host(FLAGS.strategy))
        with run.locked():
            yield run


def run_options() -> Options:
    """The values of the flags of `add_run`, as the training functions take them."""
    from keras3dgan.report.sample_pictures import draw

    return Options(FLAGS.data_dir, FLAGS.manual_dir, FLAGS.checkpoint_seconds, FLAGS.samples_every, draw)


def run(
    main: Callable[[Sequence[str]], None],
    name: str,
    usage: str,
    takes_files: bool = False,
    needs_backend: bool = True,
    goes_on: bool = False,
) -> None:
    """Parses flags and runs a command.

    Args:
        main: gets the words that are no flags.
        name: of the command.
        usage: a line that says what the command does, and examples.
        takes_files: whether words that are no flags are allowed.
        needs_backend: whether Keras must have a backend to run on.
        goes_on: whether the same command, once stopped, goes on where it was.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for stream in (sys.stdout, sys.stderr):  # names of files may be in no encoding, and terminals in ASCII
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    again = "; run the same command again to go on" if goes_on else ""

    def guarded(words: Sequence[str]) -> None:
        interrupts.catch()
        absl_logging.set_verbosity(absl_logging.WARNING)
        # TensorFlow warns of retracing whenever two models predict in one process.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
        if sys.stderr.isatty():
            _show_progress(name)
        try:
            if needs_backend:
                import_backend()
            main(words)
        except LostHostError as error:
            interrupts.leave_at_once(_complain(name, sentence(error), 1))
        except InputError as error:
            sys.exit(_complain(name, sentence(error), 1))
        except BrokenPipeError:
            raise  # whoever read the output has left
        except OSError as error:
            what = f"{error.strerror or error}; check the folder and its free space."
            if isinstance(error, FileExistsError | NotADirectoryError):
                what = "is a file, or a file is above it; name a folder."
            sys.exit(_complain(name, f"{error.filename or 'writing'}: {what}", 1))
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in _NEEDED_BY_TRAINING:
                raise
            extra = _EXTRAS[os.environ.get("KERAS_BACKEND", "tensorflow")]
            sys.exit(_complain(name, f"needs {error.name}; type pip install '.[{extra}]' in the checkout.", 1))
        except KeyboardInterrupt as error:
            word, status = interrupts.status(error)
            interrupts.leave_at_once(_complain(name, word + again, status))
        except Exception as error:
            if full := _FULL_DISK.search(str(error)):
                sys.exit(_complain(name, f"{full[1]}: {full[2]}; check the folder and its free space.", 1))
            raise

    app.run(guarded, flags_parser=lambda argv: _parse(argv, name, usage, takes_files))


def _parse(argv: Sequence[str], name: str, usage: str, takes_files: bool) -> list[str]:
    """The words that are no flags; prints help, or what is wrong with them, and exits."""
    if "--help" in argv or "-h" in argv:
        print(_help(name, usage))
        sys.exit(0)
    try:
        words = FLAGS(argv)[1:]
    except flags.Error as error:
        said = str(error).splitlines()[0]
        if missing := _REQUIRED.search(said):
            said = f"give --{missing[1]}"
        sys.exit(_complain(name, f"{said} (see --help)", 2))
    if words and not takes_files:
        sys.exit(_complain(name, f"'{words[0]}' is not understood; this command takes flags only (see --help)", 2))
    return words


def _show_progress(name: str) -> None:
    """Shows on a terminal what takes its time."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(f"keras3dgan {name}: %(message)s"))
    log = logging.getLogger("keras3dgan")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def import_backend() -> None:
    """Checks `KERAS_BACKEND`, and imports TensorFlow where it is installed, since on JAX too it reads data."""
    chosen = "KERAS_BACKEND" in os.environ
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if backend not in _EXTRAS:
        raise InputError(f"KERAS_BACKEND: must be {' or '.join(_EXTRAS)}, got '{backend}'.")
    if importlib.util.find_spec(backend) is None:
        remedy = f"type pip install '.[{_EXTRAS[backend]}]' in the checkout"
        if chosen:
            raise InputError(
                f"KERAS_BACKEND: {backend} is not installed; {remedy}, or set the variable to one that is."
            )
        raise InputError(f"needs {backend}; {remedy}.")
    import_tensorflow()


def add_codec(default: str | None = DEFAULT) -> None:
    """Defines `--model` and what its streams are to reach."""
    names = ", ".join([*shipped(), *recipes.preset_names("codec")])
    text = f"a name ({names}), an octree model's .npz, or a run or a preset that has a codec"
    text += "" if default else f" [{DEFAULT}; {BEST[64]} and {BEST[128]} for grids of 64^3 and 128^3]"
    add(flags.DEFINE_string, "model", default, text, MODEL)
    text = "every voxel exact, or an error; octree models' default"
    add(flags.DEFINE_boolean, "lossless", False, text, MODEL)
    text = "at most so many bytes a shape, with its placement; header, index and names of an archive are not counted"
    add(flags.DEFINE_integer, "bytes", None, text, MODEL)
    add(flags.DEFINE_float, "mean_bytes", None, "as --bytes, but on average", MODEL)
    add(flags.DEFINE_float, "min_iou", None, "the fewest bytes with at least this IoU", MODEL)
    add_latent_steps(
        "models with latents: steps that look for better ones than the encoder's, e.g. 20; slow, and nearer"
    )


def add_latent_steps(text: str) -> None:
    """Defines `--latent_steps`."""
    add(flags.DEFINE_integer, "latent_steps", 0, text, MODEL)


def add_model(what: str) -> None:
    """Defines `--model`, a run or a preset that offers something, an attribute of `Recipe`."""
    text = f"run or preset (a name, folder or hf://owner/name): {recipes.sources(what)}"
    add(flags.DEFINE_string, "model", None, text, MODEL)
    flags.mark_flag_as_required("model")


def add_overwrite() -> None:
    """Defines `--overwrite`."""
    add(flags.DEFINE_boolean, "overwrite", False, "replace files that are there already, when --output is not given")


def add_measuring(picture: str | None = None) -> None:
    """Defines on what is measured and where to write: `--split`, `--output`, `--picture` and `--page` of what that text says."""
    text = "test, for final numbers; or validation, for choices"
    add(enum("test", "validation"), "split", "test", text, MODEL)
    add(flags.DEFINE_string, "output", None, "JSON file to write")
    flags.mark_flag_as_required("output")
    if picture:
        add(flags.DEFINE_string, "picture", None, f"PNG file to write: {picture}")
        add(flags.DEFINE_string, "page", None, "HTML page to write: the same shapes, which turn")
    add_data()


def add_reading() -> None:
    """Defines how files of shapes are read."""
    text = "axis that points up in the files: auto (y for glTF, z otherwise), y or z"
    add(enum("auto", "y", "z"), "up", "auto", text)
    add(flags.DEFINE_float, "threshold", None, "grids: values above it are occupied [0.5, which the values must fit]")
    add(flags.DEFINE_boolean, "invert", False, "grids: low values are occupied, as distances that are negative inside")
    limits = Limits()
    add(flags.DEFINE_float, "read_seconds", limits.seconds, "that reading one file may take")
    add(flags.DEFINE_integer, "read_mib", limits.bytes >> 20, "of memory, that reading one file may take")


def add_keep_placement() -> None:
    """Defines `--keep_placement`."""
    text = "meshes come back in their own position and scale, for 3 to 8 bytes; left out where it would take more"
    add(flags.DEFINE_boolean, "keep_placement", True, text)


def reading() -> dict[str, Any]:
    """The flags of `add_reading`, as `voxels.io.read_shape` takes them."""
    for name in ("read_seconds", "read_mib"):
        value: Any = FLAGS[name].value
        if not 0 < value < math.inf:
            raise InputError(f"must be a number above 0, got {value}.", name)
    limits = Limits(FLAGS.read_seconds, FLAGS.read_mib << 20)
    return {"up": FLAGS.up, "threshold": FLAGS.threshold, "invert": FLAGS.invert, "limits": limits}


def goal() -> Goal:
    """The goal that the flags of `add_codec` ask for."""
    wanted = (FLAGS.bytes, FLAGS.mean_bytes, FLAGS.min_iou)
    if sum(value is not None for value in wanted) + FLAGS.lossless > 1:
        raise InputError("give one of --lossless, --bytes, --mean_bytes and --min_iou.")
    return Goal(FLAGS.bytes, FLAGS.mean_bytes, 1.0 if FLAGS.lossless else FLAGS.min_iou, FLAGS.latent_steps)


def load_codec(model: str, goal: Goal = Goal()) -> ShapeCodec:
    """The codec of a model that a flag names, and a backend of Keras where it needs one."""
    if (run := recipes.find(model, "codec")) and recipes.recipe_of(run).needs_keras:
        import_backend()
    return recipes.load_codec(model, goal)


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
    shown = printable(message, kept="\n")
    print(f"keras3dgan {name}: {shown}", file=sys.stderr)
    return status


def _help(name: str, usage: str) -> str:
    lines = [usage.strip()]
    for group, names in _groups.items():
        if names:
            lines.append(f"\n{group} flags:")
        for flag in names:
            default, help = FLAGS[flag].default, FLAGS[flag].help or ""
            text = f"--{flag}: {help}" + ("" if default is None or "[" in help else f" [{_show(flag, default)}]")
            lines.append(textwrap.fill(text, 118, initial_indent="  ", subsequent_indent="      "))
    return "\n".join(lines)


def _show(name: str, value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(str(v) for v in value) or ("all" if name == "classes" else "none")
    return str(value)


def _range(name: str, words: Sequence[str]) -> tuple[float, float]:
    try:
        low, high = (float(word) for word in words)
    except ValueError as error:
        raise InputError("give two numbers with a comma between, as 0.7,1.2.", name) from error
    return low, high
