"""The model card of a preset (Mitchell et al. 2019), as `README.md` in its folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras3dgan.evaluation import quality

# Of the fields that the Hugging Face Hub reads.
_HEAD = """---
library_name: keras3dgan
license: {license}
---
# {name}

A {model} of keras3dgan that {task}.

```python
from keras3dgan.models import {model}

model = {model}.from_preset("{name}")
```

Commands take its name, or its folder, as `--model`.

| | |
|---|---|
"""


def card(name: str, metadata: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """The text of the card.

    Args:
        name: of the preset.
        metadata: content of its `metadata.json`, as `preset_export.metadata` makes it.
        config: content of its `config.json`.
    """
    # Of one data set alone the licence is a usual one.
    licence = "cc-by-3.0" if metadata["data"].startswith("furniture_voxels") else "other"
    text = _HEAD.format(license=licence, name=name, model=config["class_name"], task=metadata["task"])
    text += "".join(f"| {title} | {_cell(value)} |\n" for title, value in _rows(metadata).items())
    return text + "\nThe settings are in `metadata.json`.\n"


def _rows(metadata: Mapping[str, Any]) -> dict[str, str]:
    result, hardware, settings = metadata["result"], metadata["hardware"], metadata["settings"]
    shapes = f", {result['train_shapes']} training shapes" if "train_shapes" in result else ""
    versions = ", ".join(f"{package} {version}" for package, version in metadata["versions"].items())
    return {
        "data": metadata["data"] + shapes,
        "terms": metadata["terms"],
        "recipe": f"`{metadata['command']}`",
        "training": f"{result['steps']} steps, {result['epochs']} epochs, {result['seconds'] / 3600:.1f} hours",
        "hardware": f"{hardware['cores']} cores of {hardware['cpu']}",
        "seed": str(settings["seed"]),
        "commit": f"`{metadata['commit']}`; {versions}",
        "parameters": f"{metadata['parameter_count']:,}, kernels in float16",
        "measured": "; ".join(map(quality.sentence, metadata["quality"])) or "not measured",
        "bad at": metadata["limitations"] or "not written down",
    }


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
