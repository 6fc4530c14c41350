"""Says which classes of shapes the prototypes of the package's octree models stand for; writes a table beside each model.

python benchmarks/octree_classes.py --data=modelnet10.npz

Counts only: of the shapes that a model learnt from, how many of each class its encoder would start from each prototype.
"""

from __future__ import annotations

import argparse
import pathlib

import numpy as np

from keras3dgan import codec, data
from keras3dgan.codec.octree import classes
from keras3dgan.codec.octree.model import OctreeModel

_FURNITURE = "furniture_voxels"
# The splits that each model learnt from (docs/octree.md).
_SPLITS = {"octree32": ("train", "validation"), "octree64": ("train",)}


def main() -> None:
    """Writes the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="the .npz file of ModelNet10")
    parser.add_argument("--data_dir", help="where TFDS keeps prepared data sets")
    arguments = parser.parse_args()
    for name, splits in _SPLITS.items():
        path = codec.octree_file(name)
        assert path is not None
        model = OctreeModel.from_bytes(path.read_bytes(), str(path))
        sources = [arguments.data, _FURNITURE] if name == "octree32" else [_FURNITURE]
        sets = [data.load(s, p, (), model.resolution, arguments.data_dir) for s in sources for p in splits]
        numbers = np.concatenate([model.codebook.nearest(each.grids())[:, 0] for each in sets])
        labels = [each.class_names[label] for each in sets for label in each.labels]
        found = classes.count(numbers, model.codebook.prototypes, labels)
        table = pathlib.Path(path).with_suffix(".classes.json")
        found.write(table, model.fingerprint)
        totals = dict(zip(found.names, found.counts.sum(axis=0).tolist(), strict=True))
        print(f"{table}: {len(labels)} shapes, {totals}")


if __name__ == "__main__":
    main()
