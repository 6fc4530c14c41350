"""Codecs whose streams hold quantised latents."""
