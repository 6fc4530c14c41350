"""Shapes in a browser: an octree model as one file for `web/decoder.js`, the viewer as a page, an archive as a site."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import os
import pathlib
import re
import shutil
import string
import struct
from collections.abc import Mapping, Sequence

import numpy as np

from keras3dgan.codec.archive import Archive
from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.errors import InputError
from keras3dgan.files import replacing

WEB = pathlib.Path(__file__).parent / "web"
MAGIC = b"G3M\x01"
_LAYERS = ("glance", "glance_last", "first", "second", "third", "last")
_IMPORT = re.compile(r'^import (\{[^}]+\}) from "\./([\w.]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:function\*?|class|const) (\w+))", re.MULTILINE)


def web_model(model: OctreeModel) -> bytes:
    """The file of a model that a browser reads: gzip of a header and of what the fingerprint is over (docs/g3c.md).

    Args:
        model: trained.
    """
    codebook = model.codebook
    arrays = [*codebook.grades, codebook.members, codebook.known]
    for _, network in sorted(model.networks.items()):
        arrays += list(network)
    body = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
    if hashlib.sha256(body).digest() != model.fingerprint:
        raise RuntimeError("the fingerprint is over other arrays than docs/g3c.md says; please report this")
    header = {
        "resolution": model.resolution,
        "prototypes": codebook.prototypes,
        "known": len(codebook.known),
        "units": {n: {name: getattr(net, name).shape for name in _LAYERS} for n, net in sorted(model.networks.items())},
        "fingerprint": model.fingerprint.hex(),
    }
    text = json.dumps(header).encode()
    return gzip.compress(MAGIC + struct.pack("<I", len(text)) + text + body, 9, mtime=0)


def write(
    model: OctreeModel, output: str | os.PathLike[str], archive: str | os.PathLike[str] | None = None
) -> pathlib.Path:
    """Writes what the suffix of `output` says: `.g3m` the model's file, `.html` the viewer, none the site of an archive.

    Args:
        model: trained.
        output: the file or folder.
        archive: the shapes of the viewer or the site.

    Returns:
        What to open or to load.

    Raises:
        InputError: another suffix; an archive for a `.g3m` file, none for a site, or one of another model.
    """
    output = pathlib.Path(output)
    if output.suffix == ".g3m" and archive is None:
        write_web_model(model, output)
        return output
    if output.suffix == ".html":
        write_viewer([model], output, archive)
        return output
    if output.suffix == "" and archive is not None:
        return write_site(archive, model, output)
    raise InputError(f"{output}: give a .g3m file, an .html page, or with an archive a folder for a site.")


def write_web_model(model: OctreeModel, path: str | os.PathLike[str]) -> None:
    """Writes a model as one `.g3m` file for the decoder and the viewer."""
    with replacing(path) as temporary:
        temporary.write_bytes(web_model(model))


def write_viewer(
    models: Sequence[OctreeModel],
    path: str | os.PathLike[str],
    archive: str | os.PathLike[str] | None = None,
    title: str = "Shapes",
) -> None:
    """Writes the viewer as one page that works from a disk, without a network; it holds the models and the archive.

    Args:
        models: those whose files it can show; more can be dropped into it.
        path: of the page.
        archive: whose shapes it shows at first; of one of the models.
        title: of the page.

    Raises:
        InputError: the archive is damaged, or another model's.
    """
    if archive:
        _check(Archive(archive), models)
    found = [{"name": f"model {m.resolution}^3", "content": _base64(web_model(m))} for m in models]
    examples = _base64(pathlib.Path(archive).read_bytes()) if archive else None
    with replacing(path) as temporary:
        temporary.write_text(_page(title, {"models": found, "examples": examples}))


def write_site(
    archive: str | os.PathLike[str],
    model: OctreeModel,
    output: str | os.PathLike[str],
    ious: Sequence[float] | None = None,
    title: str | None = None,
) -> pathlib.Path:
    """Writes a folder that any web server shows: the page, the model, and the archive, of which only parts are fetched.

    Args:
        archive: a `.g3a` file of the model.
        model: which wrote it.
        output: the folder.
        ious: of the shapes with their originals, in the archive's order, where they are known.
        title: of the page; default: the archive's name.

    Returns:
        The page, `index.html`.

    Raises:
        InputError: the archive is damaged, or another model's, or there are more or fewer IoUs than shapes.
    """
    found = Archive(archive)
    _check(found, [model])
    if ious is not None and len(ious) != len(found):
        raise InputError(f"{archive}: holds {len(found)} shapes, there are {len(ious)} IoUs; give one a shape.")
    output = pathlib.Path(output)
    write_web_model(model, output / "model.g3m")
    with replacing(output / "shapes.g3a") as temporary:
        shutil.copyfile(archive, temporary)
    embedded = {
        "models": [{"name": "model.g3m", "url": "model.g3m"}],
        "archive": "shapes.g3a",
        "ious": None if ious is None else [round(float(iou), 4) for iou in ious],
    }
    with replacing(output / "index.html") as temporary:
        temporary.write_text(_page(title or pathlib.Path(archive).stem, embedded))
    return output / "index.html"


def _check(archive: Archive, models: Sequence[OctreeModel]) -> None:
    if archive.fingerprint not in [model.fingerprint[: len(archive.fingerprint)] for model in models]:
        raise InputError(f"{archive.path}: written by model {archive.fingerprint.hex()}, not by this; name that.")


def bundle(entry: str) -> str:
    """A module of `web/` and all that it imports as one classic script, which works from a disk and in a worker."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name not in order:
            for _, other in _IMPORT.findall((WEB / name).read_text()):
                visit(other)
            order.append(name)

    visit(entry)
    parts = [_as_function(name) for name in order]
    return "(() => {\n'use strict';\nconst modules = {};\n" + "\n".join(parts) + "\n})();\n"


def _as_function(name: str) -> str:
    source = (WEB / name).read_text()
    names = ", ".join(found for _, found in _EXPORT.findall(source))
    source = _IMPORT.sub(lambda found: f'const {found[1]} = modules["{found[2]}"];', source)
    source = _EXPORT.sub(r"\1", source)
    return f'modules["{name}"] = (() => {{\n{source}\nreturn {{ {names} }};\n}})();'


def library() -> str:
    """three.js, with its licence."""
    return (WEB / "three.min.js").read_text()


def as_json(content: object) -> str:
    """JSON that is safe in a `<script>`."""
    return json.dumps(content).replace("<", "\\u003c")


def _page(title: str, embedded: Mapping[str, object]) -> str:
    template = string.Template((WEB / "viewer.html").read_text())
    return template.substitute(
        title=html.escape(title),
        style=(WEB / "viewer.css").read_text(),
        embedded=as_json(embedded),
        worker=bundle("worker.js"),
        three=library(),
        script=bundle("viewer.js"),
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
