"""Reading of shapes by Apache Beam's workers."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
from etils import epath

from keras3dgan.datasets import shapes
from keras3dgan.errors import InputError

_BAD = "bad"


class ReadShapes(beam.PTransform):
    """Gives key and example of each shape that can be read, and writes the sentences on all others into a file.

    Args:
        sources: what to read.
        split: its name.
        skipped: JSON file that gets the sentences, sorted, on storage that all workers see.
    """

    def __init__(self, sources: Sequence[shapes.SourceShape], split: str, skipped: epath.Path):
        super().__init__()
        self._sources = sources
        self._split = split
        self._skipped = skipped

    def expand(self, input_or_inputs: Any) -> Any:
        """Examples, as TFDS wants them."""
        read = (
            input_or_inputs.pipeline
            | "Sources" >> beam.Create(self._sources)
            | "Spread" >> beam.Reshuffle()
            | "Read" >> beam.ParDo(_Read(self._split)).with_outputs(_BAD, main="good")
        )
        _ = read[_BAD] | "List" >> beam.combiners.ToList() | "Write" >> beam.Map(_write, self._skipped)
        return read["good"]


class _Read(beam.DoFn):
    def __init__(self, split: str):
        self._split = split

    def process(self, shape: shapes.SourceShape) -> Iterator[Any]:
        try:
            yield shapes.example(shape, self._split)
        except InputError as error:
            yield beam.pvalue.TaggedOutput(_BAD, str(error))


def _write(sentences: list[str], file: epath.Path) -> None:
    file.write_text(json.dumps(sorted(sentences)))
