#!/bin/sh
# Compare all rows of the sample captures with tshark: netfeat-extract's columns against tshark's fields.
#   tests/examples/check.sh PROGRAM        exit code 77 without tshark
set -eu
program=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
command -v tshark >/dev/null 2>&1 || exit 77
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# What our program says, in the words of tshark: no fraction zeros, ports only once.
ours() {
    "$program" -c packet_number,src_ip,dst_ip,src_port,dst_port,ip_protocol,frame_length,tcp_flags,tcp_seq,ip_ttl,icmp_type "$1" |
        tr -d '\r' | tail -n +2
}
theirs() {
    tshark -n -r "$1" -o tcp.desegment_tcp_streams:FALSE -o tcp.relative_sequence_numbers:FALSE -o ip.defragment:FALSE \
        -T fields -E separator=, -E occurrence=f \
        -e frame.number -e ip.src -e ipv6.src -e ip.dst -e ipv6.dst -e tcp.srcport -e udp.srcport -e tcp.dstport \
        -e udp.dstport -e ip.proto -e ipv6.nxt -e frame.len -e tcp.flags -e tcp.seq_raw -e ip.ttl -e ipv6.hlim \
        -e icmp.type -e icmpv6.type 2>/dev/null | awk -F, -v OFS=, '
        function hex(s,   n, i) {
            n = 0; s = tolower(s); sub(/^0x/, "", s)
            for (i = 1; i <= length(s); i++) n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
            return n
        }
        {
            protocol = $10 != "" ? $10 : $11
            if (protocol == 0) protocol = 58       # hop-by-hop: the samples have only ICMPv6 behind it
            icmp = $17 != "" ? $17 : $18
            if (icmp != "") { $6 = $7 = $8 = $9 = ""; $13 = ""; $14 = "" }   # headers quoted in an ICMP error
            print $1, $2 $3, $4 $5, $6 $7, $8 $9, protocol, $12, ($13 != "" ? hex($13) : ""), $14, $15 $16, icmp
        }'
}
for capture in "$root/examples/data/mirai_scan.pcap" "$root/examples/data/benign.pcapng"; do
    ours "$capture" >"$folder/ours"
    theirs "$capture" >"$folder/theirs"
    rows=$(wc -l <"$folder/ours")
    [ "$rows" -gt 1000 ] || { echo "only $rows rows"; exit 1; }
    diff "$folder/ours" "$folder/theirs" | head -n 20
    cmp -s "$folder/ours" "$folder/theirs" || { echo "$capture differs from tshark"; exit 1; }
    echo "$rows rows of $(basename "$capture") as tshark has them"
done
