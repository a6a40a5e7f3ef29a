#!/usr/bin/env bash
# Installs what is missing, builds Framewright, and opens its window; without a display it makes a clip instead.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat <<'TEXT'
usage: installer/run.sh [--clip] [PROMPT]

Installs missing Debian packages, builds Framewright and opens its window. Where there is no display, or with --clip,
it makes a video of PROMPT (or of a default sentence) in the current folder and prints its path.
TEXT
}

clip=no
prompt=""
for argument in "$@"; do
    case "$argument" in
        -h | --help) usage; exit 0 ;;
        --clip) clip=yes ;;
        -*) usage >&2; exit 2 ;;
        *) prompt="${prompt:+$prompt }$argument" ;;
    esac
done
[ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || clip=yes
here="$PWD"

[ ! -e "$root/build" ] || [ -w "$root/build" ] || die "$root/build belongs to another user; remove it first"
ensure_packages build
say "Building Framewright into build/release (minutes the first time, seconds afterwards) …"
log="$root/build/run.log"
mkdir -p "$root/build"
cuda=OFF
if nvidia-smi -L >/dev/null 2>&1; then
    cuda=AUTO # where the toolkit is as well
fi
build release fw framewright -- -DFW_BUILD_TESTS=OFF -DFW_CUDA="$cuda" >"$log" 2>&1 || {
    tail -n 40 "$log" >&2
    die "the build failed; its last lines are above, all of it is in $log"
}

if [ "$clip" = no ]; then
    say "Opening the window."
    exec "$root/build/release/bin/framewright"
fi
file="$here/framewright-$(date +%Y%m%d-%H%M%S).mp4"
prompt="${prompt:-a fox bounces in the snow at sunset}"
say "Making a clip of: $prompt"
# It prints the file's path as its last line.
exec "$root/build/release/bin/fw" generate "$prompt" --out "$file"
