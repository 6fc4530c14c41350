"""Adversarial models, and the training step that each backend of Keras gives them."""
