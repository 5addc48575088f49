#!/bin/sh
# Renew what the ABI tests compare with: tests/abi/constants.txt (new constants are added, changed ones refused)
# and, with --baseline, tests/abi/baseline.abi from a library with debug information.
#   tests/abi/update.sh [--baseline BUILD_FOLDER]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
python3 "$root/tests/abi/constants.py" "$root" --update
if [ "${1-}" = --baseline ]; then
    library=$2/lib/libnetfeat.so
    readelf -SW "$library" | grep -q debug_info || { echo "$library has no debug information" >&2; exit 1; }
    abidw --suppressions "$root/tests/abi/suppressions.ini" --headers-dir "$root/include" --drop-private-types --no-corpus-path --no-comp-dir-path \
        --out-file "$root/tests/abi/baseline.abi" "$library"
fi
