import json

import keras
import numpy as np
import pytest

from keras3dgan.errors import InputError
from keras3dgan.evaluation.classification import classification
from tests.conftest import boxes, run_command


class LooksAtOneCorner(keras.Model):
    """Class 1 where the first voxel is occupied."""

    def call(self, voxels):
        corner = voxels[:, 0, 0, 0]
        return keras.ops.concatenate([1 - corner, corner], axis=1)


def test_votes_are_quarter_turns_and_classes_are_counted():
    shapes = boxes(6, 8)
    grids = np.zeros((6, 8, 8, 8), np.uint8)
    grids[:, 4, 4, 4] = 1
    grids[0, 0, 0, 0] = grids[1, 0, 7, 0] = 1  # the second has its corner elsewhere
    shapes = type(shapes)(
        np.packbits(grids.reshape(6, -1), axis=1), np.array([1, 1, 0, 0, 0, 0]), shapes.ids, ("empty", "corner"), 8
    )
    one, four = (classification(LooksAtOneCorner(), shapes, votes) for votes in (1, 4))
    assert one == {"accuracy": round(5 / 6, 4), "shapes": 6, "by_class": {"empty": 1.0, "corner": 0.5}}
    assert four["by_class"] == {"empty": 1.0, "corner": 0.0}  # one position of four sees it
    with pytest.raises(InputError, match="votes: must be one of 1, 2, 4, got 3"):
        classification(LooksAtOneCorner(), shapes, 3)


def test_the_command(trained, tmp_path):
    out = run_command("evaluate_voxnet", f"--model={trained}/voxnet", f"--output={tmp_path}/r.json", "--votes=4").stdout
    content = json.loads((tmp_path / "r.json").read_text())
    assert content["classification"]["by_class"].keys() == {"bathtub", "chair"} and content["votes"] == 4
    assert f"accuracy {content['classification']['accuracy']:.1%}" in out
