# shellcheck shell=bash
# Shared by run.sh and test.sh: packages and builds. Sourced, never run.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

# The same cache entry serves every clone of this repository.
export CCACHE_BASEDIR="$root" CCACHE_NOHASHDIR=1

say() { printf '%s\n' "$*"; }

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Names in the given sections of packages.txt.
packages_of() {
    awk -v wanted=" $* " '
        /^\[/ { section = substr($0, 2, length($0) - 2); next }
        /^[^#]/ && index(wanted, " " section " ") { print $1 }' "$root/installer/packages.txt"
}

missing_packages() {
    local package
    for package in $(packages_of "$@"); do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s ' "$package"
    done
}

# Installs what is missing of the given sections, after saying so. Does nothing and needs no rights when all is there.
ensure_packages() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "This is no Debian or Ubuntu system: install the equivalents of installer/packages.txt yourself; going on."
        return
    fi
    local missing as_root=()
    missing="$(missing_packages "$@")"
    if [ -z "$missing" ]; then
        say "All needed packages are installed."
        return
    fi
    say "Missing Debian packages, installed next by apt-get: $missing"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null ||
            die "these packages need root; run: su -c 'apt-get update && apt-get install -y --no-install-recommends $missing'"
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update -qq || die "apt-get could not reach the Debian archive; check the network"
    # shellcheck disable=SC2086  # one word per package
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing \
        >/dev/null || die "apt-get could not install these packages: $missing"
}

# Parallel compilations: one per core, and 1.5 GiB of memory for each.
build_jobs() {
    local cores memory
    cores="$(nproc)"
    memory="$(awk '/^MemAvailable/ { print int($2 / 1572864) }' /proc/meminfo)"
    [ "${memory:-1}" -ge 1 ] || memory=1
    [ "$cores" -le "$memory" ] && echo "$cores" || echo "$memory"
}

# build PRESET [TARGET...] [-- CMAKE-OPTIONS...]
build() {
    local preset="$1" targets=()
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        targets+=(--target "$1")
        shift
    done
    [ $# -eq 0 ] || shift
    cmake -S "$root" --preset "$preset" "$@" >/dev/null &&
        cmake --build "$root/build/$preset" -j "$(build_jobs)" "${targets[@]}"
}
