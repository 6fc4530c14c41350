import numpy as np

from keras3dgan.metrics import samples


def test_occupied_fraction():
    volumes = np.zeros((2, 4, 4, 4, 1), np.float32)
    volumes[0] = 0.8
    assert float(samples.occupied_fraction(volumes)) == 0.5


def test_diversity_of_known_sets():
    same = np.zeros((3, 4, 4, 4, 1), np.float32)
    same[:, :2] = 1
    disjoint = np.zeros((3, 4, 4, 4, 1), np.float32)
    for index in range(3):
        disjoint[index, index] = 1
    np.testing.assert_allclose(float(samples.diversity(same)), 0, atol=1e-6)
    np.testing.assert_allclose(float(samples.diversity(disjoint)), 1, atol=1e-6)
    np.testing.assert_allclose(float(samples.diversity(np.zeros((3, 4, 4, 4, 1), np.float32))), 0, atol=1e-6)
    # One of three differs: of the three pairs two are disjoint.
    mixed = same.copy()
    mixed[2] = 1 - mixed[2]
    np.testing.assert_allclose(float(samples.diversity(mixed)), 2 / 3, rtol=1e-6)
