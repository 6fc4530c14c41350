"""The octree model: exact round trips, golden streams, bounded work on anything, and the same integers in every process."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from keras3dgan.codec.octree import arithmetic, features, levels
from keras3dgan.codec.octree.codebook import Codebook
from keras3dgan.codec.octree.model import OctreeModel, Start
from keras3dgan.codec.octree.network import cumulated, from_floats
from keras3dgan.errors import InputError
from tests.codec import sampler_test
from tests.codec.octree_model import random_model
from tests.conftest import boxes, command_environment, corner_shape

_GOLDEN = "ef9ecc4416e847b89dbae97017f738772441a3b7e06400fc5fcef89c992e758f"


@pytest.fixture(scope="module")
def model():
    return random_model(boxes(20))


def _grids():
    noise = (np.random.default_rng(3).random((16, 16, 16)) < 0.1).astype(np.uint8)
    full, empty = np.ones_like(noise), np.zeros_like(noise)
    corner = np.kron(corner_shape(8), np.ones((2, 2, 2), np.uint8))
    return [*boxes(6, seed=9).grids(), noise, full, empty, corner]


def _encode(model, grid):
    return model.encode(grid[None])


def test_every_grid_comes_back_exactly_and_takes_what_it_costs(model):
    for grid in _grids():
        for start in (None, Start(0), Start(3), Start(model.codebook.prototypes + 2)):
            payload = model.encode(grid[None], start and [start])
            np.testing.assert_array_equal(model.decode(payload), grid[None])
            assert len(payload) < model.cost(grid, start) + 1.5
    # Occupied voxels at the end leave zeros, which are dropped; else a stream takes its entropy.
    assert len(_encode(model, _grids()[6])) > model.cost(_grids()[6]) - 1


def test_many_grids_in_one_payload_take_what_they_cost_together(model):
    grids = np.stack(_grids())
    starts = [model.start(grid) for grid in grids]
    starts[2] = Start(model.codebook.prototypes + 2, verbatim=True)
    grids[2] = model.codebook.shape(starts[2].number)
    payload = model.encode(grids, starts)
    np.testing.assert_array_equal(model.decode(payload, len(grids)), grids)
    cost = sum(model.cost(grid, start) for grid, start in zip(grids, starts, strict=True))
    assert cost - 2 < len(payload) < cost + 1.1
    assert model.encode(grids[:0]) == b""


def test_one_compilation_serves_everything(model):
    model.simplify(_grids()[0], Start(1), 1.0, [4.0])
    model.decode(_encode(model, _grids()[0]))
    assert len(levels.walk.signatures) == 1


def test_golden_streams(model):
    """Integers throughout, so every machine writes these very bytes."""
    content = b"".join(_encode(model, grid) for grid in _grids())
    assert hashlib.sha256(model.fingerprint + content).hexdigest() == _GOLDEN


def test_other_processes_and_thread_counts_write_the_same():
    code = (
        "import hashlib; from tests.codec import octree_test as t, sampler_test as s; m = t.random_model(t.boxes(20));"
        "print(hashlib.sha256(m.fingerprint + b''.join(t._encode(m, g) for g in t._grids())).hexdigest(), s.digest(m))"
    )
    # Compiled for a processor without any vector extension, and with one thread.
    environment = {**command_environment(), "OMP_NUM_THREADS": "1", "NUMBA_CPU_NAME": "generic"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, env=environment, cwd=os.getcwd()
    )
    assert done.stdout.split() == [_GOLDEN, sampler_test.GOLDEN], done.stderr


def test_any_bytes_give_a_grid(model):
    rng = np.random.default_rng(0)
    good = _encode(model, _grids()[0])
    for _ in range(200):
        mutated = bytearray(good)
        mutated[rng.integers(len(mutated))] ^= 1 << rng.integers(8)
        [grid] = model.decode(bytes(mutated[: rng.integers(len(mutated) + 1)]))
        assert grid.shape == (16, 16, 16) and set(np.unique(grid)) <= {0, 1}
    assert model.decode(b"\xff" * 5000).shape == (1, 16, 16, 16)
    assert model.decode(b"", 3).shape == (3, 16, 16, 16)


def test_simplified_shapes_are_cheaper_and_worse(model):
    grid = _grids()[6]
    one = Start(1)
    (cheap, cheap_bytes), (dear, dear_bytes) = (model.simplify(grid, one, price, [4.0]) for price in (0.5, 10.0))
    assert cheap_bytes < dear_bytes <= model.cost(grid, one)
    assert cheap_bytes == model.cost(cheap, one) and dear_bytes == model.cost(dear, one)
    assert (cheap != grid).sum() > (dear != grid).sum()
    exact, _ = model.simplify(grid, one, 1000.0, [4.0])
    np.testing.assert_array_equal(exact, grid)


def test_a_known_shape_takes_its_name_alone(model):
    known = boxes(20).grids()
    for row in (7, 12, 19):
        payload = _encode(model, known[row])
        assert len(payload) <= 2 == np.ceil(model.cost(known[row]))
        np.testing.assert_array_equal(model.decode(payload)[0], known[row])
    other = known[7].copy()
    other[0, 0, 0] = 1
    assert len(_encode(model, other)) > 2
    [(number, score), (_, less)] = model.codebook.nearest_known(other, 2)
    np.testing.assert_array_equal(model.codebook.shape(number), known[7])
    assert score == known[7].sum() / (known[7].sum() + 1) > less


def test_models_come_back_from_their_bytes(model):
    again = OctreeModel.from_bytes(model.to_bytes())
    assert again.fingerprint == model.fingerprint and again.resolution == 16
    assert _encode(again, _grids()[0]) == _encode(model, _grids()[0])
    for content in (b"", b"PK\x03\x04", model.to_bytes()[:-30]):
        with pytest.raises(InputError, match=r"octree\.npz: not a trained octree model"):
            OctreeModel.from_bytes(content, "octree.npz")


def test_parts_that_do_not_belong_together_are_refused(model):
    codebook = model.codebook
    with pytest.raises(ValueError, match="levels"):
        OctreeModel({16: model.networks[16]}, codebook)
    with pytest.raises(ValueError, match="other features"):
        OctreeModel({8: model.networks[16], 16: model.networks[8]}, codebook)
    with pytest.raises(ValueError, match="other levels"):
        OctreeModel(model.networks, Codebook(codebook.grades[:1]))
    with pytest.raises(ValueError, match="at most 256 units"):
        from_floats([], [])


def test_a_mirrored_pair_of_neighbours_is_one_feature_apart():
    """What a voxel is told does not change with anything at or behind it in raster order."""
    grid = _grids()[6]
    template = features.template(16)
    prototype = np.zeros(template.stride**3, np.uint8)
    buckets = np.zeros(features.MIRRORS, np.uint8)

    def told(x, y, z, shape):
        active = np.empty(template.begins[-1], np.int32)
        [flat] = features.padded(shape[None])
        count = features.voxel_features(flat, prototype, x, y, z, buckets, template, active)
        return sorted(active[:count].tolist())

    rng = np.random.default_rng(1)
    for x, y, z in rng.integers(0, 16, (40, 3)):
        behind = grid.reshape(-1).copy()
        own = (x * 16 + y) * 16 + z
        behind[own:] = rng.integers(0, 2, len(behind) - own)
        assert told(x, y, z, grid) == told(x, y, z, behind.reshape(grid.shape))


def test_the_highest_step_of_a_grade_stands_for_those_below(model):
    template, network = features.template(16), model.networks[16]
    first = int(template.begins[9])
    faster = cumulated(network, first, features.GRADES - 1)
    told = np.array([2, first - 1, first + 2, first + 4, first + 6], np.int32)  # grades 3, 2 and 1
    bits = np.zeros(template.begins[-1], np.uint8)
    features.each_step(told, len(told), template, bits)
    every = np.flatnonzero(bits)
    assert every.tolist() == [2, first - 1, *range(first, first + 3), first + 3, first + 4, first + 6]
    for before, after in ((network.glance, faster.glance), (network.first, faster.first)):
        np.testing.assert_array_equal(
            before[every].sum(axis=0, dtype=np.int16), after[told].sum(axis=0, dtype=np.int16)
        )


def test_the_coder_takes_the_entropy():
    rng = np.random.default_rng(0)
    chances = rng.integers(1, 65536, 20_000)
    bits = (rng.random(len(chances)) < chances / 65536).astype(np.uint8)
    stream, state = np.zeros(20_000, np.uint8), arithmetic.new_state()
    for bit, chance in zip(bits, chances, strict=True):
        arithmetic.encode(bit, chance, stream, state)
    content = arithmetic.finish(stream, state)
    ideal = sum(arithmetic.COSTS[np.where(bits, chances, 65536 - chances)]) / 65536 / 8
    assert ideal <= len(content) + 1 and len(content) <= ideal + 1
    again, state = np.frombuffer(content, np.uint8).copy(), arithmetic.new_state()
    arithmetic.start_decoding(again, state)
    assert [arithmetic.decode(chance, again, state) for chance in chances] == bits.tolist()


def test_numbers_take_what_their_weights_say(model):
    """Prototypes with many members are named in fewer bits, and all numbers come back."""
    members = np.array([1, 1, 50, 3, 200, 1, 7], np.uint16)
    weighted = OctreeModel(model.networks, Codebook(model.codebook.grades, model.codebook.known, members))
    weights = weighted.codebook.weights
    assert weights.tolist() == [2, *members, 9, *[0] * 7] and weighted.codebook.bits == 4
    for number in (0, 3, 5, 7, 8, 12):
        start = Start(number, verbatim=True)
        grid = weighted.codebook.shape(number)
        np.testing.assert_array_equal(weighted.decode(weighted.encode(grid[None], [start])), grid[None])
        bits = 3 - np.log2(weights[min(number, 8)] / weights.sum()) + 4 * (number > 7)
        assert weighted.cost(grid, start) == pytest.approx(bits / 8, abs=0.01)
    with pytest.raises(ValueError, match="each prototype has members"):
        Codebook(model.codebook.grades, members=np.zeros(7))
