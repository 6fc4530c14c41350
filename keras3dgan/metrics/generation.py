"""How good a set of generated shapes is: measured against shapes that the generator has never seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy import ndimage

from keras3dgan.metrics.distances import chamfer_distances, iou_distances

DISTANCES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "iou": iou_distances,
    "chamfer": chamfer_distances,
}


def coverage(distances: np.ndarray) -> float:
    """Share of the reference shapes that are the nearest one of some generated shape (Achlioptas et al. 2018).

    Args:
        distances: (generated, reference), in this order: transposed it would be another measure.

    Returns:
        In (0, 1]; higher is better, and modes that are missing lower it.
    """
    return len(np.unique(distances.argmin(axis=1))) / distances.shape[1]


def minimum_matching_distance(distances: np.ndarray) -> float:
    """Mean over the reference shapes of the distance to the nearest generated shape (Achlioptas et al. 2018).

    Args:
        distances: (generated, reference).

    Returns:
        At least 0, in the distance's unit; lower is better.
    """
    return float(distances.min(axis=0).mean())


def nearest_neighbour_accuracy(generated: np.ndarray, across: np.ndarray, reference: np.ndarray) -> float:
    """Leave-one-out accuracy of a 1-nearest-neighbour classifier that tells the two sets apart (Yang et al. 2019).

    Args:
        generated: distances (g, g) among generated shapes.
        across: distances (g, r) from generated to reference shapes.
        reference: distances (r, r) among reference shapes.

    Returns:
        In [0, 1]; 0.5 is best, 1 means that the sets differ without fail, below 0.5 that shapes were copied.
        Ties go to the other set, so that equal shapes in both sets count as not told apart.
    """
    count = len(generated)
    own_g = np.where(np.eye(count, dtype=bool), np.inf, generated).min(axis=1)
    own_r = np.where(np.eye(len(reference), dtype=bool), np.inf, reference).min(axis=1)
    right = (own_g < across.min(axis=1)).sum() + (own_r < across.min(axis=0)).sum()
    return float(right) / (count + len(reference))


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^1/2) of two sets of feature vectors (Heusel et al. 2017).

    Args:
        a: (count_a, features).
        b: (count_b, features). Its value depends on the counts: compare only figures of equal ones.

    Returns:
        At least 0, in squared units of the features; lower is better.
    """
    a, b = a.astype(np.float64), b.astype(np.float64)
    centred_a, centred_b = ((x - x.mean(axis=0)) / np.sqrt(max(len(x) - 1, 1)) for x in (a, b))
    # With C = X^T X the trace of the root of C_a C_b is the sum of the singular values of X_a X_b^T: no matrix root needed.
    cross = np.linalg.svd(centred_a @ centred_b.T, compute_uv=False).sum()
    traces = (centred_a**2).sum() + (centred_b**2).sum()
    return max(0.0, float(((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum() + traces - 2 * cross))


def mean_pairwise(distances: np.ndarray) -> float:
    """Mean distance (count, count) over all pairs of different members of a set; 0 where all shapes are the same."""
    count = len(distances)
    return float(distances.sum() - np.trace(distances)) / max(1, count * (count - 1))


def largest_component(grids: np.ndarray) -> float:
    """Mean share of a shape's voxels in its largest face-connected component, in [0, 1]; an empty grid counts as 0."""
    shares = []
    for grid in grids:
        labels, count = ndimage.label(grid)
        shares.append(np.bincount(labels.ravel())[1:].max() / (labels > 0).sum() if count else 0.0)
    return float(np.mean(shares))


@dataclasses.dataclass
class GenerationProtocol:
    """Measures sets of shapes against one reference set, always the same way.

    As many shapes are measured as the reference has. The score of real training shapes by the same protocol is the
    ceiling that a generator can be held against.

    Attributes:
        reference: uint8 (count, n, n, n), held out from training.
        train: uint8 (any, n, n, n), the shapes trained on, for novelty.
        features: grids (count, n, n, n) -> feature vectors (count, f), for the Frechet distance; none unless given.

    Example:
        >>> from keras3dgan import codec
        >>> train, held_out, new = (codec.load("octree32").sample(4, seed=seed) for seed in range(3))
        >>> protocol = GenerationProtocol(held_out, train)
        >>> 0 <= protocol.measure(new)["coverage_iou"] <= 1
        True
    """

    reference: np.ndarray
    train: np.ndarray
    features: Callable[[np.ndarray], np.ndarray] | None = None

    def __post_init__(self) -> None:
        self._among = {name: distance(self.reference, self.reference) for name, distance in DISTANCES.items()}
        self._reference_features = self.features(self.reference) if self.features else None

    @property
    def count(self) -> int:
        """How many shapes `measure` takes."""
        return len(self.reference)

    def measure(self, shapes: np.ndarray) -> dict[str, float]:
        """The metrics of a set of shapes.

        Args:
            shapes: (count, n, n, n), booleans or zeros and ones.

        Returns:
            `coverage_`, `mmd_` and `nna_` for `iou` and `chamfer`; `diversity` (mean 1 - IoU of pairs), `occupied`,
            `largest_component`, `novelty` (mean 1 - IoU to the nearest training shape), `frechet` if there are features,
            and `score`, see `generation_score`.

        Raises:
            ValueError: not as many shapes as the reference has.
        """
        if len(shapes) != self.count:
            raise ValueError(f"the protocol compares {self.count} shapes with as many, got {len(shapes)}.")
        result: dict[str, float] = {}
        for name, distance in DISTANCES.items():
            among, across = distance(shapes, shapes), distance(shapes, self.reference)
            result[f"coverage_{name}"] = coverage(across)
            result[f"mmd_{name}"] = minimum_matching_distance(across)
            result[f"nna_{name}"] = nearest_neighbour_accuracy(among, across, self._among[name])
            if name == "iou":
                result["diversity"] = mean_pairwise(among)
        result["occupied"] = float(shapes.mean())
        result["largest_component"] = largest_component(shapes)
        result["novelty"] = float(iou_distances(shapes, self.train).min(axis=1).mean())
        if self.features is not None and self._reference_features is not None:
            result["frechet"] = frechet_distance(self.features(shapes), self._reference_features)
        result["score"] = generation_score(result)
        return result

    def ceiling(self, seed: int = 0) -> dict[str, float]:
        """The metrics of training shapes drawn at random; novelty is left out, since they are training shapes."""
        rows = np.random.default_rng(seed).permutation(len(self.train))
        drawn = self.train[np.resize(rows, self.count)]
        return {name: value for name, value in self.measure(drawn).items() if name != "novelty"}

    def collapse(self, metrics: dict[str, float]) -> str | None:
        """One sentence if shapes with these metrics have collapsed, None if not."""
        occupied, diversity = float(self.reference.mean()), mean_pairwise(self._among["iou"])
        if not occupied / 4 <= metrics["occupied"] <= occupied * 4:
            return f"samples occupy {metrics['occupied']:.1%} of the volume, real shapes {occupied:.1%}"
        if metrics["diversity"] < diversity / 4:
            return f"samples differ by {metrics['diversity']:.2f} (mean 1 - IoU), real shapes by {diversity:.2f}"
        return None


def generation_score(metrics: dict[str, float]) -> float:
    """One number to keep the best generator by: the mean of 1 - coverage, 1-NN accuracy and MMD on IoU distance, and
    of 1 - coverage and 1-NN accuracy on Chamfer distance. In [0, 1]; lower is better, real shapes reach about 0.5.

    None of its terms will do alone: a single average shape has a good MMD, noise near a few shapes a good coverage.
    """
    terms = [metrics["mmd_iou"]]
    for name in DISTANCES:
        terms += [1 - metrics[f"coverage_{name}"], metrics[f"nna_{name}"]]
    return float(np.mean(terms))
