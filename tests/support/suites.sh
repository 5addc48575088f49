# Building, running and counting for tests/run.sh and tests/deep.sh. Sourced from the source root.

say() {
    printf '\n== %s\n' "$*"
}

jobs=$(nproc 2>/dev/null || echo 2)

start_counting() {
    passed=0 failed=0 skipped=0
    started=$(date +%s)
    summary=
}

# build_in FOLDER OPTION...: configure (again, if need be from scratch) and compile; quiet unless it fails.
build_in() {
    folder=$1
    shift
    mkdir -p "$folder"
    log=$folder/build.log
    if [ -f "$folder/build.ninja" ]; then
        meson setup --reconfigure "$folder" . "$@" >"$log" 2>&1 || meson setup --wipe "$folder" . "$@" >"$log" 2>&1
    else
        meson setup "$folder" . "$@" >"$log" 2>&1
    fi && ninja -C "$folder" >>"$log" 2>&1 && return 0
    grep -v '^\[[0-9]*/[0-9]*\] ' "$log" | tail -n 60
    return 1
}

count_failure() {
    failed=$((failed + 1))
    summary="$summary
failed: $1"
}

# run_suites FOLDER [meson test option...]: run, count every TAP line and every program.
run_suites() {
    folder=$1
    shift
    rm -f "$folder"/sanitizer.log* "$folder"/meson-logs/testlog*
    code=0
    meson test -C "$folder" --no-rebuild --print-errorlogs --num-processes "$jobs" "$@" || code=$?
    # shellcheck disable=SC2046 # three numbers
    set -- $(python3 tests/support/count.py "$folder"/meson-logs/testlog*.junit.xml)
    passed=$((passed + ${1:-0})) failed=$((failed + ${2:-0})) skipped=$((skipped + ${3:-0}))
    [ "$code" -eq 0 ] || [ "${2:-0}" -gt 0 ] || count_failure "meson test in $folder ended with $code"
    [ "${1:-0}" -gt 0 ] || count_failure "no test ran in $folder"
}

# Criterion passes tests whose processes leaked or ran into undefined behaviour: what the sanitizers wrote decides.
count_sanitizer_reports() {
    found=$(find "$1" -maxdepth 1 -name 'sanitizer.log*' -exec grep -lE 'SUMMARY|runtime error' {} + 2>/dev/null || :)
    if [ -n "$found" ]; then
        for report in $found; do
            head -n 40 "$report"
        done
        count_failure "sanitizer reports"
    else
        passed=$((passed + 1))
    fi
}

finish_counting() {
    [ -z "$summary" ] || printf '%s\n' "$summary"
    echo "$(($(date +%s) - started)) seconds"
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
}
