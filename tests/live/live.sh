#!/bin/bash
# Live capture between two network namespaces: tcpreplay sends 20,000 packets, the table has 20,000 equal rows and the
# kernel lost none; an interrupt ends the wait. As root, and as a user without rights in namespaces of its own.
# usage: live.sh NETFEAT_EXTRACT     77 = not permitted here, or a tool is missing = skipped
set -u

packets=20000
columns=frame_length,captured_length,src_mac,src_ip,dst_ip,src_port,dst_port,tcp_seq,payload_length,quality

fail() {
    echo "not ok: $*" >&2
    exit 1
}

# ---- inside: a network namespace that is ours, with all rights in it ----

wait_for_capture() {
    for _ in $(seq 200); do
        if [ "$(wc -l </proc/net/packet)" -gt 1 ]; then # a packet socket beside the heading
            sleep 0.3
            return
        fi
        sleep 0.05
    done
    fail "the capture did not begin"
}

make_link() {
    unshare -n sleep 600 & # holds the other namespace
    peer=$!
    trap 'kill $peer 2>/dev/null' EXIT
    for _ in $(seq 100); do
        [ "$(readlink /proc/$peer/ns/net)" != "$(readlink /proc/self/ns/net)" ] && break
        sleep 0.05
    done
    ip link add nf0 type veth peer name nf1 || exit 77
    ip link set nf1 netns "$peer" || exit 77
    # nothing but what is replayed may pass
    echo 1 2>/dev/null >/proc/sys/net/ipv6/conf/nf0/disable_ipv6
    nsenter -t "$peer" -n sh -c 'echo 1 2>/dev/null >/proc/sys/net/ipv6/conf/nf1/disable_ipv6; ip link set nf1 up' || exit 77
    ip link set nf0 up || exit 77
}

replay() {
    local rows=$1 filter=$2
    "$extract" -i nf0 --stats -f "$filter" -n "$rows" -c "$columns" -o "$folder/live.csv" 2>"$folder/live.err" &
    local capture=$!
    wait_for_capture
    nsenter -t "$peer" -n tcpreplay -q --pps=50000 -i nf1 "$folder/sent.pcap" >"$folder/replay.log" 2>&1 ||
        fail "tcpreplay: $(cat "$folder/replay.log")"
    for _ in $(seq 300); do
        kill -0 $capture 2>/dev/null || break
        sleep 0.1
    done
    if kill -INT $capture 2>/dev/null; then
        wait $capture
        fail "$(($(wc -l <"$folder/live.csv") - 1)) of $rows rows came: $(cat "$folder/live.err")"
    fi
    wait $capture || fail "exit code $?: $(cat "$folder/live.err")"
    "$extract" -f "$filter" -c "$columns" "$folder/sent.pcap" | cmp - "$folder/live.csv" || fail "other rows than sent"
    grep -q " 0 kernel_dropped, 0 interface_dropped" "$folder/live.err" || fail "$(cat "$folder/live.err")"
    echo "ok: $rows rows with '$filter', equal to those sent, none dropped"
}

interrupted() {
    local start end code
    "$extract" -i nf0 -o /dev/null 2>"$folder/live.err" &
    local capture=$!
    wait_for_capture
    start=$(date +%s%N)
    kill -INT $capture
    wait $capture
    code=$?
    end=$(date +%s%N)
    [ $code -eq 130 ] || fail "exit code $code after an interrupt: $(cat "$folder/live.err")"
    [ $(((end - start) / 1000000)) -lt 5000 ] || fail "the interrupt took $(((end - start) / 1000000)) ms"
    echo "ok: interrupted after $(((end - start) / 1000000)) ms, the program's end included"
}

if [ "${1:-}" = --inside ]; then
    extract=$2
    folder=$3
    make_link
    replay $packets tcp
    replay $((packets / 2)) "tcp dst port 80"
    interrupted
    exit 0
fi

# ---- outside ----

extract=$(realpath "$1")
script=$(realpath "$0")
for tool in ip tcpreplay unshare nsenter python3; do
    command -v $tool >/dev/null || exit 77
done
folder=$(mktemp -d /tmp/netfeat-live-XXXXXX)
trap 'rm -rf "$folder"' EXIT

python3 - "$packets" >"$folder/sent.pcap" <<'PYTHON'
import struct
import sys

out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
for i in range(int(sys.argv[1])):
    payload = bytes([i % 256]) * (i * 7 % 900)
    tcp = struct.pack(">HHIIBBHHH", 1024 + i % 5000, 80 if i % 2 else 443, i, 0, 0x50, 0x18, 512, 0, 0) + payload
    packet = (bytes.fromhex("0200000000020200000000010800") +
              struct.pack(">BBHHHBBH4B4B", 0x45, 0, 20 + len(tcp), i % 65536, 0, 64, 6, 0, 10, 0, 0, 1, 10, 0, i % 250, 2) + tcp)
    out.append(struct.pack("<IIII", 1700000000 + i // 1000, i % 1000 * 1000, len(packet), len(packet)) + packet)
sys.stdout.buffer.write(b"".join(out))
PYTHON

ran=0
if [ "$(id -u)" = 0 ] && unshare -n true 2>/dev/null; then
    unshare -n "$script" --inside "$extract" "$folder"
    code=$?
    [ $code -eq 0 ] || [ $code -eq 77 ] || exit $code
    [ $code -eq 77 ] || ran=1
fi

user=(unshare -rn)
if [ "$(id -u)" = 0 ]; then # without the rights of root outside of the namespaces, where the files can be read then
    nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    chmod 777 "$folder"
    library=$(ldd "$extract" | sed -n 's/.*libnetfeat[^ ]* => \(\/[^ ]*\).*/\1/p')
    cp -L "$extract" "$script" $library "$folder"
    extract=$folder/$(basename "$extract")
    script=$folder/$(basename "$script")
    export LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    chmod -R a+rwX "$folder"
    rm -f "$folder"/live.csv "$folder"/live.err "$folder"/replay.log
    if "${nobody[@]}" test -r "$folder/sent.pcap" 2>/dev/null; then
        user=("${nobody[@]}" unshare -rn)
    fi
fi
if "${user[@]}" true 2>/dev/null; then
    "${user[@]}" "$script" --inside "$extract" "$folder"
    code=$?
    [ $code -eq 0 ] || [ $code -eq 77 ] || exit $code
    [ $code -eq 77 ] || ran=1
fi
[ $ran -eq 1 ] || exit 77
