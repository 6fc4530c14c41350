#!/usr/bin/env bash
# Generation, measured: single changes to the report's recipe and to `best` on ModelNet10 chairs at a quarter of the report's
# width, then the finalists on other classes, seeds and sizes. About a day on 2 cores, an hour a part; every training goes on
# where it was when the script is run again, and each part ends with its JSON in results/ and its picture in docs/.
#
#   benchmarks/generation.sh ../shared/data/modelnet10_volumetric.npz runs [ablation chair toilet features 64]
set -euo pipefail
data=${1:?give the .npz file with X_train, y_train, X_test, y_test}
runs=${2:?give a folder for the runs}
parts=${*:3}
train() { # name, preset, further flags
  keras3dgan train_gan --workdir="$runs/$1" --preset="$2" --samples_every=50 --measure_every=10 "${@:3}"
}
compare() { # name of the result, split, names of the runs
  local models
  models=$(printf ",$runs/%s" "${@:3}")
  keras3dgan evaluate_gan --models="${models:1}" --split="$2" --output="results/$1.json" --picture="docs/$1.png" "${more[@]}"
}

ablation() {
  one() { train "ablation/$1" "$2" --dataset="$data" --classes=chair --width=64 --epochs=100 --patience=5 "${@:3}"; }
  one report report
  one report_no_gate report --gate_accuracy=2
  one report_adam report --d_optimizer=adam
  one report_init002 report --init_stddev=0.02
  one report_noise report --noise_stddev=0.5
  one report_no_smoothing report --real_labels=1,1 --fake_labels=0,0
  one wgan_gp wgan_gp
  one best best
  one best_no_noise best --noise_stddev=0
  one best_no_average best --average=0
  more=(--voxnet="$runs/chair/voxnet")
  compare ablation_chair validation ablation/{report{,_no_gate,_adam,_init002,_noise,_no_smoothing},wgan_gp,best{,_no_noise,_no_average}}
}

chair() {
  more=(--voxnet="$runs/chair/voxnet")
  compare generation_chair test ablation/{report,wgan_gp,best}
}

toilet() {
  for preset in report wgan_gp best; do
    train "toilet/$preset" "$preset" --dataset="$data" --classes=toilet --width=64 --epochs=230 --patience=5
  done
  more=(--voxnet="$runs/chair/voxnet")
  compare generation_toilet test toilet/{report,wgan_gp,best}
}

features() {
  train all_classes best --dataset="$data" --width=64 --epochs=30
  keras3dgan evaluate_features --model="$runs/all_classes" --output=results/features.json
}

64() {
  train r64/chair_wu wu2016_64 --dataset="$data" --classes=chair --width=64 --batch_size=50 --epochs=40 --patience=5
  train r64/chair_64 64 --dataset="$data" --classes=chair --width=64 --epochs=90
  train r64/furniture_64 64 --width=64 --epochs=100 --augmentation=flip
  more=()
  compare generation_chair_64 test r64/{chair_wu,chair_64}
  compare generation_furniture_64 test r64/furniture_64
}

for part in ${parts:-ablation chair toilet features 64}; do "$part"; done
