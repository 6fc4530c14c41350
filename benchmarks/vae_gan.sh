#!/usr/bin/env bash
# The 3D-VAE-GAN on ModelNet10 chairs, shown as shaded surfaces, and on the bundled furniture, shown with its textures; and the same
# on an autoencoder's latents. Four hours on 2 cores, then JSON in results/ and pictures in docs/. Trainings go on where they were
# when the script is run again.
#
#   benchmarks/vae_gan.sh modelnet10.npz usr/share/sweethome3d/furniture runs/vae_gan
set -euo pipefail
data=${1:?give the .npz file with X_train, y_train, X_test, y_test}
catalogues=${2:?give the folder of .sh3f catalogues, of the Debian package sweethome3d-furniture}
runs=${3:?give a folder for the runs}

keras3dgan train_vae_gan --workdir="$runs/chair" --preset=cpu --dataset="$data" --classes=chair --epochs="${EPOCHS:-340}"
keras3dgan train_vae_gan --workdir="$runs/furniture" --preset=cpu --views="$catalogues" --epochs="${EPOCHS:-250}"
latent() { # name, further flags
  keras3dgan train_vae_gan --workdir="$runs/$1_latent" --preset=latent "${@:2}"
}
latent chair --autoencoder=compressor_32 --dataset="$data" --classes=chair --augmentation=mirror,stretch --copies=16 --epochs=200
latent furniture --autoencoder=compressor_furniture_32 --views="$catalogues" --encoder_width=128 --augmentation=stretch --copies=8 \
  --epochs=240
for name in chair furniture chair_latent furniture_latent; do
  keras3dgan evaluate_reconstruction --model="$runs/$name" --output="results/reconstruction_$name.json" \
    --picture="docs/reconstruction_$name.png"
done
