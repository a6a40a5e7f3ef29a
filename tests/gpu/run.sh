#!/usr/bin/env bash
# Everything a GPU has to say about the CUDA engine, in one run of at most ten minutes: operations against the reference,
# memory and race checks, the embedded model against the CPU, models and kernels beside PyTorch. Logs go to ./gpu-logs, or
# as one archive to $OUT; the table comes last.
#
#   tests/gpu/run.sh              what tests/gpu/pack.sh packed
#   tests/gpu/run.sh --rebuild    with kernels compiled on the spot
#   tests/gpu/run.sh [--rebuild] STEP...    only these: device operations mini methods lingen memcheck racecheck sparse
#                                           peers, and only when named: scan (state space scans, all lengths and
#                                           orders), pair (LinGen-4B against DiT-4B, 90 s and 12 GiB of temporary
#                                           files in turns)
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

nvidia-smi --query-gpu=name,driver_version,clocks.sm,temperature.gpu,power.limit --format=csv,noheader
step device 60 "$work/with" "$work/bin/backend_device_test" '--gtest_filter=*Cuda*'
step operations 100 "$work/with" "$work/bin/backend_ops_test" '--gtest_filter=*cuda_0*'
step mini 120 "$work/with" "$work/bin/gpu_test" '--gtest_filter=*MiniOnGpu*'
step methods 60 "$work/with" "$work/bin/gpu_test" '--gtest_filter=*MethodsOnGpu*'
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
