"""The Debian packages that shapes are taken from, and the model files in them."""

from __future__ import annotations

import dataclasses
import functools
import gzip
import pathlib
import re
import zipfile
from collections.abc import Iterator

from keras3dgan.datasets.open_shapes_voxels.readers import READERS
from keras3dgan.errors import InputError

_SUFFIXES = re.compile(r"(\.dae)?(\.cached)?\.[^./]+$")


@dataclasses.dataclass(frozen=True)
class Package:
    """A package.

    Attributes:
        name: as Debian calls it.
        folder: where it puts its models.
        sources: which beginning of a path stands for which in the package's sources, of which debian/copyright speaks.
        axes: of its files: `z` up, `y` up, or `y left`, y up in left-handed coordinates.
        family: regular expression whose groups name the family of a model by its path; a family shares a split.
        archives: names of zip files in the folder that hold the models; none where they lie in the folder.
    """

    name: str
    folder: str
    sources: tuple[tuple[str, str], ...]
    axes: str
    family: str
    archives: tuple[str, ...] = ()


_OPENARENA = ("usr/share/games/openarena", (), "z", r"models/(.+)/")
PACKAGES = (
    Package(
        "0ad-data",
        "usr/share/games/0ad/mods/public",
        (("", "binaries/data/mods/public/"),),
        "y left",
        r"meshes/(.+)/([A-Za-z]+)",
        ("public.zip",),
    ),
    Package("flightgear-data-ai", "usr/share/games/flightgear", (), "y", r"AI/(Aircraft/[^/]+|[^/]+)"),
    Package("flightgear-data-models", "usr/share/games/flightgear", (), "y", r"Models/(.+)/([A-Za-z]+)"),
    Package("kicad-packages3d", "usr/share/kicad/3dmodels", (), "z", r"([A-Za-z]+(?:_[A-Za-z]+)?)"),
    Package("megaglest-data", "usr/share/games/megaglest", (), "y", r"(units/[^/]+|tilesets/[^/]+|.*(?=/))"),
    Package("openarena-081-players", *_OPENARENA, ("baseoa/pak2-players.pk3",)),
    Package("openarena-data", *_OPENARENA, ("baseoa/pak0.pk3", "missionpack/mp-pak0.pk3")),
    Package(
        "supertuxkart-data",
        "usr/share/games/supertuxkart",
        (),
        "y left",
        r"data/((?:karts|library|tracks)/[^/]+|models/[a-z]+)",
    ),
    Package(
        "torcs-data",
        "usr/share/games/torcs",
        (("cars/", "data/cars/models/"), ("wheels/", "data/cars/wheels/"), ("", "data/")),
        "y",
        r"(.*)/",
    ),
    Package(
        "warzone2100-data",
        "usr/share/games/warzone2100",
        (("", "data/base/"),),
        "y",
        r"(.+)/([a-z]{1,5})",
        ("base.wz", "mp.wz"),
    ),
)


@dataclasses.dataclass(frozen=True)
class Model:
    """A model file.

    Attributes:
        package: where it is from.
        path: inside the package's folder or archive.
        file: itself, or the archive that holds it.
    """

    package: Package
    path: str
    file: pathlib.Path

    @property
    def id(self) -> str:
        """Package and path without what programs put behind the name: `0ad-data/art/meshes/skeletal/bear`."""
        return f"{self.package.name}/{_SUFFIXES.sub('', self.path)}"

    @property
    def suffix(self) -> str:
        """Of its name, in lower case."""
        return pathlib.PurePath(self.path).suffix.lower()

    @property
    def source(self) -> str:
        """Its path in the package's sources."""
        for installed_at, source in self.package.sources:
            if self.path.startswith(installed_at):
                return source + self.path.removeprefix(installed_at)
        return self.path

    @property
    def family(self) -> str:
        """What it shares its split with: package and, mostly, folder and first word of the name."""
        match = re.search(self.package.family, self.path)
        words = [word for word in match.groups() if word] if match else [self.path.rsplit("/", 1)[0]]
        return "/".join([self.package.name, *words]).lower()

    def content(self) -> bytes:
        """The file's bytes.

        Raises:
            InputError: the archive is damaged.
        """
        if not self.package.archives:
            return self.file.read_bytes()
        try:
            return _archive(self.file).read(self.path)
        except (zipfile.BadZipFile, KeyError, OSError) as error:
            raise InputError(f"{self.file}: is damaged at {self.path}; install {self.package.name} again.") from error


def installed(root: pathlib.Path) -> list[tuple[Package, pathlib.Path]]:
    """The packages that are there, each with the folder that its own paths begin in.

    Args:
        root: `/` for those that are installed, or a folder with unpacked ones: all in it, or each in a folder of its name.

    Raises:
        InputError: there is none.
    """
    tops = [(package, top) for package in PACKAGES for top in (root / package.name, root)]
    found: dict[str, tuple[Package, pathlib.Path]] = {}
    for package, top in tops:
        if (top / "usr/share/doc" / package.name / "copyright").is_file() and (top / package.folder).is_dir():
            found.setdefault(package.name, (package, top))
    if not found:
        names = " ".join(package.name for package in PACKAGES)
        raise InputError(
            f"{root}: holds none of the packages; unpack some there, or install some and give the folder /: {names}."
        )
    return list(found.values())


def models(package: Package, top: pathlib.Path) -> Iterator[Model]:
    """The model files of a package in the order of their paths; links, which repeat other files, are left out."""
    folder = top / package.folder
    for name in package.archives:
        archive = folder / name
        if archive.is_file():
            for path in sorted(_archive(archive).namelist()):
                if pathlib.PurePath(path).suffix.lower() in READERS:
                    yield Model(package, path, archive)
    if not package.archives:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in READERS and path.is_file() and not path.is_symlink():
                yield Model(package, path.relative_to(folder).as_posix(), path)


def version(package: Package, top: pathlib.Path) -> str:
    """The package's version, of its list of changes; empty where there is none."""
    for name in ("changelog.Debian.gz", "changelog.gz"):
        path = top / "usr/share/doc" / package.name / name
        if path.is_file():
            with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
                match = re.match(r"\S+ \(([^)]+)\)", file.readline())
            if match:
                return match[1]
    return ""


@functools.cache
def _archive(path: pathlib.Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(f"{path}: is no readable archive; install the package again.") from error
