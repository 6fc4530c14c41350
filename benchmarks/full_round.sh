#!/usr/bin/env bash
# Everything on ModelNet10 at the report's full width, for a GPU: VoxNet; one 3D-GAN with the presets `best` and `report` and one
# compressor for chair, toilet, sofa, table, monitor and for all ten classes together; step times. The most useful comes first,
# so that a round cut off at any time leaves something, and the same command goes on where it was.
#
#   KERAS_BACKEND=jax benchmarks/full_round.sh DATA RUNS train      on the GPU; needs no TensorFlow
#   benchmarks/full_round.sh DATA RUNS evaluate                     anywhere: measures what is trained so far, on TensorFlow
#
# Environment: WIDTH (256) of the networks, STEPS (3000) of each training. WIDTH=8 STEPS=20 shows on a CPU that all of it runs.
set -euo pipefail
data=${1:?give the .npz file with X_train, y_train, X_test, y_test}
runs=${2:?give a folder for the runs}
task=${3:?give train or evaluate}
width=${WIDTH:-256}
steps=${STEPS:-3000}
backend=${KERAS_BACKEND:-tensorflow}
here=$(cd "$(dirname "$0")" && pwd)
# Steps an epoch of the training part, batch 100.
declare -A epoch=([chair]=7 [toilet]=3 [sofa]=6 [table]=3 [monitor]=4 [all]=35)
sets=(chair toilet sofa table monitor all)

train() { # command, name of the run, set of shapes, further flags
  local name=$2 shapes=$3 flags=(--dataset="$data" --width="$width")
  flags+=(--epochs=$((steps / epoch[$shapes] + 1)))
  [ "$shapes" = all ] || flags+=(--classes="$shapes")
  keras3dgan "$1" --workdir="$runs/$name" "${flags[@]}" "${@:4}"
}

train_all() {
  local epochs=$((steps / epoch[all] + 1))
  keras3dgan train_voxnet --workdir="$runs/voxnet" --preset=cpu --dataset="$data" --epochs=$((epochs < 15 ? epochs : 15))
  for shapes in "${sets[@]}"; do
    train train_gan "best_$shapes" "$shapes" --preset=best --samples_every=50
    train train_compressor "compressor_$shapes" "$shapes" --preset=cpu --gan="$runs/best_$shapes" --voxnet="$runs/voxnet"
  done
  for shapes in "${sets[@]}"; do
    train train_gan "report_$shapes" "$shapes" --preset=report --samples_every=50 --patience=5
  done
  local times=$runs/step_times_$backend.json
  [ -e "$times" ] || python "$here/backends.py" --output="$times" --width="$width" --backends="$backend"
}

evaluate_all() {
  for shapes in "${sets[@]}"; do
    local gans=""
    for preset in best report; do
      [ ! -e "$runs/${preset}_$shapes/result.json" ] || gans+=",$runs/${preset}_$shapes"
    done
    [ -z "$gans" ] || keras3dgan evaluate_gan --models="${gans:1}" --voxnet="$runs/voxnet" --output="$runs/generation_$shapes.json" \
      --picture="$runs/generation_$shapes.png"
    [ ! -e "$runs/compressor_$shapes/result.json" ] || keras3dgan evaluate --models="$runs/compressor_$shapes" \
      --output="$runs/compression_$shapes.json" --picture="$runs/compression_$shapes.png"
  done
}

case $task in
  train) train_all ;;
  evaluate) KERAS_BACKEND=tensorflow evaluate_all ;;
  *) echo "the third argument must be train or evaluate, got '$task'" >&2 && exit 2 ;;
esac
