"""The console script `keras3dgan <command> [flags]`."""

import sys

from keras3dgan.commands import cli

COMMANDS = {
    "train_gan": "train a 3D-GAN",
    "train_voxnet": "train the classifier behind the perceptual loss",
    "train_compressor": "train the generative compressor",
    "train_autoencoder": "train the plain autoencoder, the baseline",
    "train_vae_gan": "train a 3D-VAE-GAN, which makes a shape of a picture",
    "train_octree": "train the model that codes shapes without loss",
    "generate": "make new shapes with a trained 3D-GAN",
    "reconstruct": "turn a picture into a shape",
    "compress": "turn shapes into .g3c files",
    "decompress": "turn .g3c files into shapes",
    "bulk_compress": "turn a whole collection into .g3a archives, on one machine or many",
    "evaluate": "measure compressors on shapes never trained on",
    "evaluate_gan": "measure 3D-GANs on shapes never trained on",
    "evaluate_reconstruction": "measure shapes made of pictures of objects never trained on",
    "evaluate_features": "classify shapes by what a 3D-GAN's discriminator has learnt without labels",
    "export_models": "write trained models for TensorFlow Serving, ONNX Runtime or LiteRT",
    "serve": "serve exported models on this machine, for development",
    "serve_client": "compress and restore shapes on a server of exported models",
    "report": "write an HTML page about training runs",
    "demo": "all of it on the bundled furniture, in ten minutes",
}


def main() -> None:
    """Runs the command that the first word names."""
    words = sys.argv[1:]
    if not words or words[0] in ("-h", "--help", "help"):
        listed = "\n".join(f"  {name:18} {text}" for name, text in COMMANDS.items())
        print(f"usage: keras3dgan <command> [flags]\n\n{listed}\n\nkeras3dgan <command> --help says more.")
        sys.exit(0 if words else 2)
    if words[0] not in COMMANDS:
        print(f"keras3dgan: '{words[0]}' is no command; choose one of {', '.join(COMMANDS)}.", file=sys.stderr)
        sys.exit(2)
    del sys.argv[1]
    cli.run_command(words[0])


if __name__ == "__main__":
    main()
