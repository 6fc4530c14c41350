"""Writes presets of finished runs: trained weights in half precision, and a model card that tells where they come from."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Sequence
from typing import Any

from keras3dgan import data
from keras3dgan.codec.latent.entropy_coder import EntropyCoder
from keras3dgan.evaluation import quality
from keras3dgan.export import model_card
from keras3dgan.models import preset_files
from keras3dgan.models.fingerprint import fingerprint
from keras3dgan.presets import Preset
from keras3dgan.presets.preset import OF_CONFIG
from keras3dgan.recipes import offer, recipe_of
from keras3dgan.runs import Run
from keras3dgan.training.model_files import load_model
from keras3dgan.training.settings import Settings


def write(
    run: Run,
    output: str | os.PathLike[str],
    results: Sequence[str | os.PathLike[str]] = (),
    limitations: str = "",
    network: str | None = None,
    terms: str = "",
    shares: str | None = None,
) -> Preset:
    """Writes a preset of a run.

    A codec's weights tell its streams apart, and these are rounded: what a run has compressed, its preset does not
    restore, nor the other way round.

    Args:
        run: finished; or a preset, which is written anew.
        output: the folder; its last part is the preset's name. A preset that lies there is replaced.
        results: what `evaluate` commands have measured of the run; default: what the training or the preset says itself.
        limitations: what the model is bad at, in a sentence or two; default: what the preset says.
        network: only this network of the run, as `discriminator`; default: what the run's kind is for.
        terms: what may be done with a model that has learnt from the run's data; default: what is known of the data set.
        shares: a preset of this package whose weights are not stored a second time, as that of the autoencoder whose decoder a
            GAN uses.

    Returns:
        The preset.

    Raises:
        InputError: the run is missing or not finished, of a kind that has no presets, a file of results does not tell of it,
            terms are not known, nothing is shared, or something else lies in the folder.
    """
    whole = offer(run, "preset")
    run.finished("run")
    before = run.metadata() if isinstance(run, Preset) else {}
    network, shares = network or before.get("network"), shares or before.get("shares")
    measured = [quality.quality(path, run) for path in results] or before.get("quality") or quality.own(run)
    model = load_model(run, network) if network else whole(run)
    if network:
        model.name = network  # by which `load_model` finds it again
    preset_files.round_weights(model)
    coders = [] if network else _coders(run, model)
    told = metadata(run, measured, limitations or before.get("limitations", ""), terms or before.get("terms", ""))
    told["data"] = before.get("data", told["data"])
    with Preset.writing(output) as preset:
        preset.save_coders([coder.to_bytes() for coder in coders])
        fingerprints = [coder.fingerprint.hex() for coder in coders]
        preset_files.save(model, preset, shares=shares, **told, network=network, coders=fingerprints)
        name = pathlib.Path(output).resolve().name
        (preset.path / "README.md").write_text(model_card.card(name, preset.metadata(), preset.model_config()))
    return Preset(output)


def _coders(run: Run, model: Any) -> list[EntropyCoder]:
    """The entropy tables of a run for its decoder as the preset has it."""
    files = run.coder_files()
    decoder = fingerprint(model.decoder) if files else b""
    return [EntropyCoder.from_bytes(path.read_bytes(), str(path)).of_decoder(decoder) for path in files]


def metadata(run: Run, measured: list[dict[str, Any]], limitations: str, terms: str = "") -> dict[str, Any]:
    """What `metadata.json` says of a run: what it was trained for, on what, by which command, and how good it is."""
    recipe, config = recipe_of(run), run.config()
    settings = _without_folders(recipe.read_settings(run))
    title, terms = (pathlib.Path(settings.dataset).stem, terms) if terms else data.terms(settings.dataset)
    classes = ", ".join(settings.classes) or "all classes"
    return {
        **{key: config.get(key) for key in OF_CONFIG},
        "settings": dataclasses.asdict(settings),
        "result": run.result(),
        "task": recipe.task,
        "data": f"{title}, {classes}, {settings.resolution}^3",
        "terms": terms,
        "command": recipe.command(settings, config.get("parts") or ()),
        "quality": measured,
        "limitations": limitations,
    }


def _without_folders(settings: Settings) -> Settings:
    """Settings that name files by their last part: where they lay is nobody's business."""
    names = [name for name, value in dataclasses.asdict(settings).items() if isinstance(value, str) and _is_path(value)]
    return dataclasses.replace(settings, **{name: pathlib.Path(getattr(settings, name)).name for name in names})


def _is_path(value: str) -> bool:
    return value.lower().endswith(".npz") or value.startswith((".", "~", "/"))
