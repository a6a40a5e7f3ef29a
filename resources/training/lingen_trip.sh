#!/usr/bin/env bash
# Trains mini-lingen on a GPU machine and scores it: about 25 minutes on one H100, for machines whose commands end after ten.
#
#   lingen_trip.sh [SECONDS [VARIANT...]]   starts the work in a session of its own, waits for at most $WAIT seconds
#   lingen_trip.sh                          again and again: waits on, until the table is printed
#
# SECONDS (1080) is the training's budget of every variant, $WAIT is 560 unless set. Variants (default: full) are trained and
# scored one after the other: full, no-tesa, no-review, raster, zigzag, review-both, no-teacher, stock, fresh-scans,
# scratch. Several GPUs are used together. Options for evaluate.py may stand in $EVALUATE_OPTIONS, more of lingen.py's in
# $LINGEN_OPTIONS (should the compiler fail: TORCH_COMPILE_DISABLE=1 and "--batch 12", two to three times slower). Needs
# work/atlas.npz here (build_atlas.py), and Python ($PYTHON) with PyTorch, safetensors, sentencepiece and pillow.
#
# What has come so far is copied to $OUT each time: of the first variant the model's own tensors and the checkpoint's weights
# (to go on elsewhere with a fresh optimiser), and the log, scores, sheets and histories of all.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
trip="work/trip"
python="${PYTHON:-python3}"

options_of() { # options_of VARIANT
    case "$1" in
        full) ;;
        raster | zigzag) echo "--scan $1" ;;
        no-teacher) echo "--teacher 0" ;;
        stock) echo "--shape stock" ;;
        scratch) echo "--from-scratch" ;;
        no-tesa | no-review | review-both | fresh-scans) echo "--$1" ;;
        *) return 1 ;;
    esac
}

work() { # work SECONDS VARIANT...: the whole of it, logged by the caller
    local seconds="$1" variant gpus
    shift
    gpus=$("$python" -c 'import torch; print(torch.cuda.device_count())')
    launch=("$python")
    if [ "$gpus" -gt 1 ]; then
        launch=("$python" -m torch.distributed.run --standalone --nproc-per-node "$gpus")
    fi
    for variant in "$@"; do
        local folder="$trip/$variant"
        echo "variant $variant"
        # shellcheck disable=SC2046,SC2086  # options are words
        "${launch[@]}" lingen.py --seconds "$seconds" --out "$folder/run" --capture --resume $(options_of "$variant") \
            ${LINGEN_OPTIONS:-} || return 1
        # shellcheck disable=SC2086
        "$python" evaluate.py --model "$folder/run/model" --out "$folder/short" --variants 6 --sheets 1 \
            ${EVALUATE_OPTIONS:-} || return 1
        # shellcheck disable=SC2086
        "$python" evaluate.py --model "$folder/run/model" --out "$folder/long" --variants 6 --frames 129 --prompts 32 \
            --batch 4 --sheets 1 ${EVALUATE_OPTIONS:-} || return 1
    done
    "$python" lingen_table.py "${@/#/$trip/}"
}

if [ "${1:-}" = --work ]; then
    shift
    work "$@"
    echo "$?" >"$trip/ended"
    exit
fi

seconds="${1:-1080}"
shift $(($# > 0 ? 1 : 0))
[ $# -gt 0 ] || set -- full
for variant in "$@"; do
    if ! options_of "$variant" >/dev/null; then
        echo "no variant is called $variant; the comment on top names them" >&2
        exit 1
    fi
done
if [ ! -e work/atlas.npz ]; then
    echo "work/atlas.npz is missing: build it with build_atlas.py where the emoji font is, and bring it along" >&2
    exit 1
fi
mkdir -p "$trip"
if [ ! -e "$trip/log" ]; then
    echo "$1" >"$trip/first"
    PYTHONUNBUFFERED=1 setsid nohup bash ./lingen_trip.sh --work "$seconds" "$@" >"$trip/log" 2>&1 </dev/null &
fi
for ((second = 0; second < ${WAIT:-560}; second += 5)); do
    [ -e "$trip/ended" ] && break
    sleep 5
done

if [ -n "${OUT:-}" ]; then
    run="$trip/$(cat "$trip/first")/run"
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
