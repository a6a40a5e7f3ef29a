#!/usr/bin/env bash
# Everything a GPU has to say about the CUDA engine, in one run of at most ten minutes: operations against the reference,
# memory and race checks, the embedded model against the CPU, models and kernels beside PyTorch. Logs go to ./gpu-logs, or
# as one archive to $OUT; the table comes last.
#
#   tests/gpu/run.sh              what tests/gpu/pack.sh packed
#   tests/gpu/run.sh --rebuild    with kernels compiled on the spot
#   tests/gpu/run.sh [--rebuild] STEP...    only these: device operations mini methods lingen memcheck racecheck sparse
#                                           peers, or one that runs only by its name:
#     scan            state space scans, all lengths and orders
#     fp8             the forward, products and attention in e4m3, 3 minutes
#     pair            LinGen-4B against DiT-4B, 90 s and 12 GiB of temporary files in turns
#     clip            whole clips of the 1.3B configuration with random weights at 480p: dense, step caches, SALAD
#     clip-720p       the same at 720p, from each kind of step
#     clip-fp8        the transformer's blocks in e4m3, at 480p from each kind of step
#     clip-overhead   a step cache that never reuses anything, beside none
#     memory          decoding of several lengths, a transformer that visits the device, forecasts beside what was measured
#     memcheck-all, racecheck-all    backend_ops_test whole, in FW_PARTS (16) parts side by side, each at most
#                                    FW_PART_SECONDS (540)
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
root="$PWD"
work="$(mktemp -d)"
logs="$root/gpu-logs"
if [ -n "${OUT:-}" ]; then
    logs="$work/logs"
fi
mkdir -p "$logs"
leave() {
    if [ -n "${OUT:-}" ]; then
        tar -C "$work" -czf "$OUT/gpu-logs.tar.gz" logs
    fi
    rm -rf "$work"
}
trap leave EXIT
tar -C "$work" -xJf .gpu/framewright-gpu.tar.xz || exit 1
if [ "${1:-}" = --rebuild ]; then
    shift
    tests/gpu/build_kernels.sh "$work/bin" || exit 1
fi

# cuBLASLt and cuDNN: the toolkit's, then those of the Python packages.
libraries="$work/lib"
for folder in /usr/local/cuda/lib64 /usr/local/cuda/lib \
    "$(python3 -c 'import os, nvidia.cudnn as p; print(os.path.join(list(p.__path__)[0], "lib"))' 2>/dev/null)" \
    "$(python3 -c 'import os, nvidia.cu13 as p; print(os.path.join(list(p.__path__)[0], "lib"))' 2>/dev/null)"; do
    if [ -d "$folder" ]; then
        libraries="$libraries:$folder"
    fi
done
# PyTorch must not see our libraries: only our programs get them.
cat >"$work/with" <<WITH
#!/bin/sh
LD_LIBRARY_PATH=$libraries FW_TEST_ROOT=$root exec "\$@"
WITH
printf '#!/bin/sh\nexec %s/with %s/bin/gpu_bench\n' "$work" "$work" >"$work/gpu_bench"
chmod +x "$work/with" "$work/gpu_bench"

# Random models of full size: 3 GB, in memory where there is room.
if [ "$(df --output=avail -k /dev/shm 2>/dev/null | tail -1)" -gt 12000000 ] 2>/dev/null; then
    export TMPDIR=/dev/shm
fi

chosen=" $* "
wanted() { # wanted NAME: whether this step is to run
    [ "$chosen" = "  " ] || [[ "$chosen" == *" $1 "* ]]
}
summary=""
step() { # step NAME SECONDS COMMAND...
    local name="$1" limit="$2" begin=$SECONDS code
    shift 2
    wanted "$name" || return
    timeout -k 5 "$limit" "$@" >"$logs/$name.log" 2>&1
    code=$?
    summary="$summary$(printf '%-14s code %-4s %4s s  %s' "$name" "$code" $((SECONDS - begin)) \
        "$(grep -E '^\[  (PASSED|FAILED) |ERROR SUMMARY|RACECHECK SUMMARY|dB$' "$logs/$name.log" | tail -3 | tr '\n' ' ')")"$'\n'
    if [ "$code" -ne 0 ]; then
        grep -E 'Failure|FAILED|error|Error|expected within' "$logs/$name.log" | head -12
    fi
}

# A step that is too long for a run of everything: only by its name.
named() {
    if [[ "$chosen" == *" $1 "* ]]; then
        step "$@"
        tail -30 "$logs/$1.log" | sed -n '/^variant\|^what\|^[a-z].*failed/,$p'
    fi
}
# The tests of a program in parts side by side, each under a tool of compute-sanitizer.
sanitized() { # sanitized TOOL PROGRAM FILTER
    local tool="$1" program="$2" filter="$3" parts="${FW_PARTS:-16}" code=0 part
    for ((part = 0; part < parts; ++part)); do
        GTEST_TOTAL_SHARDS="$parts" GTEST_SHARD_INDEX="$part" timeout -k 5 "${FW_PART_SECONDS:-540}" "$work/with" \
            compute-sanitizer --tool "$tool" --error-exitcode 9 "$work/bin/$program" "--gtest_filter=$filter" \
            >"$logs/$tool-part-$part.log" 2>&1 &
    done
    for ((part = 0; part < parts; ++part)); do
        wait -n || code=1
    done
    for ((part = 0; part < parts; ++part)); do
        echo "part $part: $(grep -cE '^\[       OK ' "$logs/$tool-part-$part.log") tests passed," \
            "$(grep -E 'ERROR SUMMARY|RACECHECK SUMMARY' "$logs/$tool-part-$part.log" || echo 'not finished')"
    done
    return "$code"
}

nvidia-smi --query-gpu=name,driver_version,clocks.sm,temperature.gpu,power.limit --format=csv,noheader
step device 60 "$work/with" "$work/bin/backend_device_test" '--gtest_filter=*Cuda*'
step operations 100 "$work/with" "$work/bin/backend_ops_test" '--gtest_filter=*cuda_0*'
step mini 120 "$work/with" "$work/bin/gpu_test" '--gtest_filter=*MiniOnGpu*'
step methods 90 "$work/with" "$work/bin/gpu_test" '--gtest_filter=*MethodsOnGpu*'
step lingen 60 "$work/with" "$work/bin/gpu_test" '--gtest_filter=*LinGenOnGpu*'
if command -v compute-sanitizer >/dev/null; then
    step memcheck 60 "$work/with" compute-sanitizer --tool memcheck "$work/bin/backend_device_test" \
        '--gtest_filter=*CudaAttention.RaggedEnds*:*CudaScan.RaggedEnds*:*CudaSparse*'
    step racecheck 40 "$work/with" compute-sanitizer --tool racecheck "$work/bin/backend_device_test" \
        '--gtest_filter=*CudaAttention.RaggedEnds/Mma:*CudaScan.RaggedEnds/Mma:*CudaSparse.LinearAttention/Mma'
fi
step sparse 90 python3 tests/gpu/sparse_peers.py --bench "$work/gpu_bench" --quick --json "$logs/sparse.json"
if [[ "$chosen" == *" pair "* ]]; then
    # Weights of billions of values, written and read once: in memory where there is room.
    weights="$work"
    if [ "$(df --output=avail -k /dev/shm 2>/dev/null | tail -1)" -gt $((16 << 20)) ] 2>/dev/null; then
        weights=/dev/shm
    fi
    step pair 240 env TMPDIR="$weights" "$work/with" "$work/bin/gpu_bench" lingen
    sed -n '/published/,$p' "$logs/pair.log" | grep -v '^{'
fi
if [[ "$chosen" == *" scan "* ]]; then
    step scan 60 "$work/with" "$work/bin/gpu_bench" scans
    sed -n '/over raster/,$p' "$logs/scan.log" | grep -v '^{'
fi
bench="$work/with $work/bin/gpu_bench"
# shellcheck disable=SC2086
{
    named clip 400 $bench clip --variants "${FW_VARIANTS:-dense,pab,pab3,salad,salad+pab}" --json "$logs/clip.json"
    named clip-overhead 120 $bench clip --by-signature --repeats 4 --variants dense,never,dense,never,dense,never \
        --json "$logs/clip-overhead.json"
    named clip-fp8 120 $bench clip --by-signature --dtype fp8 --variants dense,pab,salad --json "$logs/clip-fp8.json"
    named clip-720p 300 $bench clip --size 1280x720 --by-signature --variants "${FW_VARIANTS_720P:-dense,pab,pab3,salad}" \
        --json "$logs/clip-720p.json"
    named memory 240 $bench memory --json "$logs/memory.json"
}
for tool in memcheck racecheck; do
    if [[ "$chosen" == *" $tool-all "* ]]; then
        begin=$SECONDS
        sanitized "$tool" backend_ops_test '*cuda_0*' >"$logs/$tool-all.log" 2>&1
        summary="$summary$(printf '%-14s code %-4s %4s s' "$tool-all" $? $((SECONDS - begin)))"$'\n'
        summary="$summary$(sed 's/^/    /' "$logs/$tool-all.log")"$'\n'
    fi
done
if [[ "$chosen" == *" fp8 "* ]]; then
    step fp8 240 python3 tests/gpu/peers.py --bench "$work/gpu_bench" --quick --fp8 --only 'fp8|layers 480p x 81, bf16|against f32' \
        --json "$logs/fp8.json"
    sed -n '/ours ms/,$p' "$logs/fp8.log"
fi
# The table, or how far it came.
if grep -q 'ours ms' "$logs/sparse.log" 2>/dev/null; then
    summary="$summary$(sed -n '/ours ms/,$p' "$logs/sparse.log")"$'\n'
elif wanted sparse; then
    summary="$summary$(tail -12 "$logs/sparse.log")"$'\n'
fi
if ! wanted peers; then
    echo "$summary"
    exit
fi
timeout -k 5 240 python3 tests/gpu/peers.py --bench "$work/gpu_bench" --quick --json "$logs/peers.json" \
    >"$logs/peers.log" 2>&1
echo "$summary"
# The table, or how far the comparison came.
if grep -q 'ours ms' "$logs/peers.log"; then
    sed -n '/ours ms/,$p' "$logs/peers.log"
else
    tail -25 "$logs/peers.log"
fi
