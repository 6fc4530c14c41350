"""The same models in other engines."""

import numpy as np
import pytest

from keras3dgan import recipes
from keras3dgan.errors import InputError
from keras3dgan.export import engines
from keras3dgan.runs import Run


def test_onnx(trained, tmp_path):
    import onnxruntime

    rows = engines.write(Run(trained / "compressor"), tmp_path, "onnx")
    assert [row.path for row in rows] == [tmp_path / "decoder" / "1.onnx", tmp_path / "encoder" / "1.onnx"]
    assert all(row.difference < 1e-4 and row.milliseconds.keys() == {1, 32} for row in rows)
    session = onnxruntime.InferenceSession(str(rows[0].path))
    latents = np.random.default_rng(1).normal(0, 0.33, (3, 16)).astype(np.float32)
    [occupancy] = session.run(["occupancy"], {"latents": latents})
    expected = recipes.load_codec(str(trained / "compressor")).synthesise(latents)
    np.testing.assert_allclose(occupancy[..., 0], expected, atol=1e-4)
    lines = engines.table(rows).splitlines()
    assert len(lines) == 3 and "1.onnx" in lines[1] and "TensorFlow" in lines[1]
    assert engines.write(Run(trained / "voxnet"), tmp_path, "onnx")[0].path == tmp_path / "voxnet" / "1.onnx"


def test_litert(trained, tmp_path):
    rows = engines.write(Run(trained / "compressor"), tmp_path, "litert")
    assert [row.path.name for row in rows] == ["1.tflite", "1.tflite"] and all(row.difference < 1e-4 for row in rows)
    with pytest.raises(InputError, match=r"MaxPool3D.*take onnx"):
        engines.write(Run(trained / "voxnet"), tmp_path, "litert")
    assert not list((tmp_path / "voxnet").glob("*"))


def test_a_missing_package_gets_a_sentence(trained, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(InputError, match="needs tf2onnx"):
        engines.write(Run(trained / "compressor"), tmp_path, "onnx")
