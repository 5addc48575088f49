/* tunnel_packets.h - parts of packets in tunnels, in hex, and what is expected of them. */
#ifndef TUNNEL_PACKETS_H
#define TUNNEL_PACKETS_H

#include "decode_check.h"

#define OUTER                                                                                                \
    "0a000001"                                                                                               \
    "0a000002"
#define OUT4(length, p)                                                                                      \
    "4500" length "0102"                                                                                     \
    "4000"                                                                                                   \
    "40" p "0000" OUTER
#define OUT6(length, p)                                                                                      \
    "60000000" length p "40"                                                                                 \
    "fd000000000000000000000000000001"                                                                       \
    "fd000000000000000000000000000002"
#define INNER     "src_ip=1.2.3.4 dst_ip=5.6.7.8 src_port=1000 dst_port=80 payload_length=0 padding_length=0 "
#define OUTSIDE   "outer_src_ip=10.0.0.1 outer_dst_ip=10.0.0.2 "
#define OUTSIDE6  "outer_src_ip=fd00::1 outer_dst_ip=fd00::2 "
#define NO_TUNNEL "tunnel_depth=0 -tunnel_type -tunnel_id -outer_src_ip "
#define INNER_MACS                                                                                           \
    "040000000002"                                                                                           \
    "040000000001"
#define FRAME                  INNER_MACS "0800" TCP4 /* 54 bytes */
#define ENDS                   "src_mac=040000000001 dst_mac=040000000002 ether_type=800 "
#define DATAGRAM(port, length) "c000" port length "0000"

#endif
