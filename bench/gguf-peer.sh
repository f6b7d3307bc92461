#!/bin/sh
# Exports model folders as GGUF, lets llama.cpp continue what the reference continued, and compares token by token.
#   bench/gguf-peer.sh LLAMA_SOURCE LLAMA_LIBRARIES MODELS... > bench/results/gguf-peer.md
# LLAMA_SOURCE holds include/llama.h; LLAMA_LIBRARIES the shared libraries of the same release (a build's bin/, or the bins/ folder
# of the npm package @node-llama-cpp/linux-x64). Nothing is fetched. A model folder needs expected.json beside its config.json.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
[ $# -ge 3 ] || { sed -n '2,5p' "$0" >&2; exit 2; }
source=$1 libraries=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The libraries link each other: naming them all leaves no symbol open.
cc -O1 "$root/bench/gguf-peer/continue.c" -I "$source/include" -I "$source/ggml/include" -o "$work/continue" \
  $(ls "$libraries"/libllama.* "$libraries"/libggml.* "$libraries"/libggml-base.* | grep '\.so') -Wl,-rpath,"$libraries"

echo "| model | architecture | weights | rows | tokens the same | of |"
echo "|---|---|---|---:|---:|---:|"
for model in "$@"; do
  for weights in ${WEIGHTS:-f32}; do
    rm -rf "$work/out"
    if ! ${ATTUNE:-$root/attune} export "$model" "$work/out" --format gguf --weights "$weights" >"$work/log" 2>&1; then
      echo "| $(basename "$model") | refused: $(tr '\n' ' ' <"$work/log" | cut -c 1-120) | $weights | | | |"
      continue
    fi
    python3 - "$model" "$weights" "$work/continue" "$libraries" "$work"/out/*.gguf <<'PY'
import json, os, subprocess, sys
folder, weights, program, libraries, gguf = sys.argv[1:]
config = json.load(open(f"{folder}/config.json"))
expected = json.load(open(f"{folder}/expected.json"))
rows = expected.get("rows") or [{"input_ids": expected["prompt_ids"], "greedy": expected["greedy_ids"][len(expected["prompt_ids"]):]}]
window = config.get("sliding_window") if config["model_type"] not in ("gemma2", "gemma3_text", "cohere2", "olmo3") and config.get("use_sliding_window", True) else None
rope = config.get("rope_parameters") or {}
original = rope.get("original_max_position_embeddings") if rope.get("rope_type") == "longrope" else None
same = total = used = 0
for row in rows:
    prompt, greedy, margins = row["input_ids"], row["greedy"], row.get("greedy_margins", [1] * len(row["greedy"]))
    room = len(greedy) if window is None else max(0, min(len(greedy), window - len(prompt) + 1))
    # longrope: llama.cpp chooses its divisors once, by a context that it rounds up to 256; only long rows are sure to meet the same.
    if original and len(prompt) <= original:
        continue
    if room == 0:
        continue
    out = subprocess.run([program, libraries, gguf, str(room), *map(str, prompt)], capture_output=True, text=True)
    found = [int(i) for i in out.stdout.split()]
    used += 1
    for wanted, got, margin in zip(greedy[:room], found + [-1] * room, margins):
        # Where two tokens are as good as equal, rounding decides, and what follows is another text.
        if margin < (1e-3 if weights == "f32" else 5e-2) and wanted != got:
            break
        total += 1
        same += wanted == got
        if wanted != got:
            break
print(f"| {os.path.basename(folder)} | {config['architectures'][0]} | {weights} | {used} | {same} | {total} |")
PY
  done
done
