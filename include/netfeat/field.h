/* field.h - the catalogue of packet fields: one column of the packet table each. Ids and names never change
   once released. The list itself is lib/decode/fields.def; everything here is checked against it. */
#ifndef NETFEAT_FIELD_H
#define NETFEAT_FIELD_H

#include <netfeat/base.h>

NETFEAT_BEGIN_DECLS

enum { /* field ids */
       NETFEAT_FIELD_PACKET_NUMBER = 1,
       NETFEAT_FIELD_FILE_INDEX = 2,
       NETFEAT_FIELD_INTERFACE_ID = 3,
       NETFEAT_FIELD_LINK_TYPE = 4,
       NETFEAT_FIELD_TIMESTAMP = 5,
       NETFEAT_FIELD_FRAME_LENGTH = 6,
       NETFEAT_FIELD_CAPTURED_LENGTH = 7,
       NETFEAT_FIELD_SRC_MAC = 8,
       NETFEAT_FIELD_DST_MAC = 9,
       NETFEAT_FIELD_ETHER_TYPE = 10,
       NETFEAT_FIELD_VLAN_ID = 11,
       NETFEAT_FIELD_VLAN_OUTER_ID = 12,
       NETFEAT_FIELD_TUNNEL_TYPE = 13,
       NETFEAT_FIELD_TUNNEL_DEPTH = 14,
       NETFEAT_FIELD_TUNNEL_ID = 15,
       NETFEAT_FIELD_ARP_OPERATION = 16,
       NETFEAT_FIELD_IP_VERSION = 17,
       NETFEAT_FIELD_SRC_IP = 18,
       NETFEAT_FIELD_DST_IP = 19,
       NETFEAT_FIELD_IP_PROTOCOL = 20,
       NETFEAT_FIELD_IP_TTL = 21,
       NETFEAT_FIELD_IP_TOS = 22,
       NETFEAT_FIELD_IP_ID = 23,
       NETFEAT_FIELD_IP_LENGTH = 24,
       NETFEAT_FIELD_IP_HEADER_LENGTH = 25,
       NETFEAT_FIELD_IP_FLAGS = 26,
       NETFEAT_FIELD_FRAGMENT_OFFSET = 27,
       NETFEAT_FIELD_IPV6_FLOW_LABEL = 28,
       NETFEAT_FIELD_SRC_PORT = 29,
       NETFEAT_FIELD_DST_PORT = 30,
       NETFEAT_FIELD_TCP_FLAGS = 31,
       NETFEAT_FIELD_TCP_SEQ = 32,
       NETFEAT_FIELD_TCP_ACK = 33,
       NETFEAT_FIELD_TCP_WINDOW = 34,
       NETFEAT_FIELD_TCP_URGENT_POINTER = 35,
       NETFEAT_FIELD_TCP_HEADER_LENGTH = 36,
       NETFEAT_FIELD_TCP_MSS = 37,
       NETFEAT_FIELD_TCP_WINDOW_SCALE = 38,
       NETFEAT_FIELD_TCP_SACK_PERMITTED = 39,
       NETFEAT_FIELD_TCP_TIMESTAMP = 40,
       NETFEAT_FIELD_TCP_TIMESTAMP_ECHO = 41,
       NETFEAT_FIELD_ICMP_TYPE = 42,
       NETFEAT_FIELD_ICMP_CODE = 43,
       NETFEAT_FIELD_L4_LENGTH = 44,
       NETFEAT_FIELD_PAYLOAD_LENGTH = 45,
       NETFEAT_FIELD_PADDING_LENGTH = 46,
       NETFEAT_FIELD_QUALITY = 47,
       NETFEAT_FIELD_PAYLOAD = 48,
       NETFEAT_FIELD_L4_OFFSET = 49,
       NETFEAT_FIELD_OUTER_SRC_IP = 50,
       NETFEAT_FIELD_OUTER_DST_IP = 51,
       NETFEAT_FIELD_ICMP_SRC_IP = 52,
       NETFEAT_FIELD_ICMP_DST_IP = 53,
       NETFEAT_FIELD_ICMP_PROTOCOL = 54,
       NETFEAT_FIELD_ICMP_SRC_PORT = 55,
       NETFEAT_FIELD_ICMP_DST_PORT = 56,
       NETFEAT_FIELD_IP_DSCP = 57,
       NETFEAT_FIELD_IP_ECN = 58,
       NETFEAT_FIELD_ICMP_ID = 59
};

enum {                                /* values of tunnel_type; what tunnel_id then is */
       NETFEAT_TUNNEL_MPLS = 1,       /* a stack of labels (RFC 3032): the label at its bottom */
       NETFEAT_TUNNEL_PSEUDOWIRE = 2, /* Ethernet over MPLS (RFC 4448): the label at the bottom */
       NETFEAT_TUNNEL_PPPOE = 3,      /* RFC 2516: session id */
       NETFEAT_TUNNEL_IPV4 = 4,       /* IP protocol 4, in IPv4 or IPv6 (RFC 2003, RFC 2473) */
       NETFEAT_TUNNEL_IPV6 = 5,       /* IP protocol 41, in IPv4 (6in4, 6to4: RFC 4213) or IPv6 */
       NETFEAT_TUNNEL_GRE = 6,        /* RFC 2784, RFC 2890, also over UDP (RFC 8086): key */
       NETFEAT_TUNNEL_NVGRE = 7,      /* RFC 7637: virtual subnet id, 24 bits */
       NETFEAT_TUNNEL_ERSPAN = 8,     /* types I, II and III: session id (II, III) */
       NETFEAT_TUNNEL_PPTP = 9,       /* GRE version 1 (RFC 2637): call id */
       NETFEAT_TUNNEL_VXLAN = 10,     /* RFC 7348: VNI */
       NETFEAT_TUNNEL_VXLAN_GPE = 11, /* draft-ietf-nvo3-vxlan-gpe: VNI */
       NETFEAT_TUNNEL_GENEVE = 12,    /* RFC 8926: VNI */
       NETFEAT_TUNNEL_GTP_U = 13,     /* 3GPP TS 29.281: TEID */
       NETFEAT_TUNNEL_TEREDO = 14,    /* RFC 4380 */
       NETFEAT_TUNNEL_L2TP = 15,      /* version 2 (RFC 2661): tunnel id << 16 | session id */
       NETFEAT_TUNNEL_L2TPV3 = 16,    /* RFC 3931: session id, 32 bits */
       NETFEAT_TUNNEL_ETHERIP = 17,   /* RFC 3378 */
       NETFEAT_TUNNEL_AYIYA = 18,     /* draft-massar-v6ops-ayiya */
       NETFEAT_TUNNEL_CAPWAP = 19,    /* RFC 5415, data channel */
       NETFEAT_TUNNEL_NSH = 20,       /* RFC 8300: service path identifier */
       NETFEAT_TUNNEL_PBB = 21,       /* IEEE 802.1ah: I-SID */
       NETFEAT_TUNNEL_MACSEC = 22,    /* IEEE 802.1AE without encryption */
       NETFEAT_TUNNEL_MPLS_UDP = 23,  /* RFC 7510: the label at the bottom */
       NETFEAT_TUNNEL_FABRICPATH = 24 /* Cisco FabricPath: forwarding tag */
};

enum { /* bits of tcp_flags (RFC 9293; AE: RFC 9768) */
       NETFEAT_TCP_FIN = 0x001,
       NETFEAT_TCP_SYN = 0x002,
       NETFEAT_TCP_RST = 0x004,
       NETFEAT_TCP_PSH = 0x008,
       NETFEAT_TCP_ACK = 0x010,
       NETFEAT_TCP_URG = 0x020,
       NETFEAT_TCP_ECE = 0x040,
       NETFEAT_TCP_CWR = 0x080,
       NETFEAT_TCP_AE = 0x100
};

enum { /* bits of ip_flags */
       NETFEAT_IP_MORE_FRAGMENTS = 1,
       NETFEAT_IP_DONT_FRAGMENT = 2, /* IPv4 only */
       NETFEAT_IP_RESERVED = 4       /* IPv4 only: the reserved ("evil") bit */
};

enum {                                       /* bits of quality: what is odd about a row */
       NETFEAT_QUALITY_SNAPPED = 0x1,        /* fewer bytes captured than were on the wire */
       NETFEAT_QUALITY_TIME_BACKWARDS = 0x2, /* older than the record before it */
       NETFEAT_QUALITY_NO_TIME = 0x4,        /* the record has no time stamp */
       NETFEAT_QUALITY_FRAGMENT = 0x8,       /* part of a fragmented datagram */
       NETFEAT_QUALITY_IP_LENGTH_ZERO =
           0x10, /* IP length 0 (segmentation offload): length taken from the frame */
       NETFEAT_QUALITY_BAD_LENGTH = 0x20, /* lengths contradict each other, e.g. IP length beyond the frame */
       NETFEAT_QUALITY_BAD_IP_CHECKSUM = 0x40, /* of any IPv4 header; both only with table.verify_checksums */
       NETFEAT_QUALITY_BAD_L4_CHECKSUM = 0x80, /* of TCP, UDP, ICMP, ICMPv6, SCTP */
       /* decoding stopped early, because ... */
       NETFEAT_QUALITY_HEADER_CUT = 0x100,        /* the captured bytes end inside a header */
       NETFEAT_QUALITY_BAD_HEADER = 0x200,        /* a header contradicts its specification */
       NETFEAT_QUALITY_UNKNOWN_LINK = 0x400,      /* this link type is not decoded */
       NETFEAT_QUALITY_UNKNOWN_NETWORK = 0x800,   /* no IP or ARP follows the link header */
       NETFEAT_QUALITY_UNKNOWN_PROTOCOL = 0x1000, /* this IP protocol is not decoded further */
       NETFEAT_QUALITY_ENCRYPTED = 0x2000,        /* what follows is encrypted */
       NETFEAT_QUALITY_DEPTH_LIMIT = 0x4000,      /* more nested headers than table.max_layers */
       /* with table.verify_checksums: a checksum was left to the network card: it is 0, or the sum of the pseudo
          header only */
       NETFEAT_QUALITY_CHECKSUM_OFFLOAD = 0x8000
};

/* Walk all fields in ascending order: start with 0, ends with 0. */
NETFEAT_API int netfeat_field_next(int field_id);
/* Id for "src_port"; NOTFOUND. */
NETFEAT_API int netfeat_field_by_name(const char *name);
/* Each of these is NULL (or NOTFOUND) for an unknown id. Static strings. */
NETFEAT_API const char *netfeat_field_name(int field_id);
/* NETFEAT_TYPE_* */
NETFEAT_API int netfeat_field_type(int field_id);
/* "bytes", "ns", ... or "" */
NETFEAT_API const char *netfeat_field_unit(int field_id);
/* When the value is NULL, in words; "never" if it always has one. */
NETFEAT_API const char *netfeat_field_null_rule(int field_id);
/* One line of help. */
NETFEAT_API const char *netfeat_field_help(int field_id);

NETFEAT_END_DECLS

#endif
