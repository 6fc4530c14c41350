"""The octree models that come with the package."""

import json

import pytest

from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.codec.shipped import FINGERPRINTS, octree_file, shipped, shipped_as

_MOST_BYTES = 6 << 20


@pytest.mark.parametrize("name", shipped())
def test_a_model_is_small_and_what_its_name_says(name):
    path = octree_file(name)
    assert path.stat().st_size <= _MOST_BYTES
    model = OctreeModel.load(path)
    assert model.fingerprint == FINGERPRINTS[name] and shipped_as(model.fingerprint[:3]) == name
    assert name.startswith(f"octree{model.resolution}")
    assert model.codebook.classes is not None
    assert {"task", "data", "terms", "command", "results"} == set(
        json.loads(path.with_suffix(".metadata.json").read_text())
    )
