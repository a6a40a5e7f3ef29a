#!/usr/bin/env bash
# Trains mini-lingen on a GPU machine and scores it: about 25 minutes on one H100, for machines whose commands end after ten.
#
#   resources/training/lingen_trip.sh [SECONDS]     starts the work in a session of its own, waits for at most $WAIT seconds
#   resources/training/lingen_trip.sh               again and again: waits on, until the table is printed
#
# SECONDS (1080) is the training's budget; several GPUs are used together. $WAIT is 560 unless set. Options go to lingen.py by
# $LINGEN_OPTIONS, e.g. "--no-review", and to evaluate.py by $EVALUATE_OPTIONS; $NAME keeps several trips apart. Needs
# work/atlas.npz here (build_atlas.py), and Python with PyTorch, safetensors, sentencepiece and pillow. What has come so far is
# copied to $OUT each time: the model's own tensors, the checkpoint's weights (to go on elsewhere with a fresh optimiser), the
# log, and the small files (the model's index and configuration, scores, sheets, history).
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
trip="work/trip${NAME:+-$NAME}"
run="$trip/run"
python="${PYTHON:-python3}"

work() { # the whole of it, logged by the caller
    gpus=$("$python" -c 'import torch; print(torch.cuda.device_count())')
    launch=("$python")
    if [ "$gpus" -gt 1 ]; then
        launch=("$python" -m torch.distributed.run --standalone --nproc-per-node "$gpus")
    fi
    # shellcheck disable=SC2086  # options are words
    "${launch[@]}" lingen.py --seconds "$1" --out "$run" --capture --resume ${LINGEN_OPTIONS:-} || return 1
    # shellcheck disable=SC2086
    "$python" evaluate.py --model "$run/model" --out "$trip/short" --sheets 1 ${EVALUATE_OPTIONS:-} || return 1
    # shellcheck disable=SC2086
    "$python" evaluate.py --model "$run/model" --out "$trip/long" --frames 129 --prompts 32 --batch 4 --sheets 1 \
        ${EVALUATE_OPTIONS:-} || return 1
    "$python" lingen_table.py "$run" "$trip/short" "$trip/long"
}

if [ "${1:-}" = --work ]; then
    work "$2"
    echo "$?" >"$trip/ended"
    exit
fi

if [ ! -e work/atlas.npz ]; then
    echo "work/atlas.npz is missing: build it with build_atlas.py where the emoji font is, and bring it along" >&2
    exit 1
fi
mkdir -p "$trip"
if [ ! -e "$trip/log" ]; then
    PYTHONUNBUFFERED=1 setsid nohup bash "./$(basename "${BASH_SOURCE[0]}")" --work "${1:-1080}" >"$trip/log" 2>&1 </dev/null &
fi
for ((second = 0; second < ${WAIT:-560}; second += 5)); do
    [ -e "$trip/ended" ] && break
    sleep 5
done

if [ -n "${OUT:-}" ]; then
    cp "$trip/log" "$OUT/trip.log"
    for file in "$run/model/transformer/mate.safetensors" "$run/checkpoint"/weights-*.safetensors; do
        [ -e "$file" ] && cp "$file" "$OUT/"
    done
    tar -C "$trip" -czf "$OUT/small.tar.gz" --exclude='*.safetensors' . 2>/dev/null
fi
if [ -e "$trip/ended" ]; then
    [ "$(cat "$trip/ended")" = 0 ] || tail -n 40 "$trip/log"
    sed -n '/^mini-lingen:/,$p' "$trip/log"
    exit "$(cat "$trip/ended")"
fi
tail -n 12 "$trip/log"
echo "not finished yet: call again"
