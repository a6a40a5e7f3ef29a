#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test: style, unit, golden, process and window tests of the release
# build, unit and golden tests under two sanitizers, and the fuzz targets for a minute together.
# The last line is "N passed, N failed" over all of them; the exit status is 0 only without failures.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat <<'TEXT'
usage: installer/test.sh [--quick]

Builds and runs all tests (bench and gpu excepted). --quick: the release build only, without sanitizers and fuzzing.
TEXT
}

quick=no
case "${1:-}" in
    "") ;;
    --quick) quick=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
esac

[ ! -e "$root/build" ] || [ -w "$root/build" ] || die "$root/build belongs to another user; remove it first"
passed=0
failed=0
logs="$root/build/test-logs"
rm -rf "$logs"
mkdir -p "$logs"

finish() {
    # A stage that ended the script without counting anything is a failure too.
    local status=$?
    [ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ] || exit 1
}
trap finish EXIT

# A failure that is no test's: a build that breaks, a tool that is missing.
fail_stage() {
    failed=$((failed + 1))
    say "FAILED: $1"
    [ ! -f "${2:-}" ] || tail -n 40 "$2"
}

stage() { say "== $1 ($(date -u +%H:%M:%S) UTC)"; }

build_stage() {
    local preset="$1" log="$logs/build-$1.log"
    stage "build $preset"
    build "$@" >"$log" 2>&1 && return
    fail_stage "the $preset build" "$log"
    return 1
}

# Adds the tests of one ctest run: the cases of every GoogleTest program by its own report; one for each other
# program (and for a program's second run with other settings), and one failure for a run that failed without a failed
# case in its report (crash, sanitizer, time limit).
count_results() {
    local junit="$1" cases="$2" name status good bad
    while read -r name status; do
        good=0 bad=0
        if [ -f "$cases/$name.xml" ]; then
            read -r good bad < <(awk '
                /<testsuites / {
                    match($0, /tests="[0-9]+"/); tests = substr($0, RSTART + 7, RLENGTH - 8)
                    match($0, /failures="[0-9]+"/); failures = substr($0, RSTART + 10, RLENGTH - 11)
                }
                /<skipped/ { skipped++ }
                END { print tests - failures - skipped, failures + 0 }' "$cases/$name.xml")
        elif [ "$status" = run ]; then
            good=1
        fi
        if [ "$status" != run ] && [ "$status" != disabled ] && [ "$bad" -eq 0 ]; then
            bad=1
        fi
        passed=$((passed + good))
        failed=$((failed + bad))
    done < <(sed -n 's/.*<testcase name="\([^"]*\)".* status="\([^"]*\)".*/\1 \2/p' "$junit")
}

# run_tests NAME PRESET CTEST-ARGUMENTS...
run_tests() {
    local name="$1" preset="$2" cases="$logs/$1" log="$logs/$1.log" before="$failed"
    shift 2
    stage "test $name"
    mkdir -p "$cases"
    GTEST_OUTPUT="xml:$cases/" ctest --test-dir "$root/build/$preset" --output-junit "$logs/$name.xml" \
        --output-on-failure --no-tests=error "$@" >"$log" 2>&1 || true
    if [ ! -s "$logs/$name.xml" ]; then
        fail_stage "no tests ran in $name" "$log"
        return
    fi
    count_results "$logs/$name.xml" "$cases"
    if [ "$failed" -gt "$before" ]; then
        say "FAILED: $name"
        grep -E -A 2 '\*\*\*Failed|^FAIL!|Failure|\[  FAILED|ERROR: |WARNING: Thread|SUMMARY' "$log" | head -n 60 || true
        say "all of it: $log"
    fi
}

# fuzz SECONDS: every fuzz target in turn, sharing the time; each counts as one test.
fuzz() {
    local targets=("$root"/build/fuzz/bin/fuzz_*) target name log each
    [ -x "${targets[0]}" ] || { fail_stage "there are no fuzz targets in build/fuzz/bin"; return; }
    each=$(($1 / ${#targets[@]} + 1))
    for target in "${targets[@]}"; do
        name="$(basename "$target")"
        log="$logs/$name.log"
        stage "fuzz $name for $each s"
        mkdir -p "$logs/$name"
        if (cd "$logs/$name" && "$target" -max_total_time="$each" -rss_limit_mb=2048 -timeout=10 -max_len=65536 . \
            "$root/tests/fuzz/corpus/${name#fuzz_}") \
            >"$log" 2>&1; then
            passed=$((passed + 1))
        else
            fail_stage "$name" "$log"
        fi
    done
}

start="$SECONDS"
ensure_packages build test
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$logs/runtime}"
mkdir -p -m 0700 "$XDG_RUNTIME_DIR"
jobs="$(nproc)"

if build_stage release -- -DFW_BUILD_TESTS=ON; then
    run_tests release release -LE 'bench|gpu|gui' -j "$jobs"
    # One at a time: windows compete for the processor. Each brings its own virtual display.
    run_tests window release -L gui -j 1
fi
if [ "$quick" = no ]; then
    for sanitizer in asan tsan; do
        if build_stage "$sanitizer" sanitized_tests; then
            run_tests "$sanitizer" "$sanitizer" -L 'unit|golden' -j "$jobs"
        fi
    done
    if build_stage fuzz; then
        fuzz 60
    fi
fi
say "All stages took $(((SECONDS - start) / 60)) min $(((SECONDS - start) % 60)) s."
