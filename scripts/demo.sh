#!/usr/bin/env bash
# The main job on embedded data: trains a DCGAN for a minute, then draws 100 new digits
# from the saved model in a new process. No network is needed once the packages are
# installed. Running it again goes on where it was, or just draws.
# Usage: bash scripts/demo.sh
set -euo pipefail
if (($#)); then
  echo "error: $1: demo.sh takes no arguments; tfgan-mnist train takes flags" >&2
  exit 2
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/setup.sh test
run_dir=runs/demo
.venv/bin/python -m tfgan_mnist.train --flagfile=dcgan_fast.flags --dataset=mnist5k \
  --run_dir="$run_dir"
.venv/bin/python -m tfgan_mnist.sample --saved_model="$run_dir/saved_model" \
  --count=100 --seed=1 --output="$run_dir/digits.png"
cat <<EOF

  montage of the fixed latents   $(ls "$run_dir"/samples/step_*.png | tail -n 1)
  100 new digits                 $run_dir/digits.png
  animation of the training      $run_dir/progress.gif
  loss plot                      $run_dir/loss.png
  model                          $run_dir/saved_model/
EOF
