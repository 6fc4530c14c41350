"""A self-contained HTML page: text, tables, and pictures embedded in it."""

from __future__ import annotations

import base64
import html
import os
from collections.abc import Iterable, Sequence
from typing import Any

from keras3dgan.files import replacing

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em; color: #222; }
h1 { font-size: 1.7em; } h2 { font-size: 1.25em; margin-top: 2em; border-bottom: 1px solid #ddd; }
img { max-width: 100%; } table { border-collapse: collapse; margin: 1em 0; }
td, th { padding: .25em .8em; border-bottom: 1px solid #e4e4e4; text-align: right; }
td:first-child, th:first-child { text-align: left; }
"""


class Page:
    """Collects sections and writes them as one HTML file that needs no other.

    Args:
        title: the page's heading.

    Example:
        >>> page = Page("Chairs")
        >>> page.table(["shape", "bytes"], [["chair 1", 21]])
        >>> page.write("chairs.html")
    """

    def __init__(self, title: str):
        self.title = title
        self.parts = [f"<h1>{html.escape(title)}</h1>"]

    def heading(self, text: str) -> None:
        """Starts a section."""
        self.parts.append(f"<h2>{html.escape(text)}</h2>")

    def text(self, text: str) -> None:
        """Adds a paragraph."""
        self.parts.append(f"<p>{html.escape(text)}</p>")

    def table(self, header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> None:
        """Adds a table."""

        def line(cells: Sequence[Any], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

        self.parts.append("<table>" + line(header, "th") + "".join(line(row, "td") for row in rows) + "</table>")

    def picture(self, png: bytes, caption: str) -> None:
        """Adds a PNG."""
        data = base64.b64encode(png).decode()
        text = html.escape(caption)
        self.parts.append(
            f'<figure><img alt="{text}" src="data:image/png;base64,{data}"><figcaption>{text}</figcaption></figure>'
        )

    def html(self, content: str) -> None:
        """Adds what is HTML already."""
        self.parts.append(content)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the page."""
        head = f"<meta charset='utf-8'><title>{html.escape(self.title)}</title><style>{_STYLE}</style>"
        with replacing(path) as temporary:
            temporary.write_text(
                f"<!doctype html><html lang='en'><head>{head}</head><body>{''.join(self.parts)}</body></html>"
            )
