import numpy as np
import pytest

from keras3dgan.metrics import generation
from keras3dgan.metrics.generation import GenerationProtocol
from tests.conftest import boxes

# Rows: three generated shapes; columns: two reference shapes.
_DISTANCES = np.array([[0.1, 0.9], [0.2, 0.8], [0.7, 0.75]])


def test_coverage_and_matching_distance_by_hand():
    """All three are nearest to the first reference: half is covered. The references' nearest are 0.1 and 0.75 away."""
    assert generation.coverage(_DISTANCES) == 0.5
    np.testing.assert_allclose(generation.minimum_matching_distance(_DISTANCES), (0.1 + 0.75) / 2)


def test_a_transposed_matrix_gives_other_values():
    """The slip of public code: transposed, coverage would be 2 of 3 and the distance that of generated shapes."""
    np.testing.assert_allclose(generation.coverage(_DISTANCES.T), 2 / 3)
    np.testing.assert_allclose(generation.minimum_matching_distance(_DISTANCES.T), (0.1 + 0.2 + 0.7) / 3)


def test_nearest_neighbour_accuracy_by_hand():
    """Points on a line: generated 0, 1, 10; reference 2, 11, 12."""
    g, r = np.array([0.0, 1, 10]), np.array([2.0, 11, 12])
    matrices = [np.abs(a[:, None] - b[None, :]) for a, b in ((g, g), (g, r), (r, r))]
    # Nearest others: 0 -> 1 (own), 1 -> 0 or 2 (a tie, so not told), 10 -> 11 (other), 2 -> 1 (other), 11 -> 10 or 12 (a tie),
    # 12 -> 11 (own): two of six are told.
    np.testing.assert_allclose(generation.nearest_neighbour_accuracy(*matrices), 2 / 6)


def test_frechet_distance_by_hand():
    a = np.array([[0.0], [2.0]])  # mean 1, variance 2
    b = np.array([[5.0], [13.0]])  # mean 9, variance 32
    np.testing.assert_allclose(generation.frechet_distance(a, b), 8**2 + (32**0.5 - 2**0.5) ** 2)
    many = np.random.default_rng(0).normal(0, 1, (50, 8))
    np.testing.assert_allclose(generation.frechet_distance(many, many), 0, atol=1e-9)
    np.testing.assert_allclose(generation.frechet_distance(many, many + 2), 8 * 4, rtol=1e-6)


def test_frechet_distance_with_full_covariances():
    """Against the formula with a matrix root."""
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, (40, 4)) @ rng.normal(0, 1, (4, 4)), rng.normal(1, 2, (40, 4))
    ca, cb = np.cov(a.T), np.cov(b.T)
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb - 2 * sqrtm(ca @ cb).real)
    np.testing.assert_allclose(generation.frechet_distance(a, b), expected, rtol=1e-8)


def test_largest_component():
    grids = np.zeros((3, 8, 8, 8), np.uint8)
    grids[0, :3, 0, 0] = 1
    grids[1, :3, 0, 0] = grids[1, 6, 6, 6] = 1
    np.testing.assert_allclose(generation.largest_component(grids), (1 + 3 / 4 + 0) / 3)


@pytest.fixture(scope="module")
def shapes():
    return boxes(120, seed=1).grids(), boxes(40, seed=2).grids()


def test_identical_sets(shapes):
    train, reference = shapes
    measured = GenerationProtocol(reference, train).measure(reference.copy())
    for name in ("iou", "chamfer"):
        assert measured[f"mmd_{name}"] < 1e-6 and measured[f"nna_{name}"] == 0
        assert measured[f"coverage_{name}"] == len(np.unique(reference.reshape(40, -1), axis=0)) / 40


def test_disjoint_sets(shapes):
    train, reference = shapes
    generated = np.zeros_like(reference)
    generated[..., -1] = np.random.default_rng(0).random((40, 16, 16)) < 0.5  # where no box reaches
    measured = GenerationProtocol(reference, train).measure(generated)
    assert measured["mmd_iou"] == 1 and measured["nna_iou"] == measured["nna_chamfer"] == 1
    assert measured["novelty"] > 0.9 and measured["score"] > 0.9


def test_one_mode_repeated(shapes):
    train, reference = shapes
    protocol = GenerationProtocol(reference, train)
    measured = protocol.measure(np.repeat(train[:1], 40, axis=0))
    assert measured["diversity"] == measured["novelty"] == 0
    assert measured["coverage_iou"] == measured["coverage_chamfer"] == 1 / 40
    assert measured["nna_iou"] > 0.95
    assert "differ by 0.00" in protocol.collapse(measured)


def test_collapse_into_cubes_is_told_and_real_shapes_pass(shapes):
    train, reference = shapes
    protocol = GenerationProtocol(reference, train)
    assert "occupy 100.0%" in protocol.collapse(protocol.measure(np.ones_like(reference)))
    assert "occupy 0.0%" in protocol.collapse(protocol.measure(np.zeros_like(reference)))
    ceiling = protocol.ceiling()
    assert protocol.collapse(ceiling) is None and "novelty" not in ceiling
    assert 0.3 < ceiling["nna_iou"] < 0.7


def test_the_score_puts_real_shapes_before_copies_of_one_and_before_noise(shapes):
    train, reference = shapes
    protocol = GenerationProtocol(reference, train)
    noise = (np.random.default_rng(0).random(reference.shape) < 0.2).astype(np.uint8)
    bad = [protocol.measure(shapes)["score"] for shapes in (noise, np.repeat(train[:1], 40, axis=0))]
    assert protocol.ceiling()["score"] < 0.6 and min(bad) > 0.8


def test_features_and_counts(shapes):
    train, reference = shapes
    protocol = GenerationProtocol(reference, train, lambda grids: grids.reshape(len(grids), -1).astype(float))
    assert protocol.measure(reference)["frechet"] < 1e-6 < protocol.measure(train[:40])["frechet"]
    with pytest.raises(ValueError, match="compares 40 shapes"):
        protocol.measure(train)
