#!/bin/bash
# Live capture between two network namespaces: tcpreplay sends 20,000 packets, the table has 20,000 equal rows and the
# kernel lost none; an interrupt ends the wait. As root, and as a user without rights in namespaces of its own.
# usage: live.sh NETFEAT_EXTRACT     77 = not permitted here, or a tool is missing = skipped
set -u

packets=20000
columns=frame_length,captured_length,src_mac,src_ip,dst_ip,src_port,dst_port,tcp_seq,payload_length,quality

. "$(dirname "$(realpath "$0")")/common.sh"

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
for tool in ip tcpreplay unshare nsenter python3; do
    command -v $tool >/dev/null || exit 77
done
folder=$(mktemp -d /tmp/netfeat-live-XXXXXX)
trap 'rm -rf "$folder"' EXIT

captured $packets >"$folder/sent.pcap"

checked() {
    rm -f "$1"/live.csv "$1"/live.err "$1"/replay.log # another user may write them next
}
run_inside n "$extract" "$folder"
