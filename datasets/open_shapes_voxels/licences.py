"""Under what licence a file of a package is, by the package's machine-readable debian/copyright (DEP 5)."""

from __future__ import annotations

import fnmatch
import pathlib
import re

from keras3dgan.errors import InputError

# Whose shapes may be carried and named by a model that is given away (README.md).
CARRIED = re.compile(r"(CC0|CC-BY-\d|CC-BY$|public-domain|Expat|MIT|BSD|zlib)", re.IGNORECASE)


class Licences:
    """The `Files` paragraphs of a copyright file; of those that match a path, the last counts.

    Args:
        path: the file, `/usr/share/doc/<package>/copyright`.

    Raises:
        InputError: it is of another form.
    """

    def __init__(self, path: pathlib.Path):
        self._paragraphs: list[tuple[re.Pattern[str], str, str]] = []
        for paragraph in re.split(r"\n[ \t]*\n", path.read_text(encoding="utf-8", errors="replace")):
            fields = _fields(paragraph)
            if "files" in fields and "license" in fields:
                patterns = [fnmatch.translate(word) for word in fields["files"].split()]
                holders = " ".join(fields.get("copyright", "").split())
                name = fields["license"].strip().split("\n")[0].strip()
                self._paragraphs.append((re.compile("|".join(patterns)), name, holders))
        if not self._paragraphs:
            raise InputError(f"{path}: is no machine-readable copyright file; take the package of Debian 12.")

    def of(self, path: str) -> tuple[str, str]:
        """Licence and copyright holders of a file, by its path in the package's sources."""
        found = [(name, holders) for pattern, name, holders in self._paragraphs if pattern.match(path)]
        return found[-1] if found else ("unknown", "")


def may_be_carried(licence: str) -> bool:
    """Whether shapes under a licence may be bundled: attribution at most is asked for."""
    return bool(CARRIED.match(licence))


def _fields(paragraph: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    key = ""
    for line in paragraph.split("\n"):
        match = re.match(r"([A-Za-z-]+):(.*)", line)
        if match:
            key = match[1].lower()
            fields[key] = match[2]
        elif key:
            fields[key] += "\n" + line
    return fields
