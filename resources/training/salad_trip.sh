#!/usr/bin/env bash
# Tunes SALAD for mini and its ablations on a GPU machine, a GPU each, for machines whose commands end after ten minutes.
#
#   salad_trip.sh [SECONDS [VARIANT...]]    starts the work in sessions of their own, waits for at most $WAIT seconds
#   salad_trip.sh                           again: waits on, until all variants have ended
#
# SECONDS (420) is the training's budget of every variant, $WAIT is 540 unless set. Variants (default: salad lora): salad; lora, without
# the linear branch; branch, without LoRA; top_k, with top-k blocks. They run on $GPUS (default: all), the next one as soon as one is free;
# $SALAD_OPTIONS goes to salad.py.
# Needs work/atlas.npz here (build_atlas.py) and Python ($PYTHON) with PyTorch, safetensors and sentencepiece. What has come so far is copied to
# $OUT at every call: VARIANT.safetensors of each, and one archive of logs and histories.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
trip="work/salad-trip"
python="${PYTHON:-python3}"

options_of() { # options_of VARIANT
    case "$1" in
        salad) ;;
        lora) echo "--no-branch" ;;
        branch) echo "--rank 0" ;;
        top_k) echo "--sparse top_k" ;;
        *) return 1 ;;
    esac
}

if [ "${1:-}" = --work ]; then # --work GPU SECONDS VARIANT...: those that nobody has begun yet
    gpu="$2" seconds="$3"
    shift 3
    for variant in "$@"; do
        mkdir "$trip/$variant" 2>/dev/null || continue
        # shellcheck disable=SC2046,SC2086  # options are words
        CUDA_VISIBLE_DEVICES="$gpu" PYTHONUNBUFFERED=1 "$python" salad.py --seconds "$seconds" --out "$trip/$variant" \
            $(options_of "$variant") ${SALAD_OPTIONS:-} >"$trip/$variant/log" 2>&1
        echo "$?" >"$trip/$variant/ended"
    done
    exit
fi

if [ ! -d "$trip" ]; then
    seconds="${1:-420}"
    shift $(($# > 0 ? 1 : 0))
    [ $# -gt 0 ] || set -- salad lora
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
    echo "$*" >"$trip/variants"
    gpus="${GPUS:-$("$python" -c 'import torch; print(*range(torch.cuda.device_count()))')}"
    for gpu in $gpus; do
        setsid nohup bash ./salad_trip.sh --work "$gpu" "$seconds" "$@" >/dev/null 2>&1 </dev/null &
    done
fi
read -ra variants <"$trip/variants"
ended() {
    local variant
    for variant in "${variants[@]}"; do
        [ -e "$trip/$variant/ended" ] || return 1
    done
}
for ((second = 0; second < ${WAIT:-540}; second += 5)); do
    ended && break
    sleep 5
done

if [ -n "${OUT:-}" ]; then
    for variant in "${variants[@]}"; do
        [ -e "$trip/$variant/salad.safetensors" ] && cp "$trip/$variant/salad.safetensors" "$OUT/$variant.safetensors"
    done
    tar -C "$trip" -czf "$OUT/salad-logs.tar.gz" --exclude='*.safetensors' --exclude='state.pt*' .
fi
for variant in "${variants[@]}"; do
    echo "$variant: $(tail -n 2 "$trip/$variant/log" 2>/dev/null | tr '\n' ' ')"
done
ended || echo "not finished yet: call again"
