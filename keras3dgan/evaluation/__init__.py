"""Everything that measures runs and models."""
