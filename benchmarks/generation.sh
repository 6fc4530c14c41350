#!/usr/bin/env bash
# Generation, measured on ModelNet10 at a quarter of the report's width: single changes to the report's recipe, other readings of
# it, the way from there to `best`, the finalists with three seeds, another class, 64^3, one long run, and on an autoencoder's
# latents. About a day on 2 cores, an hour or two a part; every training goes on where it was when the script is run again, and
# each part ends with its JSON in results/ and its picture in docs/.
#
#   benchmarks/generation.sh ../shared/data/modelnet10_volumetric.npz runs [report readings full best chair toilet features 64 long latent refined]
set -euo pipefail
data=${1:?give the .npz file with X_train, y_train, X_test, y_test}
runs=${2:?give a folder for the runs}
parts=${*:3}
chairs=(--dataset="$data" --classes=chair)
voxnet=(--voxnet="$runs/chair/voxnet")
train() { # name, preset, further flags
  keras3dgan train_gan --workdir="$runs/$1" --preset="$2" --width="${width:-64}" --samples_every=50 "${@:3}"
}
compare() { # name of the result, split, names of the runs; then `--` and further flags
  local models="" name=$1 split=$2
  shift 2
  while [ $# -gt 0 ] && [ "$1" != -- ]; do models+=",$runs/$1" && shift; done
  keras3dgan evaluate_gan --models="${models:1}" --split="$split" --output="results/$name.json" --picture="docs/$name.png" "${@:2}"
}
classifier() {
  keras3dgan train_voxnet --workdir="$runs/chair/voxnet" --preset=cpu --dataset="$data" --classes=chair,sofa,table,toilet,monitor
}

report() { # 700 steps; `gan` is here without its start at the occupied fraction, as `best` was when this was measured
  classifier
  one() { train "report/$1" "$2" "${chairs[@]}" --epochs=100 --measure_every=10 --patience=5 "${@:3}"; }
  one report report
  one report_no_gate report --gate_accuracy=2
  one report_adam report --d_optimizer=adam
  one report_init002 report --init_stddev=0.02
  one report_noise report --noise_stddev=0.5
  one report_no_smoothing report --real_labels=1,1 --fake_labels=0,0
  one wgan_gp wgan_gp --init_occupied=0.5 --critic_steps=3 --g_learning_rate=0.001 --d_learning_rate=0.0003 --beta_1=0.5 --average=0.95
  one best gan --init_occupied=0.5
  one best_no_noise gan --init_occupied=0.5 --noise_stddev=0
  one best_no_average gan --init_occupied=0.5 --average=0
  compare ablation_chair validation report/{report{,_no_gate,_adam,_init002,_noise,_no_smoothing},wgan_gp,best{,_no_noise,_no_average}} -- "${voxnet[@]}"
}

# Of what the report leaves open, on its easiest class, an eighth as wide.
readings() { # 700 steps, fewer where nothing gets better
  local width=32
  one() { train "readings/$1" report --dataset="$data" --classes=toilet --epochs=234 --measure_every=40 --patience=3 "${@:2}"; }
  one report
  one momentum --momentum=0.9
  one joint_batch --joint_batch
  one joint_momentum --joint_batch --momentum=0.9
  one balance_momentum --balance=4 --momentum=0.9
  one inner_momentum --d_normalization=inner --momentum=0.9
  one none_momentum --d_normalization=none --momentum=0.9
  one joint_centered_momentum --joint_batch --centered --momentum=0.9
  one swapped_labels --swapped_labels=0.05
  one generator_labels --generator_labels=0.7,1.2
  local tried=(readings/{report,momentum,joint_batch,{joint,balance,inner,none,joint_centered}_momentum,{swapped,generator}_labels})
  compare readings_toilet validation "${tried[@]}" -- --voxnet=voxnet_10_32
  python benchmarks/curves.py docs/readings_toilet_curves.png generated_score "${tried[@]/#/$runs/}"
}

# The best of them at the report's width, for more than its number of batches: some four hours.
full() {
  local width=256
  train readings_full report --dataset="$data" --classes=toilet --joint_batch --momentum=0.9 --precision=auto --epochs=2400 \
    --measure_every=100 --samples_every=100
  compare readings_full validation readings_full -- --voxnet=voxnet_10_32
  python benchmarks/curves.py docs/readings_full_curves.png generated_score "$runs/readings_full"
}

best() { # 420 steps
  classifier
  one() { train "best/$1" "$2" "${chairs[@]}" --epochs=60 --measure_every=5 --init_occupied=0.035 "${@:3}"; }
  one report report --init_occupied=0.5
  one report_occupied report
  one gan_half gan --init_occupied=0.5
  one gan gan
  one gan_noise02 gan --noise_stddev=0.2
  one wgan_gp_momentum wgan_gp --beta_1=0.5
  one wgan_gp_momentum_slow wgan_gp --beta_1=0.5 --g_learning_rate=0.001
  one wgan_gp wgan_gp
  one wgan_gp_critic_fast wgan_gp --d_learning_rate=0.002
  one wgan_gp_slow wgan_gp --g_learning_rate=0.001 --d_learning_rate=0.0005
  compare ablation_best validation best/{report{,_occupied},gan{_half,,_noise02},wgan_gp{_momentum,_momentum_slow,,_critic_fast,_slow}} -- "${voxnet[@]}"
}

chair() { # 840 steps
  classifier
  for seed in 0 1 2; do
    for preset in gan wgan_gp; do
      train "chair/${preset}_seed$seed" "$preset" "${chairs[@]}" --epochs=120 --measure_every=10 --seed="$seed"
    done
  done
  compare generation_chair test best/report chair/gan_seed{0,1,2} chair/wgan_gp_seed{0,1,2} -- "${voxnet[@]}"
}

toilet() { # 690 steps
  classifier
  train toilet/report report --dataset="$data" --classes=toilet --epochs=230 --measure_every=10 --patience=5
  for preset in gan best; do
    train "toilet/$preset" "$preset" --dataset="$data" --classes=toilet --epochs=230 --measure_every=10
  done
  compare generation_toilet test toilet/{report,gan,best} -- "${voxnet[@]}"
}

features() { # ten classes
  train r3gan_all r3gan --dataset="$data" --augmentation=mirror --epochs=120 --measure_every=10
  keras3dgan evaluate_features --model="$runs/r3gan_all" --output=results/features.json
}

64() { # two and a half hours each
  train r64/chair_wu wu2016_64 "${chairs[@]}" --batch_size=50 --epochs=60 --measure_every=5 --samples_every=10 --patience=3
  train r64/chair_64 64 "${chairs[@]}" --epochs=406 --measure_every=20 --samples_every=20
  train r64/furniture_64 64 --augmentation=flip --epochs=481 --measure_every=20 --samples_every=20
  compare generation_chair_64 test r64/{chair_wu,chair_64}
  compare generation_furniture_64 test r64/furniture_64
  python benchmarks/curves.py docs/generation_64_curves.png generated_score "$runs"/r64/{chair,furniture}_64
}

long() { # half of the report's width
  classifier
  local width=128
  train long/best best "${chairs[@]}" --epochs=400 --measure_every=10
  compare generation_long test chair/wgan_gp_seed0 long/best -- "${voxnet[@]}"
}

latent() { # on the latents of presets compressor_32 and compressor_furniture_32
  one() { # class, seed, epochs, epochs between measurements
    keras3dgan train_gan --workdir="$runs/latent_${1:-all}_s$2" --preset=latent --autoencoder=compressor_32 --dataset="$data" --classes="$1" \
      --seed="$2" --epochs="$3" --measure_every="$4"
  }
  one chair 0 259 20
  one chair 1 120 10
  one chair 2 120 10
  one "" 0 80 5
  for seed in 0 1 2; do one toilet "$seed" 200 10 && one sofa "$seed" 120 20; done
  keras3dgan train_gan --workdir="$runs/latent_furniture_s0" --preset=latent --autoencoder=compressor_furniture_32 --width=256 --copies=8 \
    --epochs=120 --measure_every=10
}

refined() { # those of `latent`, trained on by what a critic says of shapes; minutes to half an hour each
  one() { # class, seed, epochs, epochs between measurements
    keras3dgan train_gan --workdir="$runs/refined_${1:-all}_s$2" --preset=refined --generator="$runs/latent_${1:-all}_s$2" --dataset="$data" \
      --classes="$1" --seed="$2" --epochs="$3" --measure_every="$4"
  }
  for seed in 0 1 2; do one chair "$seed" 200 10 && one toilet "$seed" 320 20 && one sofa "$seed" 100 10; done
  one "" 0 14 1
  keras3dgan train_gan --workdir="$runs/refined_furniture_s0" --preset=refined --generator="$runs/latent_furniture_s0" --epochs=100 \
    --measure_every=5
  compare generation_latent test {latent,refined}_chair_s{0,1,2} -- --voxnet=voxnet_10_32
  for class in toilet sofa; do
    compare "generation_${class}_latent" test {latent,refined}_"$class"_s{0,1,2} -- --voxnet=voxnet_10_32
  done
  compare generation_all_latent test {latent,refined}_all_s0 -- --voxnet=voxnet_10_32
  compare generation_furniture_latent test {latent,refined}_furniture_s0 -- --voxnet=voxnet_furniture_32
  python benchmarks/curves.py docs/generation_latent_curves.png generated_score "$runs"/refined_{{chair,toilet,sofa}_s{0,1,2},all_s0}
}

for part in ${parts:-report readings full best chair toilet features 64 long latent refined}; do "$part"; done
