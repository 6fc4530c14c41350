"""Builds `furniture_64.npz` and `ATTRIBUTION.tsv` from Debian's package `sweethome3d-furniture`.

    apt-get download sweethome3d-furniture && dpkg -x sweethome3d-furniture_*.deb unpacked
    python -m keras3dgan.datasets.furniture_voxels.build_archive unpacked/usr/share/sweethome3d/furniture

Only whoever changes the archive needs to run it; its result lies beside this file.
"""

import csv
import pathlib
import re
import sys
import tempfile
import zipfile

import numpy as np
import tqdm

from keras3dgan.datasets.furniture_voxels import catalogue
from keras3dgan.datasets.furniture_voxels.catalogue import Entry
from keras3dgan.errors import InputError
from keras3dgan.files import replacing
from keras3dgan.voxels import grid as grids
from keras3dgan.voxels import mesh as meshes
from keras3dgan.voxels.voxelize import voxelize

FOLDER = pathlib.Path(__file__).parent
RESOLUTION = 64
_MAX_BYTES = 3_000_000
_MIN_SHARE = 0.95
_LICENSES = {
    "BlendSwap-CC-0": "CC0 1.0",
    "BlendSwap-CC-BY": "CC BY 3.0",
    "KatorLegaz": "CC BY 3.0 US",
    "Reallusion": "CC BY 3.0 US",
    "Scopia": "CC BY 3.0",
}


def read_rules() -> list[tuple[str, re.Pattern[str], re.Pattern[str]]]:
    """The table `classes.tsv` as (class, category pattern, name pattern)."""
    rules = []
    for line in (FOLDER / "classes.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            name, categories, words = line.split("\t")
            rules.append(
                (
                    name,
                    re.compile(".*" if categories == "*" else rf"({categories})$"),
                    re.compile(".*" if words == "*" else rf"(.*\s)?({words})", re.IGNORECASE),
                )
            )
    return rules


def classify(entry: Entry, rules: list[tuple[str, re.Pattern[str], re.Pattern[str]]]) -> str:
    """The class of an entry: that of the first rule that matches."""
    for name, category, words in rules:
        if category.match(entry.values["category"]) and words.match(entry.values["name"]):
            return name
    raise ValueError(f"no rule for {entry.id}; the last line of classes.tsv must match everything")


def voxelize_entry(archive: zipfile.ZipFile, entry: Entry, folder: pathlib.Path) -> np.ndarray:
    """The solid grid of a model, turned and proportioned as Sweet Home 3D shows it, z up."""
    path = folder / "model.obj"
    try:
        path.write_bytes(archive.read(entry.model))
    except KeyError as error:
        raise InputError(f"{entry.model}: not in the catalogue.") from error
    mesh = meshes.read_mesh(path, up="z")
    mesh.apply_transform(entry.pose(mesh.vertices[np.unique(mesh.faces)]))
    return voxelize(mesh, RESOLUTION, name=entry.id)


def build(source: pathlib.Path) -> str:
    """Writes the archive and the attributions.

    Args:
        source: the folder with the five `.sh3f` catalogues.

    Returns:
        A sentence for the person who ran it.

    Raises:
        InputError: a catalogue is missing, fewer than 95 % of the models made it, or the archive is too large.
    """
    rules = read_rules()
    kept: list[tuple[Entry, str, np.ndarray]] = []
    skipped: list[tuple[Entry, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in _LICENSES:
            path = source / f"{name}.sh3f"
            if not path.is_file():
                raise InputError(f"{path}: missing; unpack Debian's package sweethome3d-furniture there.")
            with zipfile.ZipFile(path) as archive:
                for entry in tqdm.tqdm(list(catalogue.read(archive, name)), desc=name):
                    try:
                        kept.append(
                            (entry, classify(entry, rules), voxelize_entry(archive, entry, pathlib.Path(folder)))
                        )
                    except InputError as error:
                        skipped.append((entry, str(error)))
    if len(kept) < _MIN_SHARE * (len(kept) + len(skipped)):
        raise InputError(f"{source}: {len(skipped)} models failed, the first: {skipped[0][1]}")
    size = _write_archive(kept)
    _write_attribution(kept, skipped)
    return f"{len(kept)} models, {len(skipped)} skipped; wrote {FOLDER / 'furniture_64.npz'}, {size} bytes"


def _write_archive(kept: list[tuple[Entry, str, np.ndarray]]) -> int:
    path = FOLDER / "furniture_64.npz"
    names = sorted({name for _, name, _ in kept} - {"other"}) + ["other"]
    with replacing(path) as temporary:
        np.savez_compressed(
            temporary,
            packed=np.stack([grids.pack(grid) for _, _, grid in kept]),
            labels=np.array([names.index(name) for _, name, _ in kept], dtype=np.uint8),
            ids=np.array([entry.id for entry, _, _ in kept]),
            class_names=np.array(names),
        )
        size = temporary.stat().st_size
        if size > _MAX_BYTES:
            raise InputError(f"{path}: {size} bytes are more than the {_MAX_BYTES} allowed in the repository.")
    return size


def _write_attribution(kept: list[tuple[Entry, str, np.ndarray]], skipped: list[tuple[Entry, str]]) -> None:
    with replacing(FOLDER / "ATTRIBUTION.tsv") as temporary, open(temporary, "w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["id", "name", "class", "category", "creator", "licence", "source", "skipped because"])
        for entry, name, reason in [(e, c, "") for e, c, _ in kept] + [(e, "", r) for e, r in skipped]:
            writer.writerow(
                [
                    entry.id,
                    entry.values["name"],
                    name,
                    entry.values["category"],
                    entry.values["creator"],
                    _LICENSES[entry.catalogue],
                    f"sweethome3d-furniture 1.8, {entry.catalogue}.sh3f, {entry.model}",
                    reason,
                ]
            )


if __name__ == "__main__":
    try:
        print(build(pathlib.Path(sys.argv[1])))
    except (InputError, IndexError) as error:
        sys.exit(
            f"build_archive: {error if isinstance(error, InputError) else 'give the folder with the .sh3f files.'}"
        )
