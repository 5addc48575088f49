#!/bin/sh
# Real consumers read what the library exports, and write what it imports: DuckDB (its C library), apache-arrow,
# polars and hyparquet, out of their npm packages. usage: run.sh duckdb|readers|sql INTEROP_TABLES INTEROP_DUCKDB CACHE [PYTHON]
# Prints TAP, of which "1..0 # SKIP" and why is all when node, npm or the packages cannot be had. The packages are installed
# into CACHE, once; INTEROP_MODULES names a node_modules folder to be used instead.
set -eu
part=$1
tables=$2
duckdb=$3
cache=$4
python=${5-} # for the part sql, with the package in PYTHONPATH
here=$(cd "$(dirname "$0")" && pwd)
packages="@duckdb/node-bindings-linux-x64@1.5.6-r.1 apache-arrow@21.2.0 nodejs-polars@0.26.1
    nodejs-polars-linux-x64-gnu@0.26.1 hyparquet@1.31.5 hyparquet-compressors@1.1.2"

skip() {
    echo "1..0 # SKIP $1"
    exit 0
}

command -v node >/dev/null 2>&1 || skip "there is no node"
[ "$(uname -sm)" = "Linux x86_64" ] || skip "the packages hold binaries for Linux on x86-64"
modules=${INTEROP_MODULES:-$cache/node_modules}
if [ -z "${INTEROP_MODULES-}" ] && [ ! -e "$cache/complete" ]; then
    command -v npm >/dev/null 2>&1 || skip "there is no npm"
    mkdir -p "$cache"
    # one at a time: the parts of the suite may run side by side
    exec 9>"$cache/lock"
    flock 9
    if [ ! -e "$cache/complete" ]; then
        echo '{"private": true}' >"$cache/package.json"
        # shellcheck disable=SC2086 # a list of words
        (cd "$cache" && timeout 300 npm install --no-audit --no-fund --no-package-lock --ignore-scripts --force \
            --fetch-retries=1 --loglevel=error $packages >"$cache/npm.log" 2>&1 </dev/null) ||
            skip "npm cannot install the packages: $(tail -n 1 "$cache/npm.log" | tr -d '#')"
        touch "$cache/complete"
    fi
fi

libduckdb=$modules/@duckdb/node-bindings-linux-x64/libduckdb.so
if [ "$part" = sql ]; then
    exec "$python" "$here/sql.py" "$here/../.." "$libduckdb"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$tables" make "$work"
if [ "$part" = duckdb ]; then
    "$duckdb" "$libduckdb" "$work"
else
    node "$here/readers.mjs" "$modules" "$tables" "$work"
fi
