#!/bin/sh
# A model that was made elsewhere, through its whole life here: import → SFT (LoRA, and full) → DPO → evaluation → chat → GGUF.
#   samples/foreign.sh MODEL SFT.json DPO.json HELD.json [WORKFOLDER]
# MODEL is a Hugging Face folder, a .gguf file or hf:OWNER/NAME; SFT and HELD hold conversations (alpaca, messages, sharegpt), DPO pairs.
# STEPS=N cuts every training to N updates, for a look.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
[ $# -ge 4 ] || { sed -n '2,5p' "$0" >&2; exit 2; }
model=$1 sft=$2 dpo=$3 held=$4 work=${5:-foreign}
attune=${ATTUNE:-$root/attune}
steps=${STEPS:+--steps $STEPS}
mkdir -p "$work"
export ATTUNE_STORE="$work/models"

run() { echo "\$ attune $*"; $attune "$@"; }

run import "$model" --save-as foreign:base

# shellcheck disable=SC2086
run sft "$sft" --parent foreign:base --save-as foreign:lora --contract chatml --lora-rank 16 --lora-alpha 32 \
  --learning-rate 2e-3 --epochs 2 --sequence-length 512 --overlong truncate --run "$work/runs/lora" $steps
# shellcheck disable=SC2086
run sft "$sft" --parent foreign:base --save-as foreign:instruct --contract chatml \
  --learning-rate 1e-3 --epochs 2 --sequence-length 512 --overlong truncate --run "$work/runs/full" $steps
# shellcheck disable=SC2086
run dpo "$dpo" --parent foreign:instruct --save-as foreign:chat \
  --learning-rate 5e-5 --epochs 1 --sequence-length 512 --overlong truncate --run "$work/runs/dpo" $steps

run eval foreign:base foreign:lora foreign:instruct foreign:chat --data "$held"
echo "Give three tips for staying healthy." | run chat foreign:chat --max-tokens 60
run export foreign:chat "$work/gguf" --format ollama
run versions tree
