#!/bin/sh
# All of the torture, which tests/run.sh takes samples of: every allocation, every system call and every malloc of whole
# scenarios refused, every byte of small captures flipped and cut, bombs of 10 GiB, and all captures of others, malformed
# and not, under sanitizers and valgrind.
#   tests/torture/run.sh RELEASE_BUILD SANITIZER_BUILD [VALGRIND_BUILD]
# The builds exist already (-Db_sanitize=address,undefined; -Doptimization=1 -Dc_args=-DNETFEAT_PLAIN_MALLOC). Captures of
# others: $NETFEAT_SHARED/captures or ../shared/captures, where there are any. BOMB_MIB: size of a bomb (10240). Exit code 0
# when everything was survived.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
release=$1 sanitizer=$2 valgrind=${3-}
captures=${NETFEAT_SHARED:-$root/../shared}/captures
logs=$sanitizer/torture
failed=0

rm -rf "$logs"
mkdir -p "$logs"
export ASAN_OPTIONS="detect_leaks=1:log_path=$logs/report" UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:log_path=$logs/report"

# each LARGEST COMMAND...: every file of the collection, as it is and with one byte flipped and one cut.
each() {
    largest=$1
    shift
    find "$captures" -type f -size -"$largest" -print0 | xargs -0 "$@" 1000000000 100000000
}

# step NAME COMMAND...: run, show the last line; 77 is nothing to do.
step() {
    name=$1
    shift
    code=0
    "$@" >"$logs/$name.log" 2>&1 || code=$?
    echo "$name: $(tail -n 1 "$logs/$name.log")"
    case $code in
    0 | 77) ;;
    *)
        grep -E '^FAILED|FAILED:|^not ok|ERROR|runtime error' "$logs/$name.log" | head -n 20
        echo "$name ended with $code"
        failed=$((failed + 1))
        ;;
    esac
}

step allocations "$release/tests/torture/torture" allocations
step calls "$release/tests/torture/torture" calls
step heap "$release/tests/torture/torture" heap
step allocations-sanitized "$sanitizer/tests/torture/torture" allocations 3
step calls-sanitized "$sanitizer/tests/torture/torture" calls 2
step limits "$release/tests/torture/limits" "${BOMB_MIB:-10240}"
step limits-sanitized "$sanitizer/tests/torture/limits" 64
step host "$sanitizer/tests/torture/host"
step mutations "$sanitizer/tests/torture/mutate" 1 20000 "$root/tests/cases" "$root/examples/data"
if [ -f "$captures/MANIFEST.tsv" ]; then
    # 50 small ones, of as many folders as possible: the smallest of each, in turn.
    files=$(find "$captures" -type f \( -name '*.pcap' -o -name '*.pcapng' \) -size -5 -size +0 -printf '%h %s %p\n' |
        sort -k1,1 -k2,2n | awk '{ print ++n[$1], $2, $3 }' | sort -n | head -n 50 | cut -d' ' -f3)
    # shellcheck disable=SC2086 # a list of paths without blanks
    step mutations-others "$sanitizer/tests/torture/mutate" 1 20000 $files
    step captures each 100000k "$sanitizer/tests/torture/mutate"
    if [ -n "$valgrind" ]; then
        step captures-valgrind each 400k valgrind --quiet --error-exitcode=99 --leak-check=full \
            --errors-for-leak-kinds=definite "$valgrind/tests/torture/mutate"
    fi
fi
if find "$logs" -name 'report*' | grep . >/dev/null; then
    find "$logs" -name 'report*' -exec head -n 40 {} +
    echo "sanitizer reports"
    failed=$((failed + 1))
fi
echo "torture: $failed failed"
[ "$failed" -eq 0 ]
