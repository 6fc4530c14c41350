"""The octree codec: exact shapes in few bytes, by an integer network that predicts voxel after voxel (docs/octree.md)."""
