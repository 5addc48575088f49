#!/bin/sh
# Streams of real connections between two kernels' sockets, over a path that loses, doubles and reorders: captured live by
# the library, what it makes of them must be what the sockets received. In network namespaces of its own.
# usage: kernel_truth.sh PYTHON [CONNECTIONS [SEED]]      77 = not permitted here, or a tool is missing = skipped
set -u
python=$1
shift
helper=$(dirname "$(realpath "$0")")/kernel_truth.py
for tool in ip unshare; do
    command -v $tool >/dev/null || {
        echo "skipped: no $tool"
        exit 77
    }
done
[ -c /dev/net/tun ] || {
    echo "skipped: no /dev/net/tun"
    exit 77
}
if [ "$(id -u)" = 0 ] && unshare -n true 2>/dev/null; then
    exec unshare -n "$python" "$helper" "$@"
elif unshare -rn true 2>/dev/null; then
    exec unshare -rn "$python" "$helper" "$@"
fi
echo "skipped: network namespaces are not permitted here"
exit 77
