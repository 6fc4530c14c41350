"""What files of results say of a run."""

import json

import pytest

from keras3dgan.errors import InputError
from keras3dgan.evaluation.quality import own, quality, sentence
from keras3dgan.runs import Run


def _file(tmp_path, **content):
    (tmp_path / "r.json").write_text(json.dumps(content))
    return tmp_path / "r.json"


def test_each_kind_of_file(tmp_path):
    run = Run("runs/chair/it")
    rows = {"PCA": {"iou": 0.9, "bytes": 80.0}, "ours": {"run": "old/it", "iou": 0.93214, "bytes": 61.2, "shapes": 12}}
    measured = quality(_file(tmp_path, split="validation", codecs=rows), run)
    assert measured == {"split": "validation", "shapes": 12, "IoU": 0.9321, "bytes": 61.2}
    assert sentence(measured) == "IoU 0.932, bytes 61.2 (12 validation shapes)"
    rows = {"training shapes": {"score": 0.5}, "x/it": {"score": 0.9}, "runs/chair/it": {"score": 0.6, "diversity": 1}}
    assert quality(_file(tmp_path, split="test", shapes=100, generators=rows), run)["score"] == 0.6
    rows = {"3D-VAE-GAN": {"iou": 0.4, "iou_all_views": 0.5, "shapes": 7}, "mean": {"iou": 0.3}}
    file = _file(tmp_path, split="test", reconstruction=rows, trainings={"a/it": {}})
    assert sentence(quality(file, run)) == "IoU, one view 0.4, IoU, all views 0.5 (7 test shapes)"
    file = _file(tmp_path, split="test", votes=4, classification={"accuracy": 0.93, "shapes": 9, "by_class": {}})
    assert sentence(quality(file, run)) == "accuracy by 4 votes 0.93 (9 test shapes)"
    rows = {"trained": {"test_accuracy": 0.91}, "untrained": {"test_accuracy": 0.85}}
    assert quality(_file(tmp_path, features=rows, test_shapes=9), run) == {
        "split": "test",
        "shapes": 9,
        "linear SVM": 0.91,
    }


def test_files_that_do_not_tell_of_the_run(tmp_path):
    for content, words in (
        ({"generators": {"a/other": {}, "training shapes": {}}}, "does not tell of runs/it but of a/other, training"),
        ({"generators": {"a/it": {}, "b/it": {}}}, "does not tell of runs/it but of a/it, b/it"),
        ({"measurements": {}}, "no file of an evaluate command"),
    ):
        with pytest.raises(InputError, match=words):
            quality(_file(tmp_path, **content), Run("runs/it"))


def test_a_classifier_measures_itself(trained):
    [measured] = own(Run(trained / "voxnet"))
    assert 0 <= measured["accuracy"] <= 1 and measured["shapes"] > 5
    assert own(Run(trained / "gan")) == []
