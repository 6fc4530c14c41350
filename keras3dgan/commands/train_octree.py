"""Trains the octree model, which codes shapes in few bytes, without loss or with little.

keras3dgan train_octree --workdir=runs/octree
keras3dgan train_octree --workdir=runs/octree --dataset=modelnet10.npz --more_datasets=furniture_voxels
"""

from keras3dgan.commands import cli
from keras3dgan.training.presets import PRESETS, OctreeSettings

cli.add_settings(OctreeSettings, list(PRESETS[OctreeSettings]))
cli.add_run()


def main(_):
    """Trains, or goes on training, the run of --workdir."""
    from keras3dgan.training.octree import train_octree

    with cli.training() as run:
        result = train_octree(cli.settings(OctreeSettings), run, cli.run_options())
    print(
        f"{run.path}: {result['steps']} steps in {result['seconds']:.0f} s; {result['last']['val_bytes']:.1f} bytes a validation "
        f"shape, every voxel exact; wrote {run.path}/models/octree.npz"
    )


if __name__ == "__main__":
    cli.run(main, __doc__)
