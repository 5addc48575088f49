#!/bin/sh
# Fuzzing: every target in turn, the time divided between them, with address and undefined-behaviour sanitizers.
#   tests/fuzz/run.sh MINUTES [TARGET...]          libFuzzer (clang); without names: all targets
#   tests/fuzz/run.sh --afl MINUTES [TARGET...]    AFL++ (afl-clang-fast); without names: decode and ipc
#   tests/fuzz/run.sh --count N [TARGET...]        libFuzzer, N executions of each, in the quickest way: short inputs;
#                                                  comparisons and how often an edge is taken are not recorded, leaks and
#                                                  smaller inputs not looked for (its input is what the first way found)
#   tests/fuzz/run.sh --coverage [TARGET...]       lines of lib/ that the corpora reach, without fuzzing
# Says executions, seconds of processor time and new inputs for each target, and after libFuzzer the lines that all inputs,
# found ones and seeds, reach. Found inputs stay in build-fuzz/corpus-TARGET (build-afl/...) and are where the next run
# starts; findings are build-fuzz/TARGET-crash-... or build-afl/out-TARGET/default/crashes. Exit code 1: there are findings.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
exec </dev/null
. tests/support/suites.sh

engine=libfuzzer
case ${1-} in
--afl) engine=afl && shift ;;
--count) engine=count && shift ;;
--coverage) engine=none && shift ;;
esac
amount=0
if [ "$engine" != none ]; then
    amount=${1-}
    case $amount in
    '' | *[!0-9.]*) sed -n '3,8s/^# *//p' "$0" >&2 && exit 2 ;;
    esac
    shift
fi
all=$(sed -n 's/^fuzz_targets = \[//; '"s/^  '\([a-z_]*\)',\$/\1/p" tests/fuzz/meson.build)
if [ $# -gt 0 ]; then
    targets=$*
elif [ "$engine" = afl ]; then
    targets="decode ipc"
else
    targets=$all
fi
count=$(echo $targets | wc -w)
seconds=$(awk "BEGIN { s = int($amount * 60 / $count); print (s > 0 ? s : 1) }")
findings=0
options="-Dfuzz=enabled -Db_lundef=false -Dexamples=disabled -Dbench=disabled -Dpython=disabled"

programs() {
    for name in $targets; do
        printf 'tests/fuzz/%s_%s ' "$1" "$name"
    done
}

# Again, if need be from scratch.
configure() {
    if [ -f "$folder/build.ninja" ]; then
        # shellcheck disable=SC2086
        meson setup --reconfigure "$folder" . $options "$@" || meson setup --wipe "$folder" . $options "$@"
    else
        # shellcheck disable=SC2086
        meson setup "$folder" . $options "$@"
    fi
}

# prepare FOLDER PREFIX OPTION...: only the programs of the targets.
prepare() {
    folder=$1 prefix=$2
    shift 2
    mkdir -p "$folder"
    # shellcheck disable=SC2086,SC2046 # lists of words
    if configure "$@" >"$folder/build.log" 2>&1 && ninja -C "$folder" $(programs "$prefix") >>"$folder/build.log" 2>&1; then
        return
    fi
    tail -n 40 "$folder/build.log"
    echo "the build in $folder failed" >&2
    exit 1
}

# Processor time in seconds between two files that `times` of this shell wrote.
processor_seconds() {
    awk 'FNR == 2 { for (i = 1; i <= 2; i++) { split($i, t, /[ms]/); s[NR > 2] += t[1] * 60 + t[2] } }
        END { printf "%.0f", s[1] - s[0] }' "$1" "$2"
}

# fuzz_each BUILD OPTION...: every target of that build; found inputs are shared by all builds.
fuzz_each() {
    build=$1
    shift
    for name in $targets; do
        mkdir -p "build-fuzz/corpus-$name"
        times >build-fuzz/before
        if UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 "$build/tests/fuzz/fuzz_$name" "$@" -entropic=0 \
            -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="build-fuzz/$name-" \
            "build-fuzz/corpus-$name" "tests/fuzz/corpus/$name" >"build-fuzz/$name.log" 2>&1; then
            executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "build-fuzz/$name.log")
            found=$(sed -n 's/^stat::new_units_added: *//p' "build-fuzz/$name.log")
            times >build-fuzz/after
            echo "$name: ${executions:-0} executions," \
                "$(processor_seconds build-fuzz/before build-fuzz/after) s of processor time, ${found:-0} new inputs"
        else
            tail -n 40 "build-fuzz/$name.log"
            echo "$name: a finding, see build-fuzz/$name-*"
            findings=$((findings + 1))
        fi
    done
}

run_libfuzzer() {
    CC=clang-14 prepare build-fuzz fuzz --buildtype=debugoptimized -Db_sanitize=address,undefined
    fuzz_each build-fuzz -max_total_time="$seconds" -timeout=10
}

# No time-out for a single input: such a run may be longer than the machine's owner is patient, and be stopped meanwhile.
run_count() {
    CC=clang-14 prepare build-fuzz-count fuzz --buildtype=debugoptimized -Db_sanitize=address,undefined \
        -Dc_args=-fno-sanitize-coverage=trace-cmp
    export ASAN_OPTIONS=quarantine_size_mb=16:malloc_context_size=1
    fuzz_each build-fuzz-count -runs="$amount" -max_len=128 -use_cmp=0 -use_counters=0 -detect_leaks=0 -reduce_inputs=0 \
        -timeout=0
}

run_afl() {
    # afl-clang-fast answers to -fsanitize=fuzzer with a driver of its own: the same programs.
    export AFL_QUIET=1 AFL_USE_ASAN=1 AFL_USE_UBSAN=1
    CC=afl-clang-fast prepare build-afl fuzz --buildtype=debugoptimized
    for name in $targets; do
        out=build-afl/out-$name
        from=tests/fuzz/corpus/$name
        [ ! -d "$out/default/queue" ] || from=- # go on
        code=0
        AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 \
            timeout --signal=INT $((seconds + 120)) afl-fuzz -i "$from" -o "$out" -V "$seconds" -t 5000 -m none \
            -- "build-afl/tests/fuzz/fuzz_$name" >"build-afl/$name.log" 2>&1 || code=$?
        stats=$out/default/fuzzer_stats
        if [ "$code" -ne 0 ] || [ ! -f "$stats" ]; then
            tail -n 30 "build-afl/$name.log"
            echo "$name: afl-fuzz ended with $code"
            findings=$((findings + 1))
            continue
        fi
        field() { sed -n "s/^$1 *: *//p" "$stats"; }
        echo "$name: $(field execs_done) executions in all runs, $(field run_time) s, $(field corpus_found) new inputs," \
            "$(field saved_crashes) crashes, $(field saved_hangs) hangs"
        [ "$(field saved_crashes)" = 0 ] || findings=$((findings + 1))
    done
}

# Lines of lib/ that seeds and found inputs reach: of the targets' programs, not of the tests.
show_coverage() {
    prepare build-fuzz-coverage replay --buildtype=debug -Db_coverage=true
    find build-fuzz-coverage -name '*.gcda' -exec rm -f {} +
    for name in $targets; do
        for corpus in "tests/fuzz/corpus/$name" "build-fuzz/corpus-$name"; do
            [ ! -d "$corpus" ] || timeout 900 "build-fuzz-coverage/tests/fuzz/replay_$name" "$corpus" >/dev/null || {
                echo "$name: $corpus does not replay"
                findings=$((findings + 1))
            }
        done
    done
    echo "lib/ reached by the corpora of $(echo $targets):"
    gcovr --root . --filter lib/ build-fuzz-coverage/lib --print-summary 2>/dev/null | grep -E '^(lines|branches):'
}

case $engine in
libfuzzer) run_libfuzzer && show_coverage ;;
count) run_count ;;
afl) run_afl ;;
none) show_coverage ;;
esac
echo "$findings findings"
[ "$findings" -eq 0 ]
