#!/bin/sh
# What takes longer than tests/run.sh may: valgrind, clang, the static analyser, fuzzing, coverage, every packet of the
# shared captures against scapy and tshark, and streams: a million random packet scripts, a hundred million segments, real
# connections over a bad path.
#   tests/deep.sh [valgrind] [clang] [scan] [fuzz] [coverage] [differential] [streams]   without arguments: all of them
# FUZZ_SECONDS: time for each fuzz target (default 60). STREAM_SCRIPTS, STREAM_SEGMENTS: how many of each (10^6, 10^8).
# Findings stay in build-fuzz/. Installs what is missing by apt.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
exec </dev/null
. tests/support/packages.sh
. tests/support/suites.sh

need_build_tools
if command -v apt-get >/dev/null 2>&1; then
    want_packages libcriterion-dev valgrind clang-14 clang-tools-14 libclang-rt-14-dev gcovr tshark python3-numpy python3-pandas \
        python3-scapy
fi
start_counting

valgrind_section() {
    say "valgrind"
    # One allocator for all sizes: valgrind watches malloc, not mmap.
    if build_in build-valgrind -Doptimization=1 -Ddebug=true -Dc_args=-DNETFEAT_PLAIN_MALLOC; then
        run_suites build-valgrind --setup valgrind
        # Criterion lets a test pass whose process leaked: what valgrind wrote decides.
        if grep -lE 'definitely lost: [1-9]|Invalid (read|write)|uninitialised' build-valgrind/valgrind.*.log; then
            count_failure "valgrind reports"
        else
            passed=$((passed + 1))
        fi
    else
        count_failure "valgrind build"
    fi
}

clang_section() {
    say "clang: all warnings are errors"
    if CC=clang-14 build_in build-clang -Dwerror=true; then
        run_suites build-clang --suite unit --suite api --suite fuzz --suite abi
    else
        count_failure "clang build"
    fi
}

scan_section() {
    say "clang's static analyser"
    mkdir -p build-scan
    if scan-build-14 --status-bugs -o build-scan/reports meson setup --wipe build-scan . -Dtests=disabled >/dev/null 2>&1 ||
        meson setup build-scan . -Dtests=disabled >/dev/null; then
        if scan-build-14 --status-bugs -o build-scan/reports ninja -C build-scan >build-scan/scan.log 2>&1; then
            passed=$((passed + 1))
        else
            grep -E 'warning:|error:' build-scan/scan.log
            count_failure "static analyser"
        fi
    fi
}

fuzz_section() {
    say "libFuzzer, ${FUZZ_SECONDS:=60} s a target"
    if ! CC=clang-14 build_in build-fuzz --buildtype=debugoptimized -Dfuzz=enabled -Db_lundef=false \
        -Db_sanitize=address,undefined; then
        count_failure "fuzz build"
        return
    fi
    for program in build-fuzz/tests/fuzz/fuzz_*; do
        [ -x "$program" ] && [ ! -d "$program" ] || continue
        name=${program##*/fuzz_}
        mkdir -p "build-fuzz/corpus-$name"
        if UBSAN_OPTIONS=halt_on_error=1 "$program" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2048 \
            -artifact_prefix="build-fuzz/$name-" "build-fuzz/corpus-$name" "tests/fuzz/corpus/$name" \
            >"build-fuzz/$name.log" 2>&1; then
            grep -E '^Done|^stat::number_of_executed' "build-fuzz/$name.log" || tail -n 1 "build-fuzz/$name.log"
            passed=$((passed + 1))
        else
            tail -n 40 "build-fuzz/$name.log"
            count_failure "fuzz target $name"
        fi
    done
}

coverage_section() {
    say "coverage of lib/"
    if build_in build-coverage --buildtype=debug -Db_coverage=true; then
        run_suites build-coverage --suite unit --suite api --suite fuzz --suite examples
        gcovr --root . --filter lib/ build-coverage --print-summary --sort-percentage | tail -n 60
    else
        count_failure "coverage build"
    fi
}

differential_section() {
    say "scapy and tshark: every packet"
    if ! build_in build-test -Dwerror=true; then
        count_failure "release build"
        return
    fi
    for tool in scapy tshark; do
        code=0
        PYTHONPATH=lib/python NETFEAT_LIBRARY=$(echo build-test/lib/libnetfeat.so.?) \
            /usr/bin/python3 "tests/differential/${tool}_compare.py" --full || code=$?
        case $code in
        0) passed=$((passed + 1)) ;;
        77) skipped=$((skipped + 1)) ;;
        *) count_failure "comparison with $tool" ;;
        esac
    done
}

streams_section() {
    say "streams: ${STREAM_SCRIPTS:=1000000} random scripts, ${STREAM_SEGMENTS:=100000000} segments"
    if ! build_in build-test -Dwerror=true; then
        count_failure "release build"
        return
    fi
    if NETFEAT_SCRIPTS=$STREAM_SCRIPTS build-test/tests/unit/test_stream_model --filter stream_model/random_scripts; then
        passed=$((passed + 1))
    else
        count_failure "random scripts against the naive reassembler"
    fi
    code=0
    /usr/bin/python3 tests/differential/stream_model.py . build-test/tests/differential/stream_driver "$STREAM_SCRIPTS" || code=$?
    case $code in
    0) passed=$((passed + 1)) ;;
    77) skipped=$((skipped + 1)) ;;
    *) count_failure "random scripts against the executable specification" ;;
    esac
    if build-test/tests/stream/soak "$STREAM_SEGMENTS"; then
        passed=$((passed + 1))
    else
        count_failure "generated traffic"
    fi
    code=0
    PYTHONPATH=lib/python NETFEAT_LIBRARY=$(echo build-test/lib/libnetfeat.so.?) \
        tests/stream/kernel_truth.sh /usr/bin/python3 100 || code=$?
    case $code in
    0) passed=$((passed + 1)) ;;
    77) skipped=$((skipped + 1)) ;;
    *) count_failure "real connections over a bad path" ;;
    esac
}

for section in ${*:-valgrind clang scan fuzz coverage differential streams}; do
    case $section in
    valgrind | clang | scan | fuzz | coverage | differential | streams) "${section}_section" ;;
    *) echo "unknown section: $section" >&2 && exit 2 ;;
    esac
done
finish_counting
