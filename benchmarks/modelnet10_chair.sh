#!/usr/bin/env bash
# The whole method on ModelNet10 chairs, about an hour on 2 cores: 3D-GAN, VoxNet, two compressors and an autoencoder, then
# JSON in results/ and pictures in docs/. Every training goes on where it was when the script is run again.
#
#   benchmarks/modelnet10_chair.sh ../shared/data/modelnet10_volumetric.npz runs/chair
set -euo pipefail
data=${1:?give the .npz file with X_train, y_train, X_test, y_test}
runs=${2:?give a folder for the runs}
common=(--preset=cpu --dataset="$data")

keras3dgan train_gan --workdir="$runs/gan" "${common[@]}" --classes=chair --samples_every=50 --epochs=120
keras3dgan train_voxnet --workdir="$runs/voxnet" "${common[@]}" --classes=chair,sofa,table,toilet,monitor
parts=(--gan="$runs/gan" --voxnet="$runs/voxnet" --classes=chair)
keras3dgan train_compressor --workdir="$runs/compressor" "${common[@]}" "${parts[@]}"
keras3dgan train_compressor --workdir="$runs/compressor_scratch" "${common[@]}" "${parts[@]}" --decoder=scratch
keras3dgan train_autoencoder --workdir="$runs/autoencoder" "${common[@]}" --classes=chair
models=$runs/compressor,$runs/compressor_scratch,$runs/autoencoder
keras3dgan evaluate --models="$models" --trainings="$runs/gan,$runs/voxnet" --output=results/modelnet10_chair.json \
  --picture=docs/modelnet10_chair_reconstructions.png
keras3dgan report --runs="$runs/gan,$runs/voxnet,$runs/compressor,$runs/autoencoder" --output="$runs/report.html" \
  --pictures=docs --name=modelnet10_chair --title="ModelNet10 chairs"
