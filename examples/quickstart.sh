#!/bin/sh
# From a clone to a packet table: builds a release in build/ and turns captures into CSV.
#   examples/quickstart.sh [CAPTURE...]       without arguments: the sample captures in examples/data/
set -eu

case ${1-} in -h | --help)
    sed -n '2,3s/^# //p' "$0"
    exit 0
    ;;
esac
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/support/packages.sh"
[ $# -gt 0 ] || set -- "$root/examples/data/mirai_scan.pcap" "$root/examples/data/benign.pcapng"
columns=timestamp,src_ip,dst_ip,src_port,dst_port,ip_protocol,frame_length
build=$root/build

# Cells of the CSV on standard input, one under the other.
aligned() {
    tr -d '\r' | awk -F, '{ for (i = 1; i <= NF; i++) printf "%-*s ", (i == 1 ? 31 : i <= 3 ? 20 : 11), $i; print "" }'
}

need_build_tools
mkdir -p "$build/quickstart"
log=$build/quickstart/build.log
if [ ! -f "$build/build.ninja" ]; then
    echo "== Building a release in $build"
    meson setup "$build" "$root" --buildtype=release >"$log" 2>&1 || { cat "$log"; exit 1; }
fi
ninja -C "$build" examples/netfeat-extract >"$log" 2>&1 || { cat "$log"; exit 1; }

status=0
for capture in "$@"; do
    csv=$build/quickstart/$(basename "$capture").csv
    printf '\n== %s -> %s\n' "$capture" "$csv"
    "$build/examples/netfeat-extract" --stats -c "$columns" -o "$csv" "$capture" || status=$?
    [ ! -f "$csv" ] || head -n 11 "$csv" | aligned
done
exit "$status"
