"""Pictures of shapes: rendered, read from files, and kept beside the shapes that they show."""
