"""A server for the tests of the client: TensorFlow Serving where `TF_SERVING_ADDRESS` names one, else ours, in process."""

import os
import pathlib

import pytest

from tests.conftest import boxes

RESOLUTION, LATENTS = 32, 8


@pytest.fixture(scope="session")
def codec():
    """A codec of two small networks with random weights."""
    from keras3dgan.codec.latent.entropy_coder import EntropyCoder
    from keras3dgan.codec.latent.neural import NeuralCodec

    found = NeuralCodec(_of_grids(LATENTS), _of_latents(), [])
    latents = found.analyse(boxes(16, RESOLUTION).grids())
    found.coders = [EntropyCoder.fit(latents, 0.1, RESOLUTION, b"decoder")]
    return found


@pytest.fixture(scope="session")
def exported(codec, tmp_path_factory) -> pathlib.Path:
    """A folder with `encoder`, `decoder`, `generator` and `voxnet` as SavedModels, version 1 each."""
    import keras

    from keras3dgan.export import signatures
    from keras3dgan.training.recipe import Part

    decoder = keras.Model(codec.decoder.input, keras.ops.sigmoid(codec.decoder.output))
    generator, voxnet = _of_latents("sigmoid"), _of_grids(2, "softmax")
    folder = tmp_path_factory.mktemp("exported")
    for part in (
        Part("encoder", "encoder", codec.encoder, codec.coder),
        Part("decoder", "decoder", decoder, codec.coder),
        Part("generator", "generator", generator, latent_stddev=1.0),
        Part("voxnet", "classifier", voxnet, class_names=("bathtub", "chair")),
    ):
        archive = keras.export.ExportArchive()
        archive.track(part.model)
        for signature, (function, inputs) in signatures.BY_ROLE[part.role](part.model, part).items():
            archive.add_endpoint(signature, function, input_signature=inputs)
        archive.write_out(str(folder / part.name / "1"), verbose=False)
    return folder


def _of_grids(size, activation=None):
    from keras import Input, Model, layers

    voxels = Input((RESOLUTION,) * 3 + (1,))
    features = layers.Flatten()(layers.AveragePooling3D(8)(voxels))
    return Model(voxels, layers.Dense(size, activation, kernel_initializer="random_normal")(features))


def _of_latents(activation=None):
    from keras import Input, Model, layers

    latents = Input((LATENTS,))
    voxels = layers.Dense(RESOLUTION**3, activation, kernel_initializer="random_normal")(latents)
    return Model(latents, layers.Reshape((RESOLUTION,) * 3 + (1,))(voxels))


@pytest.fixture(scope="session")
def registry(exported):
    from keras3dgan.serving.models import ModelConfig, Registry

    folders = sorted(exported.iterdir())
    found = Registry([ModelConfig(name=p.name, base_path=str(p), version_labels={"stable": 1}) for p in folders])
    assert found.update() == []
    return found


@pytest.fixture(scope="session")
def development_server(registry):
    """Its gRPC and REST addresses; a request may have 2 MiB, half of one as JSON, and 17 shapes."""
    from keras3dgan.serving.models import Limits
    from keras3dgan.serving.server import Server

    server = Server(registry, Limits(batch=17, bytes=2 << 20))
    server.start()
    yield {"grpc": server.address, "rest": server.rest_address}
    server.stop()


@pytest.fixture(scope="session")
def addresses(request) -> dict[str, str]:
    """`grpc` and `rest` -> address. `TF_SERVING_ADDRESS=host:8500,http://host:8501` names a server of exported models."""
    named = os.environ.get("TF_SERVING_ADDRESS")
    if named:
        return dict(zip(("grpc", "rest"), named.split(","), strict=True))
    return request.getfixturevalue("development_server")


@pytest.fixture(scope="session")
def secrets(tmp_path_factory) -> pathlib.Path:
    """A folder with `tls.crt` and `tls.key` for 127.0.0.1, their authority's `ca.pem`, another's, a `token` and a wrong one."""
    trustme = pytest.importorskip("trustme")
    folder = tmp_path_factory.mktemp("secrets")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    trustme.CA().cert_pem.write_to_path(folder / "other.pem")
    issued.private_key_pem.write_to_path(folder / "tls.key")
    issued.cert_chain_pems[0].write_to_path(folder / "tls.crt")
    (folder / "token").write_text("s3cret\n")
    (folder / "wrong").write_text("guess\n")
    return folder
