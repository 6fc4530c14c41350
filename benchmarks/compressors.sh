#!/usr/bin/env bash
# The report's compressor on all ten classes of ModelNet10, trained for rate and not, with and without what it takes from the
# 3D-GAN and from VoxNet: what `rate_distortion.py --runs` compares at equal bytes. The same command goes on where it was.
#
#   benchmarks/compressors.sh DATA RUNS
#
# Environment: WIDTH (64) of the networks, EPOCHS (20) of each training, 35 steps each; RATE (0.01), lambda_rate; VOXNET_EPOCHS (10).
set -euo pipefail
data=${1:?give the .npz file with X_train, y_train, X_test, y_test}
runs=${2:?give a folder for the runs}
common=(--dataset="$data" --width="${WIDTH:-64}" --epochs="${EPOCHS:-20}")

keras3dgan train_voxnet --workdir="$runs/voxnet" --preset=cpu --dataset="$data" --epochs="${VOXNET_EPOCHS:-10}"
keras3dgan train_gan --workdir="$runs/gan" --preset=best "${common[@]}" --samples_every=50
compressor() { # name, flags
  keras3dgan train_compressor --workdir="$runs/$1" --preset=cpu --voxnet="$runs/voxnet" "${common[@]}" "${@:2}"
}
compressor report --gan="$runs/gan"
rate=${RATE:-0.01}
compressor pretrained_perceptual --gan="$runs/gan" --lambda_rate=$rate
compressor scratch_perceptual --decoder=scratch --lambda_rate=$rate
compressor pretrained_plain --gan="$runs/gan" --lambda2=0 --lambda_rate=$rate
compressor scratch_plain --decoder=scratch --lambda2=0 --lambda_rate=$rate
