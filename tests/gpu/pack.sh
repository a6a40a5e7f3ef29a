#!/usr/bin/env bash
# Builds the preset `gpu` and packs its programs with the libraries they need into .gpu/framewright-gpu.tar.xz (ignored by
# git), for a machine that has a GPU, CUDA 13 and PyTorch but none of our dependencies. tests/gpu/run.sh unpacks it there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
programs="backend_ops_test backend_device_test gpu_test gpu_bench"
cmake --preset gpu
# shellcheck disable=SC2086
cmake --build --preset gpu --target $programs fw_cuda
stage="$(mktemp -d)"
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/bin" "$stage/lib" .gpu
for program in $programs libfw_cuda.so; do
    cp "build/gpu/bin/$program" "$stage/bin/"
    strip --strip-debug "$stage/bin/$program"
done
# Everything but the C library, which must be the machine's own, and CUDA, which it has.
for program in $programs; do
    ldd "build/gpu/bin/$program"
done | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
    grep -Ev '/(libc|libm|libdl|librt|libpthread|ld-linux[^/]*)\.so|/libcuda|/libcu[a-z]+' |
    xargs -I{} cp -L {} "$stage/lib/"
tar -C "$stage" -cJf .gpu/framewright-gpu.tar.xz bin lib
ls -l .gpu/framewright-gpu.tar.xz
