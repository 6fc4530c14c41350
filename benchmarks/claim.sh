#!/usr/bin/env bash
# The report's claim, on one class of ModelNet10: does a decoder that was pretrained as a 3D-GAN compress better than one from
# scratch, does the perceptual term help, does a frozen decoder do, and what does the deeper classifier bring that the report's
# conclusion proposes? Three seeds, the same steps for each. Every training goes on where it was when the script is run again;
# two classes can be trained side by side.
#
#   benchmarks/claim.sh DATA RUNS CLASS     train and measure, e.g. modelnet10.npz runs/claim chair
#
# Some four core-hours a class on a CPU with AVX2 (chairs with EPOCHS=43, which is as many steps), all of it resumable.
#
# Environment: WIDTH (64) of the networks, EPOCHS (100) of a compressor, in which its learning rate falls to 0, GAN_EPOCHS (120),
# SEEDS ("0 1 2").
set -euo pipefail
data=${1:?give the .npz file with X_train, y_train, X_test, y_test}
runs=${2:?give a folder for the runs}
class=${3:?give a class, e.g. chair}
width=${WIDTH:-64}
read -ra seeds <<<"${SEEDS:-0 1 2}"
models=""
mkdir -p "$runs"

# What the report names: five classes. The second is the deeper classifier.
for name in voxnet deeper; do
  flags=(--preset=cpu --filters=16 --dataset="$data" --classes=chair,sofa,table,toilet,monitor)
  [ $name = voxnet ] || flags+=(--residual_blocks=2)
  # Both classes need them: one trains, the other waits.
  flock "$runs/$name.lock" keras3dgan train_voxnet --workdir="$runs/$name" "${flags[@]}"
done

# The second classifier's features are smaller: with these weights both perceptual terms begin alike.
compress() { # name, seed, further flags
  models+=,$runs/${class}_$1_$2
  keras3dgan train_compressor --workdir="$runs/${class}_$1_$2" --preset=cpu --width="$width" --dataset="$data" --classes="$class" \
    --seed="$2" --epochs="${EPOCHS:-100}" --batch_size=25 --schedule=cosine --warm_up=50 --augmentation=mirror --samples_every=0 \
    "${@:3}"
}

for seed in "${seeds[@]}"; do
  gan=$runs/${class}_gan_$seed
  keras3dgan train_gan --workdir="$gan" --preset=cpu --width="$width" --dataset="$data" --classes="$class" --seed="$seed" \
    --epochs="${GAN_EPOCHS:-120}" --batch_size=50 --augmentation=mirror --samples_every=0
  perceptual=(--voxnet="$runs/voxnet" --lambda2=0.1)
  none=(--voxnet="$runs/voxnet" --lambda2=0)
  compress scratch_none "$seed" --decoder=scratch "${none[@]}"
  compress finetuned "$seed" --gan="$gan" "${perceptual[@]}"
  compress scratch "$seed" --decoder=scratch "${perceptual[@]}"
  compress finetuned_none "$seed" --gan="$gan" "${none[@]}"
  compress frozen "$seed" --gan="$gan" --decoder=frozen "${perceptual[@]}"
  compress deeper "$seed" --gan="$gan" --voxnet="$runs/deeper" --lambda2=0.35
done
keras3dgan evaluate --models="${models:1}" --output="results/claim_$class.json"
python benchmarks/claim.py "$runs" "$class" "docs/claim_${class}_curves.png"
# What each kind restores, of the first seed; for the eye.
keras3dgan evaluate --models="$(tr , '\n' <<<"${models:1}" | grep "_${seeds[0]}\$" | paste -sd,)" --output="$runs/claim_$class.json" \
  --picture="docs/claim_$class.png"
