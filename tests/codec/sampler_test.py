"""Shapes drawn from the octree model: the same on every machine, distributed as the model says, true to what is given."""

import hashlib
import io

import numpy as np
import pytest

from keras3dgan import codec
from keras3dgan.codec.octree import classes, draws, features
from keras3dgan.codec.octree.classes import Classes
from keras3dgan.codec.octree.codebook import Codebook
from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.codec.octree.octree_codec import OctreeCodec
from keras3dgan.codec.octree.sampler import Sampler
from keras3dgan.codec.octree.temperature import likelihoods, tempered
from keras3dgan.codec.refinement import refine
from keras3dgan.errors import InputError
from tests.codec.octree_model import random_model
from tests.conftest import boxes

GOLDEN = "757c1d79569a59f0"
_SHIPPED = "b6b1c81d5a72fc5e"
_REFINED = "8d789ec77515d05b"


@pytest.fixture(scope="module")
def model():
    return random_model(boxes(20))


@pytest.fixture(scope="module")
def shipped():
    return codec.load("octree32")


def digest(model: OctreeModel) -> str:
    """Of shapes drawn in every way, at several temperatures."""
    sampler, cold = Sampler(model, 1.0), Sampler(model, 0.8)
    coarse = features.pool(boxes(2).grids())
    known = np.zeros((16,) * 3, bool)
    known[:, :8] = True
    drawn = [sampler.sample(1), sampler.sample(2, 7), cold.sample(1)]
    drawn += [cold.refine(coarse[0], 16), cold.refine(coarse[1], 16, likely=True)]
    drawn += [cold.complete(boxes(1).grids()[0], known)]
    return _hash(drawn)


def _hash(grids) -> str:
    return hashlib.sha256(np.packbits(np.stack(grids)).tobytes()).hexdigest()[:16]


def test_golden_samples(model, shipped):
    """Integers throughout, so every machine draws these very shapes."""
    assert digest(model) == GOLDEN
    chairs = shipped.sample(3, seed=5, classes=["chair"])
    assert _hash([*shipped.sample(3), *chairs]) == _SHIPPED
    refined = refine(features.at_most(chairs, 16)[:1], 64, ["octree32", "octree64"], likely=True)
    assert refined.shape == (1, 64, 64, 64) and _hash(refined) == _REFINED
    np.testing.assert_array_equal(features.at_most(refined, 16), features.at_most(chairs, 16)[:1])


def test_shapes_depend_on_seed_and_index_alone(model):
    used = OctreeCodec(model)
    many = used.sample(5)
    assert many.dtype == np.uint8 and many.shape == (5, 16, 16, 16) and set(np.unique(many)) <= {0, 1}
    np.testing.assert_array_equal(used.sample(2), many[:2])
    np.testing.assert_array_equal(Sampler(model).sample(1, 4), many[4])
    assert len({grid.tobytes() for grid in [*many, *used.sample(5, seed=2), *used.sample(5, temperature=0.7)]}) == 15


def test_samples_are_distributed_as_decoded_random_bytes():
    """Of a level of a model without codebook, whose streams of nothing but a name come out empty and are left out."""
    whole = random_model(boxes(20))
    bare = OctreeModel({8: whole.networks[8]}, Codebook([np.zeros((0, 8, 8, 8), np.uint8)]))
    rng = np.random.default_rng(0)
    decoded = np.concatenate([bare.decode(rng.bytes(1000)) for _ in range(150)])
    decoded = decoded[decoded.any(axis=(1, 2, 3))][:120]
    sampler, cold = Sampler(bare, 1.0), Sampler(bare, 0.6)
    drawn, likely = (np.stack([s.sample(3, index) for index in range(120)]) for s in (sampler, cold))

    def costs(grids):
        return np.array([bare.cost(grid) for grid in grids])

    for measure in (costs, lambda grids: grids.mean(axis=(1, 2, 3))):
        one, two = measure(decoded), measure(drawn)
        error = np.hypot(one.std(), two.std()) / np.sqrt(120)
        assert abs(one.mean() - two.mean()) < 3 * error
    # Lower temperatures draw shapes that are likelier, hence cheaper.
    assert costs(likely).mean() < costs(drawn).mean() - 5 * costs(drawn).std() / np.sqrt(120)
    # Each voxel by itself: 512 normal numbers, more or less.
    sides = [(grids.mean(axis=0), grids.var(axis=0) + 1e-3) for grids in (decoded, drawn)]
    (mean, variance), (other, more) = sides
    assert np.mean(((mean - other) / np.sqrt((variance + more) / 120)) ** 2) < 1.5


def test_chances_are_tempered_in_integers():
    chances = np.array([1, 2, 655, 6554, 32768, 58982, 65535], np.int32)
    np.testing.assert_array_equal(tempered(chances, 1), chances << 14)
    for temperature in (0.1, 0.6, 0.8, 2.0):
        found = tempered(chances, temperature)
        assert found.dtype == np.int32 and found[4] == 1 << 29
        assert (np.diff(found) > 0).all() or temperature == 0.1
        np.testing.assert_array_equal(found + tempered(65536 - chances, temperature), 1 << 30)
        odds = (65536 / chances - 1) ** (1 / temperature)
        np.testing.assert_allclose(found, np.clip(2**30 / (1 + odds), 1, 2**30 - 1), atol=1)
    for bad in (0, -1, 11, float("nan"), float("inf")):
        with pytest.raises(InputError, match="temperature: must lie between 0.1 and 10"):
            tempered(chances, bad)


def test_random_numbers_are_splitmix64():
    state = draws.new_state(0)
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert [int(draws.draw(place, state)) for place in range(3)] == [number >> 34 for number in expected]
    assert [draws.draw(place, draws.new_state(5, likely=True)) for place in range(2)] == [(1 << 29) - 1] * 2
    keys = {draws.key(*words) for words in ((), (0,), (1,), (0, 0), (0, 1), (1, 0), (2**63,), (0, 1, 0))}
    assert len(keys) == 8 and all(0 <= key < 1 << 64 for key in keys)
    chosen = [draws.choose([0, 3, 0, 1], draws.key(1, index)) for index in range(4000)]
    assert set(chosen) == {1, 3} and abs(np.mean(np.array(chosen) == 1) - 0.75) < 0.03
    with pytest.raises(ValueError, match="no weight is above 0"):
        draws.choose([0, 0], 7)


def test_likelihoods_are_powers_of_two():
    assert likelihoods([65536 * 9, 65536 * 8, 65536 * 80], [1, 1, 5]) == [1 << 59, 1 << 60, 0]
    one, two = likelihoods([0, 32768], [3, 1])
    assert one == 3 << 60 and abs(two - 2**59.5) < 1 << 10


def test_a_refined_shape_is_the_shape_when_pooled(model):
    grids = boxes(4, seed=3).grids()
    coarse = features.pool(grids)
    used = OctreeCodec(model)
    finer = used.refine(coarse)
    assert finer.shape == grids.shape and (finer != used.refine(coarse, seed=2)).any()
    np.testing.assert_array_equal(features.pool(finer), coarse)
    np.testing.assert_array_equal(used.refine(coarse, 8), coarse)
    np.testing.assert_array_equal(used.refine(np.zeros((1, 8, 8, 8))), np.zeros((1, 16, 16, 16)))
    likely = used.refine(coarse, likely=True)
    np.testing.assert_array_equal(used.refine(coarse, likely=True, seed=9), likely)
    # It costs less than what is drawn.
    assert model.cost(likely[0]) < model.cost(finer[0])
    for grid, resolution in ((coarse, 32), (grids, 8), (np.zeros((1, 12, 12, 12)), 16)):
        with pytest.raises(InputError, match="resolution: this model refines 8, 16, each to those behind it, not"):
            used.refine(grid, resolution)


def test_models_refine_in_steps(model, tmp_path):
    path = tmp_path / "m.npz"
    path.write_bytes(model.to_bytes())
    coarse = features.pool(boxes(2).grids())
    np.testing.assert_array_equal(refine(coarse, 16, [path]), OctreeCodec(model).refine(coarse))
    np.testing.assert_array_equal(refine(coarse, 8, [path]), coarse)
    for grids, resolution in ((coarse, 64), (coarse, 12), (boxes(1).grids(), 8), (np.zeros((1, 10, 10, 10)), 16)):
        with pytest.raises(InputError, match="resolution: shapes are refined from one of 8, 16 to another, not"):
            refine(grids, resolution, [path])


def test_known_voxels_stay(model):
    grid = boxes(1, seed=4).grids()[0]
    used = OctreeCodec(model)
    rng = np.random.default_rng(0)
    for known in (rng.random(grid.shape) < 0.1, np.arange(16)[:, None, None] + 0 * grid < 8, grid > 0):
        found = used.complete(grid, known, count=3, candidates=4)
        assert (found[:, known] == grid[known]).all() and len({one.tobytes() for one in found}) == 3
    np.testing.assert_array_equal(used.complete(grid, np.ones(grid.shape, bool))[0], grid)
    np.testing.assert_array_equal(used.complete(1 - grid, np.ones(grid.shape, bool))[0], 1 - grid)
    with pytest.raises(ValueError, match="expected grids"):
        used.complete(grid[:8], grid[:8] > 0)
    with pytest.raises(ValueError, match="and 0"):
        used.complete(grid, grid > 0, candidates=0)


def test_candidates_make_completions_that_explain_what_is_known(shipped):
    """Of drawn chairs every twentieth voxel is known; the others come nearer to theirs the more candidates there are."""
    chairs = shipped.sample(4, classes=["chair"])
    known = np.random.default_rng(0).random(chairs[0].shape) < 0.05

    def wrong(candidates):
        found = np.concatenate([shipped.complete(chair, known, candidates=candidates) for chair in chairs])
        return (found != chairs).sum() / chairs.sum()

    assert wrong(16) < 0.95 * wrong(1)


def test_shapes_of_a_class_start_from_its_prototypes(model, monkeypatch):
    counts = np.zeros((7, 3), np.uint16)
    counts[[2, 4], [0, 1]] = 5
    labelled = OctreeModel(
        model.networks, Codebook(model.codebook.grades, model.codebook.known, None, Classes(("a", "b", "c"), counts))
    )
    assert labelled.fingerprint == model.fingerprint
    assert OctreeModel.from_bytes(labelled.to_bytes()).codebook.classes.names == ("a", "b", "c")
    codebook = labelled.codebook
    sampler, started = Sampler(labelled), []
    draw = Sampler._draw
    monkeypatch.setattr(
        Sampler, "_draw", lambda self, number, *rest: started.append(number) or draw(self, number, *rest)
    )
    for index in range(8):
        sampler.sample(1, index)
    assert len(started) == 8 and len(set(started)) > 3
    for wanted, numbers in ((["b"], {5}), (["a", "b"], {3, 5})):
        started.clear()
        for index in range(8):
            sampler.sample(1, index, wanted)
        assert set(started) == numbers
    # What is not near a prototype of its class is drawn anew, but not for ever.
    monkeypatch.setattr(codebook, "nearest", lambda grids: np.array([[3]]))
    started.clear()
    sampler.sample(1, 0, ["a"])
    assert started == [3]
    started.clear()
    sampler.sample(1, 0, ["b"])
    assert started == [5] * 16
    for name in ("d", "c"):
        with pytest.raises(InputError, match=f"classes: '{name}' is none of this model's; choose among a, b"):
            sampler.sample(1, 0, [name])
    with pytest.raises(InputError, match="classes: this model does not know"):
        Sampler(model).sample(1, 0, ["a"])
    with pytest.raises(ValueError, match="each prototype has a row of classes"):
        Codebook(codebook.grades, classes=Classes(("a",), counts[:3, :1]))


def test_classes_are_counted_by_where_shapes_start(model):
    grids = boxes(7).grids()
    numbers = model.codebook.nearest(grids)[:, 0]
    found = classes.count(np.append(numbers, 0), 7, [*"abababa", "c"])
    assert found.names == ("a", "b", "c")
    np.testing.assert_array_equal(found.counts[numbers - 1].argmax(axis=1), [0, 1, 0, 1, 0, 1, 0])
    assert found.counts.sum() == 7 and not found.counts[:, 2].any()


def test_a_table_beside_a_model_names_its_classes(model, tmp_path):
    path, table = tmp_path / "m.npz", tmp_path / "m.classes.json"
    path.write_bytes(model.to_bytes())
    assert OctreeModel.load(path).codebook.classes is None
    found = Classes(("a", "b"), np.arange(14, dtype=np.uint16).reshape(7, 2))
    found.write(table, model.fingerprint)
    again = OctreeModel.load(path).codebook.classes
    assert again.names == ("a", "b") and (again.counts == found.counts).all()
    good = table.read_text()
    for bad in (
        "",
        "[]",
        "{}",
        good.replace(model.fingerprint.hex(), "00"),
        good.replace('{"a": 2, "b": 3},', ""),
        good.replace("3", "-3"),
        good.replace("3", "70000"),
        good.replace("3", '"x"'),
        good.replace('{"a": 2, "b": 3}', "3"),
        "[" * 100_000,
    ):
        table.write_text(bad)
        with pytest.raises(InputError, match=r"m\.classes\.json: not the table of classes of the model beside it"):
            OctreeModel.load(path)


def test_classes_in_a_model_file_are_checked(model):
    arrays = {**model._arrays(), **Classes(("a", "b"), np.ones((7, 2), np.uint16)).arrays()}
    for changed in (
        {"class_counts": np.ones((6, 2), np.uint16)},
        {"class_counts": np.ones((7, 3), np.uint16)},
        {"class_counts": np.ones((7, 2), np.int64)},
        {"class_names": np.frombuffer(b"a\na", np.uint8)},
        {"class_names": np.frombuffer(b"a\n\xff", np.uint8)},
        {"class_names": None},
    ):
        content = io.BytesIO()
        np.savez(content, **{key: array for key, array in {**arrays, **changed}.items() if array is not None})
        with pytest.raises(InputError, match="x.npz: not a trained octree model, .*'class_"):
            OctreeModel.from_bytes(content.getvalue(), "x.npz")
