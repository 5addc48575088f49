#!/bin/bash
# What the live tests share; sourced. The caller says what runs inside: "$0" --inside ARGUMENTS..., as root and as a user
# without rights, in a network namespace that is ours.

fail() {
    echo "not ok: $*" >&2
    exit 1
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

# captured PACKETS: a capture of so many different packets on standard output.
captured() {
    python3 - "$1" <<'PYTHON'
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
}

# run_inside NAMESPACES PROGRAM FOLDER: "$0" --inside PROGRAM FOLDER in namespaces of its own, as root and as a user
# without rights outside of them, wherever that can be. checked FOLDER, a function of the caller, comes behind each run.
run_inside() {
    local script files program=$2 folder=$3 ran=0 user=(unshare "-r$1")
    script=$(realpath "$0")
    files=("$script" "$(dirname "$script")/common.sh")
    if [ "$(id -u)" = 0 ] && unshare "-$1" true 2>/dev/null; then
        unshare "-$1" "$script" --inside "$program" "$folder"
        run_code $? "$folder"
    fi
    if [ "$(id -u)" = 0 ]; then # where the files can be read then
        local nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
        chmod 777 "$folder"
        # shellcheck disable=SC2046 # a list of words
        cp -L "$program" "${files[@]}" $(ldd "$program" | sed -n 's/.*libnetfeat[^ ]* => \(\/[^ ]*\).*/\1/p') "$folder"
        program=$folder/$(basename "$program")
        script=$folder/$(basename "$script")
        export LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
        chmod -R a+rwX "$folder"
        if "${nobody[@]}" test -r "$folder/sent.pcap" 2>/dev/null; then
            user=("${nobody[@]}" unshare "-r$1")
        fi
    fi
    if "${user[@]}" true 2>/dev/null; then
        "${user[@]}" "$script" --inside "$program" "$folder"
        run_code $? "$folder"
    fi
    [ $ran -eq 1 ] || exit 77
}

run_code() {
    [ "$1" -eq 0 ] || [ "$1" -eq 77 ] || exit "$1"
    if [ "$1" -eq 0 ]; then
        ran=1
        checked "$2"
    fi
}
