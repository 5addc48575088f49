#!/bin/sh
# What takes longer than tests/run.sh may, in sections:
#   valgrind clang tsan msan integer    all programs of our own under these
#   32bit bigendian                     the same, built for i386 and, in qemu, for s390x
#   scan analyzer tidy cppcheck         static analysis: of clang, of gcc, clang-tidy, cppcheck
#   fuzz afl                            libFuzzer on every target, AFL++ on two
#   coverage                            lines and branches of lib/ that all suites reach
#   torture                             every allocation and every system call refused, bombs, mutations of captures
#   differential                        every packet of the shared captures against scapy and tshark, and flows in shards
#   streams                             a million random packet scripts, as many connections in shards, a hundred million
#                                       segments, real connections over a bad path
# usage: tests/deep.sh [SECTION...]     without arguments: all of them
# FUZZ_MINUTES: time for all fuzz targets together, and again for AFL++ (default 10). STREAM_SCRIPTS, STREAM_SEGMENTS: how
# many of each (10^6, 10^8). Findings of the fuzzers stay in build-fuzz/ and build-afl/. Installs what is missing by apt.
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
    case " ${*:-all} " in *" all "* | *" tidy "*) want_packages clang-tidy-14 ;; esac
    case " ${*:-all} " in *" all "* | *" cppcheck "*) want_packages cppcheck ;; esac
    case " ${*:-all} " in *" all "* | *" afl "*) want_packages afl++ ;; esac
    case " ${*:-all} " in *" all "* | *" 32bit "*) want_packages gcc-i686-linux-gnu libc6-dev-i386-cross ;; esac
    case " ${*:-all} " in *" all "* | *" bigendian "*) want_packages gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user ;; esac
fi
start_counting

valgrind_section() {
    say "valgrind"
    # One allocator for all sizes: valgrind watches malloc, not mmap.
    if build_in build-valgrind -Doptimization=1 -Ddebug=true -Dc_args=-DNETFEAT_PLAIN_MALLOC; then
        rm -f build-valgrind/valgrind.*.log
        run_suites build-valgrind --setup valgrind
        # Criterion lets a test pass whose process leaked: what valgrind wrote decides.
        if grep -lE 'definitely lost in|Invalid (read|write|free)|uninitialised|Syscall param' build-valgrind/valgrind.*.log; then
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

# Builds in which Criterion cannot run: our own runner, and no program but the tests.
plain_options="-Dplain_criterion=true -Dexamples=disabled -Dbench=disabled -Dpython=disabled"
no_libraries="-Dzlib=disabled -Dzstd=disabled -Dlz4=disabled -Dxz=disabled -Dbzip2=disabled -Danonymize=disabled -Dlive=disabled"

# plain_section FOLDER OPTION...
plain_section() {
    folder=$1
    shift
    # shellcheck disable=SC2086 # a list of words
    if build_in "$folder" $plain_options "$@"; then
        run_suites "$folder" --setup plain
    else
        count_failure "build in $folder"
    fi
}

tsan_section() {
    say "thread sanitizer"
    plain_section build-tsan --buildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false
}

# What other libraries write, the sanitizer takes as never written: none but libpcap, whose results are initialised by us. It
# knows fstat, not fstat64.
msan_section() {
    say "memory sanitizer"
    # shellcheck disable=SC2086
    CC=clang-14 plain_section build-msan --buildtype=debugoptimized -Db_sanitize=memory -Db_lundef=false \
        -Dc_args=-U_FILE_OFFSET_BITS $no_libraries
}

# Sums, differences and products of unsigned integers that wrap, conversions that change a value. Bits that a shift of an
# unsigned integer loses are meant to be lost.
integer_section() {
    say "integers: whatever wraps and is not meant to (tests/support/integer.ignore)"
    # shellcheck disable=SC2086
    CC=clang-14 plain_section build-integer --buildtype=debugoptimized -Db_lundef=false \
        -Dc_args="-fsanitize=integer -fno-sanitize=unsigned-shift-base -fno-sanitize-recover=integer -fsanitize-ignorelist=$root/tests/support/integer.ignore" \
        -Dc_link_args=-fsanitize=integer
}

cross_section() {
    if tests/support/sysroot.sh "$1" "build-root-$1" >"build-root-$1.log" 2>&1; then
        architecture=$1
        shift
        plain_section "$@" --cross-file "build-root-$architecture/cross.ini" -Dwerror=true
    else
        tail -n 20 "build-root-$1.log"
        count_failure "libraries for $1"
    fi
}

bits32_section() {
    say "32 bits: i386"
    cross_section i386 build-32bit
}

# qemu knows nothing of network devices.
bigendian_section() {
    say "big-endian: s390x in qemu"
    cross_section s390x build-bigendian -Dlive=disabled
}

# gcc's analyser; the release build's optimiser would hide paths from it. It sees one file at a time:
# tests/support/contracts.h tells it what other files promise, analyzer.txt which findings were looked at.
analyzer_section() {
    say "gcc's static analyser"
    if build_in build-analyzer -Ddebug=true -Doptimization=1 -Dtests=disabled -Dexamples=disabled -Dpython=disabled \
        "-Dc_args=-fanalyzer -D_GNU_SOURCE= -Wno-analyzer-malloc-leak -Wno-analyzer-use-of-uninitialized-value -Ilib -Iinclude -I$root/lib -I$root/include -include $root/tests/support/contracts.h"; then
        grep -v '^#' tests/support/analyzer.txt >build-analyzer/known
        if grep -E 'warning:|error:' build-analyzer/build.log | grep -v -f build-analyzer/known; then
            count_failure "gcc -fanalyzer"
        else
            passed=$((passed + 1))
        fi
    else
        count_failure "analyzer build"
    fi
}

# The checks are chosen, with reasons, in .clang-tidy.
tidy_section() {
    say "clang-tidy"
    mkdir -p build-tidy
    if { [ -f build-tidy/build.ninja ] || CC=clang-14 meson setup build-tidy . -Dtests=disabled -Dexamples=disabled -Dpython=disabled; } \
        >build-tidy/build.log 2>&1 && find lib -name '*.c' | sort | xargs -P "$jobs" -n 8 clang-tidy-14 -p build-tidy --quiet \
        --warnings-as-errors='*' >build-tidy/tidy.log 2>/dev/null; then
        passed=$((passed + 1))
    else
        grep -E 'warning:|error:' build-tidy/tidy.log build-tidy/build.log
        count_failure "clang-tidy"
    fi
}

cppcheck_section() {
    say "cppcheck"
    if cppcheck --quiet -j "$jobs" --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --suppressions-list=tests/support/cppcheck.txt --template='{file}:{line}: {severity}: {id}: {message}' \
        -Iinclude -Ilib -D_DEFAULT_SOURCE -D__x86_64__ -D__SIZEOF_INT128__=16 -D__BYTE_ORDER__=1234 \
        -D__ORDER_LITTLE_ENDIAN__=1234 -D__ORDER_BIG_ENDIAN__=4321 lib; then
        passed=$((passed + 1))
    else
        count_failure "cppcheck"
    fi
}

fuzz_section() {
    say "libFuzzer, ${FUZZ_MINUTES:=10} min"
    if tests/fuzz/run.sh "$FUZZ_MINUTES"; then
        passed=$((passed + 1))
    else
        count_failure "libFuzzer"
    fi
}

afl_section() {
    say "AFL++, ${FUZZ_MINUTES:=10} min"
    if tests/fuzz/run.sh --afl "$FUZZ_MINUTES"; then
        passed=$((passed + 1))
    else
        count_failure "AFL++"
    fi
}

# Assertions off, as in a release: their other branch is unreachable.
coverage_section() {
    say "coverage of lib/"
    if build_in build-coverage --buildtype=debug -Db_ndebug=true -Db_coverage=true; then
        find build-coverage -name '*.gcda' -exec rm -f {} +
        run_suites build-coverage --suite unit --suite api --suite fuzz --suite examples --suite stream --suite python --suite live
        gcovr --root . --filter lib/ build-coverage/lib --exclude-unreachable-branches --exclude-throw-branches --print-summary \
            --json-summary build-coverage/summary.json >build-coverage/coverage.txt 2>/dev/null
        grep -E '^(lines|branches|functions):' build-coverage/coverage.txt
        python3 tests/support/coverage.py build-coverage/summary.json 20
    else
        count_failure "coverage build"
    fi
}

differential_section() {
    say "scapy and tshark: every packet; flows in shards"
    if ! build_in build-test -Dwerror=true; then
        count_failure "release build"
        return
    fi
    for program in scapy_compare tshark_compare flows_shards; do
        code=0
        PYTHONPATH=lib/python NETFEAT_LIBRARY=$(echo build-test/lib/libnetfeat.so.?) \
            /usr/bin/python3 "tests/differential/$program.py" --full || code=$?
        case $code in
        0) passed=$((passed + 1)) ;;
        77) skipped=$((skipped + 1)) ;;
        *) count_failure "$program" ;;
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
    if NETFEAT_SCRIPTS=$STREAM_SCRIPTS build-test/tests/unit/test_flow_shards --filter flow_shards/connections_that_end; then
        passed=$((passed + 1))
    else
        count_failure "random connections in shards against the whole"
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

torture_section() {
    say "torture: all of it"
    if build_in build-test -Ddebug=true -Dwerror=true &&
        build_in build-asan --buildtype=debugoptimized -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false &&
        build_in build-valgrind -Doptimization=1 -Ddebug=true -Dc_args=-DNETFEAT_PLAIN_MALLOC &&
        tests/torture/run.sh build-test build-asan build-valgrind; then
        passed=$((passed + 1))
    else
        count_failure "torture"
    fi
}

all="valgrind clang tsan msan integer 32bit bigendian scan analyzer tidy cppcheck fuzz afl coverage torture differential streams"
for section in ${*:-$all}; do
    case " $all " in
    *" $section "*) ;;
    *) echo "unknown section: $section" >&2 && exit 2 ;;
    esac
    case $section in
    32bit) bits32_section ;; # no name for a function
    *) "${section}_section" ;;
    esac
done
finish_counting
