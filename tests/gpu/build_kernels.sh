#!/usr/bin/env bash
# Compiles libfw_cuda.so alone with nvcc, for changing kernels on a machine that cannot build the rest: the library's
# interface is plain C++ without dependencies.   build_kernels.sh OUTPUT_FOLDER [architecture, 90a]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out="$1"
arch="${2:-90a}"
nvcc="$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)"
toolkit="$(dirname "$(dirname "$(readlink -f "$nvcc")")")"
objects="$(mktemp -d)"
trap 'rm -rf "$objects"' EXIT
mkdir -p "$out"
printf "%s\n" kernels/cuda/*.cu kernels/cuda/*.cpp | xargs -P "$(nproc)" -I{} sh -c \
    "$nvcc -c {} -o $objects/\$(basename {}).o -I. -std=c++20 -O3 -lineinfo -gencode=arch=compute_$arch,code=sm_$arch \
        -Xcompiler=-fPIC,-fvisibility=hidden"
"$nvcc" -shared -cudart static -o "$out/libfw_cuda.so" "$objects"/*.o -L"$toolkit/lib64" -lcublasLt -lcudnn
ls -l "$out/libfw_cuda.so"
