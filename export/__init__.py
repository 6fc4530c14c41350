"""Trained models for other programs: SavedModels, ONNX, LiteRT, and what serves them."""
