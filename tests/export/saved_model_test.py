"""Exported models: alone in the world, with the values of the Keras models, in versions that only grow."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from keras3dgan import recipes
from keras3dgan.codec.latent.entropy_coder import EntropyCoder
from keras3dgan.errors import InputError
from keras3dgan.export import saved_model
from keras3dgan.runs import Run
from keras3dgan.training.model_files import load_model
from keras3dgan.voxels.grid import pack
from tests.conftest import boxes, run_command

# Runs every signature that `requests.npz` has inputs for, `part/signature/input`, where nothing of ours can be imported.
_ELSEWHERE = """
import sys
for name in ("keras", "keras3dgan", "jax"): sys.modules[name] = None
import numpy as np, tensorflow as tf
folder, requests, replies = sys.argv[1:]
asked, answers = {}, {}
for key, value in np.load(requests).items():
    part, signature, name = key.split("/")
    asked.setdefault((part, signature), {})[name] = tf.constant(value)
for (part, signature), inputs in asked.items():
    model = tf.saved_model.load(f"{folder}/{part}/1")
    for name, value in model.signatures[signature](**inputs).items():
        answers[f"{part}/{signature}/{name}"] = value.numpy()
np.savez(replies, **answers)
"""


@pytest.fixture(scope="module")
def asked():
    """The inputs of every signature: of five shapes, a batch size that no model was built with."""
    grids = boxes(5, 32, seed=9).grids()
    voxels, packed = grids[..., None].astype(np.float32), pack(grids)
    rng = np.random.default_rng(0)
    latents = rng.normal(0, 0.33, (5, 16)).astype(np.float32)
    return {
        "encoder/serving_default/voxels": voxels,
        "encoder/compress/packed": packed,
        "encoder/describe/index": np.arange(2, dtype=np.int32),
        "decoder/serving_default/latents": latents,
        "decoder/decompress/symbols": rng.integers(-3, 3, (5, 16)).astype(np.int32),
        "generator/serving_default/latents": latents,
        "generator/generate/seed": np.array(7, np.int64),
        "generator/generate/count": np.array(3, np.int32),
        "voxnet/serving_default/voxels": voxels,
        "voxnet/classify/packed": packed,
    }


@pytest.fixture(scope="module")
def answers(exported, asked, tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    np.savez(folder / "requests.npz", **asked)
    words = [sys.executable, "-c", _ELSEWHERE, exported, folder / "requests.npz", folder / "replies.npz"]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(np.load(folder / "replies.npz", allow_pickle=True))


def test_values_are_those_of_the_keras_models(trained, asked, answers):
    codec = recipes.load_codec(str(trained / "compressor"))
    generator = load_model(Run(trained / "gan"), "generator")
    voxnet = load_model(Run(trained / "voxnet"), "voxnet")
    voxels, latents = asked["encoder/serving_default/voxels"], asked["decoder/serving_default/latents"]
    expected = {
        "encoder/serving_default/latents": codec.encoder(voxels, training=False),
        "decoder/serving_default/occupancy": codec.synthesise(latents)[..., None],
        "generator/serving_default/occupancy": tf.sigmoid(generator(latents, training=False)),
        "voxnet/serving_default/probabilities": voxnet(voxels, training=False),
        "voxnet/classify/probabilities": voxnet(voxels, training=False),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(answers[name], np.asarray(value), atol=1e-5, err_msg=name)


def test_symbols_bits_and_classes_are_exactly_the_same(trained, asked, answers):
    codec = recipes.load_codec(str(trained / "compressor"))
    grids = asked["encoder/serving_default/voxels"][..., 0]
    np.testing.assert_array_equal(answers["encoder/compress/symbols"], codec.coder.quantize(codec.analyse(grids)))
    occupancy = codec.synthesise(codec.coder.dequantize(asked["decoder/decompress/symbols"]))
    np.testing.assert_array_equal(answers["decoder/decompress/packed"], pack(occupancy > 0.5))
    assert answers["decoder/decompress/packed"].any()
    best = answers["voxnet/classify/probabilities"].argmax(axis=1)
    assert answers["voxnet/classify/class_name_bytes"].tolist() == [(b"bathtub", b"chair")[i] for i in best]


def test_a_seed_gives_the_same_shapes_again(exported, answers):
    generate = tf.saved_model.load(f"{exported}/generator/1").signatures["generate"]
    made = answers["generator/generate/occupancy"]
    assert made.shape == (3, 32, 32, 32, 1)

    def again(seed, count):
        return generate(seed=tf.constant(seed, tf.int64), count=tf.constant(count))["occupancy"].numpy()

    # A generator of three epochs hardly listens to its latents.
    assert np.abs(again(7, 3) - made).max() < 0.1 * np.abs(again(8, 3) - made).max()
    assert again(7, 0).shape == (0, 32, 32, 32, 1)


def test_the_model_says_what_a_client_needs(trained, exported, answers):
    content = (trained / "compressor" / "models" / "coder.npz").read_bytes()
    coder = EntropyCoder.from_bytes(content)
    for found in (*answers["encoder/describe/coder_bytes"], (exported / "decoder/1/assets/coder.npz").read_bytes()):
        assert EntropyCoder.from_bytes(found).fingerprint == coder.fingerprint
    card = json.loads((exported / "decoder/1/assets/model.json").read_text())
    assert card["codec"] == coder.fingerprint.hex() and card["threshold"] == 0.5 and card["kind"] == "compressor"
    with_batching = [p.parts[-3] for p in exported.glob("*/1/batching_params.pbtxt")]
    assert sorted(with_batching) == ["decoder", "encoder", "voxnet"]  # the generator's seed and count cannot be joined
    assert card["settings"]["width"] == 8 and card["trained"]["versions"]["keras"]


def test_warm_up_requests_are_answered(exported):
    from tensorflow_serving.apis import prediction_log_pb2

    for part, count in (("encoder", 3), ("decoder", 3), ("generator", 2), ("voxnet", 2)):
        model = tf.saved_model.load(f"{exported}/{part}/1")
        path = exported / part / "1" / "assets.extra" / "tf_serving_warmup_requests"
        records = [record.numpy() for record in tf.data.TFRecordDataset(str(path))]
        assert len(records) == count
        for record in records:
            request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
            inputs = {name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()}
            assert request.model_spec.name == part and model.signatures[request.model_spec.signature_name](**inputs)


def test_versions_grow_together_and_appear_whole(trained, tmp_path, monkeypatch):
    run = Run(trained / "autoencoder")
    (tmp_path / "encoder" / "6").mkdir(parents=True)
    assert saved_model.write(run, tmp_path, warmup=False) == [tmp_path / "decoder" / "7", tmp_path / "encoder" / "7"]
    assert not (tmp_path / "encoder" / "7" / "assets.extra").exists()

    def full_disk(part, run, folder, warmup):
        (folder / "variables").mkdir(parents=True)
        raise OSError(28, "No space left on device", str(folder))

    monkeypatch.setattr(saved_model, "_write_part", full_disk)
    with pytest.raises(OSError, match="No space"):
        saved_model.write(run, tmp_path, warmup=False)
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.glob("*/*")) == ["decoder/7", "encoder/6", "encoder/7"]


def test_what_cannot_be_exported_gets_a_sentence(trained, tmp_path, monkeypatch):
    for model, words in ((tmp_path, "no training run"), (trained / "unfinished", "has not finished")):
        if words == "has not finished":
            model.mkdir(exist_ok=True)
            (model / "config.json").write_text((trained / "compressor" / "config.json").read_text())
        result = run_command("export_models", f"--model={model}", f"--output={tmp_path}/out", check=False)
        assert result.returncode == 1 and words in result.stderr and result.stderr.count("\n") == 1
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    with pytest.raises(InputError, match="or go without"):
        saved_model.write(Run(trained / "voxnet"), tmp_path / "out")
    assert not list((tmp_path / "out").glob("*/*"))
