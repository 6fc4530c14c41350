"""The base of the builders that read files one by one, in this process or, where the source is large, with Apache Beam."""

from __future__ import annotations

import abc
import json
import pathlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn

import tensorflow_datasets as tfds
from etils import epath

from keras3dgan.datasets import shapes

if TYPE_CHECKING:
    from keras3dgan.datasets.beam_reading import ReadShapes

SPLITS = ("train", "validation", "test")


class VoxelBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """A builder of shapes; what differs is where the source lies and which shapes it holds.

    Given Beam options or a Beam runner (`tfds build --beam_pipeline_options=...`, or `beam_options` of a `DownloadConfig`),
    the files are read by Beam's workers, else one after the other in this process; the examples are the same.
    """

    _with_beam = False

    @abc.abstractmethod
    def _find_source(self, dl_manager: tfds.download.DownloadManager) -> pathlib.Path:
        """The folder that holds the source; `InputError` where it lacks."""

    @abc.abstractmethod
    def _shapes(self, source: pathlib.Path, split: str) -> Iterable[shapes.SourceShape]:
        """The shapes of a split."""

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        source = self._find_source(dl_manager)
        if self._with_beam:
            return {split: self._beam_examples(self._shapes(source, split), split) for split in SPLITS}
        skipped = self.info.metadata["skipped"]
        return {split: shapes.generate(self._shapes(source, split), split, skipped) for split in SPLITS}

    def _generate_examples(self) -> NoReturn:
        """Unused: `_split_generators` gives the generators themselves. TFDS demands it."""
        raise NotImplementedError

    def _beam_examples(self, sources: Iterable[shapes.SourceShape], split: str) -> ReadShapes:
        from keras3dgan.datasets.beam_reading import ReadShapes

        return ReadShapes(tuple(sources), split, self._skipped_file(split))

    def _skipped_file(self, split: str) -> epath.Path:
        # Beside the shards, which every worker can write to.
        return epath.Path(self.data_dir) / f"skipped-{split}.json"

    def _download_and_prepare(
        self, dl_manager: tfds.download.DownloadManager, download_config: tfds.download.DownloadConfig | None = None
    ) -> None:
        options = download_config or tfds.download.DownloadConfig()
        self._with_beam = bool(options.beam_options or options.beam_runner)
        super()._download_and_prepare(dl_manager=dl_manager, download_config=download_config)
        if self._with_beam:
            for split in SPLITS:
                self._collect_skipped(split)

    def _collect_skipped(self, split: str) -> None:
        file = self._skipped_file(split)
        bad = json.loads(file.read_text())
        file.unlink()
        self.info.metadata["skipped"].extend(bad)
        shapes.check_skipped(split, self.info.splits[split].num_examples, bad)
