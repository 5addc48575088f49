#!/bin/bash
# netfeat-sensor on a link between two network namespaces, as root and as a user without rights: every packet sent is in
# its files, flows and features have the bits of an offline run; rights and system calls are gone; SIGHUP, a link that
# goes down, a full disk and a long replay are survived.
# usage: sensor.sh NETFEAT_SENSOR CONFINED PYTHON     77 = not permitted here, or a tool is missing = skipped
# NETFEAT_SENSOR_LOOPS: how often the capture of 20,000 packets is sent in the long replay (default 10).
# CONFINED: 1 if the sensor has its filter for system calls.
set -u

packets=20000
. "$(dirname "$(realpath "$0")")/common.sh"

# ---- inside: network and mount namespaces that are ours, with all rights in them ----

user=root # nobody else is there in a user namespace
[ "$(awk '$1 == 0 { print $3 }' /proc/self/uid_map)" -gt 1 ] && user=nobody

# start FOLDER OPTION...: the sensor, capturing, with its words in $err
start() {
    out=$1
    err=$folder/sensor.err
    shift
    mkdir -p "$out" && chmod 777 "$out"
    "$sensor" -i nf0 -d "$out" --user $user --report 1 "$@" 2>"$err" &
    pid=$!
    said " open; user" 1
}

# said TEXT TIMES: waits until the sensor has said so
said() {
    for _ in $(seq 600); do
        [ "$(grep -c -- "$1" "$err")" -ge "$2" ] && return
        kill -0 $pid 2>/dev/null || fail "the sensor ended: $(cat "$err")"
        sleep 0.05
    done
    fail "'$1' did not come $2 times: $(cat "$err")"
}

# replay PACKETS_PER_SECOND OPTION...
replay() {
    local rate=$1
    shift
    nsenter -t "$peer" -n tcpreplay -q --pps="$rate" "$@" -i nf1 "$folder/sent.pcap" >"$folder/replay.log" 2>&1 ||
        fail "tcpreplay: $(cat "$folder/replay.log")"
}

send() {
    replay 50000 --loop="${1:-1}"
}

stop() {
    kill -TERM $pid
    wait $pid || fail "exit code $?: $(cat "$err")"
    grep -q "dropped 0" "$err" || fail "the kernel dropped packets: $(tail -n 1 "$err")"
    [ -z "$(find "$out" -name '.*.part')" ] || fail "a file was not finished: $(ls -A "$out")"
}

status() {
    sed -n "s/^$1:[[:space:]]*//p" /proc/$pid/status
}

rights_are_gone() {
    local name
    for name in CapPrm CapEff CapInh CapAmb CapBnd; do
        [ "$(status $name)" = 0000000000000000 ] || fail "$name is $(status $name)"
    done
    [ "$(status NoNewPrivs)" = 1 ] || fail "no_new_privs is off"
    [ "$confined" = 0 ] || [ "$(status Seccomp)" = 2 ] || fail "no filter for system calls"
    [ $user = root ] || [ "$(status Uid | cut -f 1-4 | tr -s '\t' ' ')" = "65534 65534 65534 65534" ] || fail "still $(status Uid)"
    echo "ok: no capability, no new ones, filter $(status Seccomp), uid $(status Uid | cut -f 1)"
}

survives() {
    start "$folder/out" --flows --pipeline "$folder/pipeline.arrow"
    rights_are_gone
    send
    said ": $packets packets, kernel received $packets, dropped 0" 1
    [ -z "$(ls "$out")" ] || fail "a file has its name before it is whole: $(ls "$out")"
    kill -HUP $pid
    said "packets: $packets rows in 1 files, 0 lost" 1
    ip link set nf0 down
    said "nf0 is down" 1
    ip link set nf0 up
    said "nf0 is up" 1
    send
    said ": $((2 * packets)) packets" 1
    stop
    [ "$(find "$out" -name 'packets-*' | wc -l)" = 2 ] || fail "SIGHUP made no new file: $(ls "$out")"
    echo "ok: $((2 * packets)) packets, SIGHUP and a link down between them"
}

# 20,000 rows are more than the disk holds: what is written stays, what follows is counted, and there is room again.
survives_full_disk() {
    mkdir -p "$folder/small"
    mount -t tmpfs -o size=2m,mode=777 none "$folder/small" 2>/dev/null || { echo "skipped: no file system to fill"; return; }
    start "$folder/small"
    replay 5000 --limit=$packets # a batch a second, two of which have room
    said ": $packets packets" 1
    said "rows lost: " 1
    kill -0 $pid || fail "the full disk ended the sensor"
    mkdir -p "$folder/kept"
    sleep 1.5 # the last batch has been tried
    cp "$folder"/small/*.arrows "$folder/kept" || fail "nothing was kept"
    rm "$folder"/small/*.arrows
    for _ in 1 2; do # fewer rows than would fill it
        replay 5000 --limit=2000
        sleep 1
    done
    said "written again" 1
    stop
    cp "$folder"/small/*.arrows "$folder/kept"
    umount "$folder/small"
    grep "packets: [0-9]* rows" "$err" | tail -n 1 | sed 's/.*packets: \([0-9]*\) rows.* files, \([0-9]*\) lost.*/\1 \2/' >"$folder/kept.count"
    read -r written lost <"$folder/kept.count"
    [ $((written + lost)) = $((packets + 4000)) ] || fail "$written written and $lost lost of $((packets + 4000))"
    [ "$lost" -gt 0 ] && [ "$written" -gt 4000 ] || fail "$written written, $lost lost"
    echo "ok: a full disk cost $lost rows, $written are in their files"
}

# The end of the capture, not of what it brought.
survives_no_device() {
    local code
    start "$folder/gone" --rotate 0
    replay 5000 --limit=2000
    said ": 2000 packets" 1
    ip link del nf0
    wait $pid
    code=$?
    [ $code -eq 1 ] || fail "exit code $code without a device"
    grep -q "packets: 2000 rows in 1 files, 0 lost" "$err" || fail "without a device: $(cat "$err")"
    rm -rf "$folder/gone"
    echo "ok: the device went away, 2000 packets stayed"
}

# Memory after the first tenth and at the end.
stays_small() {
    local loops=${NETFEAT_SENSOR_LOOPS:-10} first last cleaner
    start "$folder/many" --flows --pipeline "$folder/pipeline.arrow" --rotate 1
    send $(((loops + 9) / 10))
    said "packets: [1-9]" 1
    sleep 1
    first=$(status VmRSS | tr -dc 0-9)
    (while kill -0 $pid 2>/dev/null; do sleep 1; rm -f "$folder"/many/*.arrows; done) &
    cleaner=$!
    send "$loops"
    sleep 2
    last=$(status VmRSS | tr -dc 0-9)
    stop
    wait $cleaner
    rm -rf "$folder/many"
    [ $((last - first)) -lt 16384 ] || fail "memory grew from $first to $last KiB in $loops replays"
    echo "ok: $(((loops + (loops + 9) / 10) * packets)) packets, memory $first KiB, then $last KiB, at most $(sed -n 's/.*peak //p' "$err" | tail -n 1) by the library's own count"
}

if [ "${1:-}" = --inside ]; then
    sensor=$2
    folder=$3
    confined=$NETFEAT_CONFINED
    make_link
    survives
    survives_full_disk
    [ $user = nobody ] || stays_small # once is enough
    survives_no_device
    exit 0
fi

# ---- outside ----

sensor=$(realpath "$1")
export NETFEAT_CONFINED=$2
python=$3
for tool in ip tcpreplay unshare nsenter python3; do
    command -v $tool >/dev/null || exit 77
done
"$python" -c "import numpy" 2>/dev/null || exit 77
folder=$(mktemp -d /tmp/netfeat-sensor-XXXXXX)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
here=$(dirname "$(realpath "$0")")
captured $packets >"$folder/sent.pcap"
"$python" "$here/sensor.py" fit "$folder/sent.pcap" "$folder/pipeline.arrow" || fail "no pipeline"
chmod 644 "$folder"/*

checked() {
    "$python" "$here/sensor.py" same "$1/sent.pcap" 2 "$1/pipeline.arrow" "$1/out" || fail "other rows than sent"
    if [ -f "$1/kept.count" ]; then
        read -r written _ <"$1/kept.count"
        "$python" "$here/sensor.py" rows "$1/kept" "$written" >/dev/null || fail "files that a full disk left"
    fi
    rm -rf "$1"/out "$1"/kept* "$1"/small "$1"/*.err "$1"/replay.log
}
run_inside nm "$sensor" "$folder"
