"""What the builders share: the features of an example, and a generator that goes on past bad files."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from absl import logging

from keras3dgan.datasets.packed_volume import PackedVolume
from keras3dgan.errors import InputError

# A build fails where more files than this share are bad, and more than this number: a single one never ends it.
_MAX_BAD_SHARE = 0.05
_MAX_BAD_FILES = 3
_LISTED = 20


@dataclasses.dataclass(frozen=True)
class SourceShape:
    """A shape that can be read when its turn comes.

    Attributes:
        id: unique in the data set, and the same wherever the source lies.
        label: the class name.
        read: gives the grid, (n, n, n), or raises `InputError`; it can be pickled where Beam is to read.
    """

    id: str
    label: str
    read: Callable[[], np.ndarray]


def dataset_info(
    builder: tfds.core.DatasetBuilder, resolution: int, class_names: Sequence[str], homepage: str
) -> tfds.core.DatasetInfo:
    """The information of a builder: `volume`, `label`, `id` and `split`, and in the metadata the list of bad files."""
    return builder.dataset_info_from_configs(
        features=tfds.features.FeaturesDict(
            {
                "volume": PackedVolume(resolution),
                "label": tfds.features.ClassLabel(names=class_names),
                "id": tfds.features.Text(),
                "split": tfds.features.Text(),
            }
        ),
        supervised_keys=("volume", "label"),
        homepage=homepage,
        metadata=tfds.core.MetadataDict(skipped=[]),
    )


def generate(shapes: Iterable[SourceShape], split: str, skipped: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Reads shapes one by one; bad files are counted and listed, and the build goes on.

    Args:
        shapes: what to read.
        split: its name.
        skipped: gets one sentence for every bad file; `info.metadata["skipped"]` of the builder.

    Yields:
        Key and example, as TFDS wants them.

    Raises:
        InputError: as `check_skipped`.
    """
    good, bad = 0, []
    for shape in shapes:
        try:
            yield example(shape, split)
        except InputError as error:
            bad.append(str(error))
        else:
            good += 1
    skipped.extend(bad)
    check_skipped(split, good, bad)


def example(shape: SourceShape, split: str) -> tuple[str, dict[str, Any]]:
    """Reads one shape: key and example, as TFDS wants them.

    Raises:
        InputError: the file cannot be read, or holds an empty grid.
    """
    volume = shape.read()
    if not volume.any():
        raise InputError(f"{shape.id}: the grid is empty.")
    return shape.id, {"volume": volume, "label": shape.label, "id": shape.id, "split": split}


def check_skipped(split: str, good: int, bad: Sequence[str]) -> None:
    """Says which files were skipped.

    Args:
        split: its name.
        good: number of shapes that were read.
        bad: one sentence for each file that could not be.

    Raises:
        InputError: more than 5 % of the files (and more than three) are bad, or there is none that is good.
    """
    if bad:
        listed = "\n  ".join(bad[:_LISTED])
        logging.warning("%s: skipped %d of %d files:\n  %s", split, len(bad), good + len(bad), listed)
    if good == 0 or (len(bad) > _MAX_BAD_FILES and len(bad) > _MAX_BAD_SHARE * (good + len(bad))):
        first = f"; the first: {bad[0]}" if bad else ""
        raise InputError(f"{split}: {len(bad)} of {good + len(bad)} files are bad, too many to go on{first}")


def manual_dir(dl_manager: tfds.download.DownloadManager, dataset: str, wanted: str, page: str) -> pathlib.Path:
    """The folder that the person has put the source into.

    Args:
        dl_manager: as TFDS passes it.
        dataset: the builder's name.
        wanted: what must lie in the folder.
        page: where to get it.

    Raises:
        InputError: TFDS was given no such folder.
    """
    try:
        return pathlib.Path(dl_manager.manual_dir)
    except Exception as error:  # TFDS raises a plain AssertionError and other kinds, depending on what is missing
        raise InputError(
            f"the source of {dataset} cannot be downloaded by a program; get {wanted} from {page} and name the folder "
            "that holds it as manual_dir.",
            "dataset",
        ) from error
