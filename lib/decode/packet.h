/* packet.h - the header fields of one packet, as decoded; what fields.def names are members of this struct.
 */
#ifndef NF_DECODE_PACKET_H
#define NF_DECODE_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include <netfeat/field.h>

#define NF_FIELD_COUNT 64 /* ids are 1 .. 63: the bits of `present` */
#define NF_BIT(suffix) (UINT64_C(1) << NETFEAT_FIELD_##suffix)

/* A field whose bit in `present` is 0 is NULL; its member then holds whatever was there before. Fields that
   are never NULL (NULL rule "never") have no meaningful bit. */
typedef struct {
    uint64_t present;
    uint64_t packet_number;
    int64_t timestamp;
    uint64_t tunnel_id;
    const uint8_t *payload;    /* into the packet's bytes; valid with payload_length */
    uint32_t payload_captured; /* of payload_length bytes, how many are there */
    uint32_t frame_length, captured_length;
    uint32_t quality;
    uint32_t file_index, interface_id;
    uint32_t ip_id, ip_length, ip_header_length, fragment_offset, ipv6_flow_label;
    uint32_t tcp_seq, tcp_ack, tcp_timestamp, tcp_timestamp_echo;
    uint32_t l4_length, payload_length, padding_length;
    uint16_t link_type, ether_type, vlan_id, vlan_outer_id, arp_operation;
    uint16_t src_port, dst_port;
    uint16_t tcp_flags, tcp_window, tcp_urgent_pointer, tcp_mss;
    uint8_t src_ip[16], dst_ip[16];
    uint8_t src_mac[6], dst_mac[6];
    uint8_t tunnel_type, tunnel_depth;
    uint8_t ip_version, ip_protocol, ip_ttl, ip_tos, ip_flags;
    uint8_t tcp_header_length, tcp_window_scale, tcp_sack_permitted;
    uint8_t icmp_type, icmp_code;
    uint32_t l4_offset;
    /* Not a column: where the IP header is, from the first captured byte, valid with ip_version. */
    uint32_t l3_offset;
    /* the optional ones */
    uint16_t icmp_src_port, icmp_dst_port, icmp_id;
    uint8_t icmp_protocol, ip_dscp, ip_ecn;
    uint8_t outer_src_ip[16], outer_dst_ip[16];
    uint8_t icmp_src_ip[16], icmp_dst_ip[16];
} nf_packet;

/* Fields that become columns only when they are named. */
#define NF_OPTIONAL_BITS                                                                                     \
    (NF_BIT(PAYLOAD) | NF_BIT(OUTER_SRC_IP) | NF_BIT(OUTER_DST_IP) | NF_BIT(ICMP_SRC_IP) |                   \
     NF_BIT(ICMP_DST_IP) | NF_BIT(ICMP_PROTOCOL) | NF_BIT(ICMP_SRC_PORT) | NF_BIT(ICMP_DST_PORT) |           \
     NF_BIT(IP_DSCP) | NF_BIT(IP_ECN) | NF_BIT(ICMP_ID))

#define NF_TUNNEL_PORTS 16 /* further UDP ports of tunnels, at most */

typedef struct {
    uint16_t port;
    uint16_t layer; /* nf_layer */
} nf_tunnel_port;

/* What to decode; all zero but `want` and max_layers is the default. `want` is a set of NF_BIT(field): fields outside
   it stay NULL, and their members may be left alone. The fewer, the faster. */
typedef struct {
    uint64_t want;
    uint32_t max_layers;
    bool outermost;        /* stop at the first tunnel behind an IP header */
    bool whole_tunnels;    /* stop at a tunnel of which only a fragment is here */
    bool verify_checksums; /* the quality bits of checksums */
    uint8_t n_ports;
    nf_tunnel_port ports[NF_TUNNEL_PORTS]; /* beside the registered ones */
} nf_decode_config;

/* Add the ports of a text like "vxlan=8473,gtp=2153" to config. False: *ret_bad is where the text is wrong. */
bool nf_decode_tunnel_ports(nf_decode_config *config, const char *text, const char **ret_bad);

/* Decode data[0 .. captured), a packet of `wire` bytes on a link of type LINKTYPE_ link_type. Never fails:
   what cannot be decoded is absent and `quality` says why. Sets present, quality (decode's bits, and
   SNAPPED), link_type, frame_length, captured_length and every field it finds; leaves packet_number,
   timestamp, file_index and interface_id alone. No allocation, no I/O, no global state; reads nothing outside
   data[0 .. captured). */
void nf_decode(const nf_decode_config *config, uint32_t link_type, const uint8_t *data, uint32_t captured,
               uint32_t wire, nf_packet *pkt);

/* "packet.src_port@1": the field's name and the version of its definition. */
const char *nf_field_definition(int field_id);

#endif
