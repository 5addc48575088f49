/* The profile "nfstream": core, statistical and SPLT features of NFStream (engine 6.5), names and numbers as it
   gives them. Its quirks are part of the definition: milliseconds cut, not rounded; late packets moved to the
   latest time; lengths of 16 bits; IPv6 without its header in ip_length; 0, not NULL, where there is nothing.
   Not like it: nothing is read beyond the captured bytes, addresses are 16 bytes, and the packet table decapsulates
   more tunnels. */
#include "flow/getters.h"
#include "flow/input.h"

#include "table/text.h"

#define MS     1000000
#define SECOND INT64_C(1000000000)

/* Datagrams whose lengths it cannot follow, and fragments but the first, are not counted. */
static bool adapt(const netfeat_flows *fl, nf_flow_packet *p)
{
    bool measured = p->key.protocol == NF_PROTOCOL_TCP || p->key.protocol == NF_PROTOCOL_UDP ||
                    p->key.protocol == NF_PROTOCOL_ICMP || p->key.protocol == NF_PROTOCOL_ICMPV6;
    const char *mode = fl->config.length_column;

    if (p->fragment || (p->quality & (NETFEAT_QUALITY_IP_LENGTH_ZERO | NETFEAT_QUALITY_BAD_LENGTH)) != 0) {
        return false;
    }
    if (strcmp(mode, "ip_length") == 0 && !nf_ip_is_v4(p->key.ip[0])) {
        p->length = p->length > 40 ? p->length - 40 : 0;
    } else if (strcmp(mode, "l4_length") == 0 && !measured) {
        p->length = 0;
    }
    p->length &= 0xffff;
    /* only these tunnels are known to it, by numbers of its own, and not their ids */
    p->key.tunnel_type = p->key.tunnel_type == NETFEAT_TUNNEL_GTP_U    ? 1
                         : p->key.tunnel_type == NETFEAT_TUNNEL_CAPWAP ? 2
                                                                       : 0;
    p->key.extra &= (uint8_t) ~(p->key.tunnel_type == 0 ? NF_KEY_HAS_TUNNEL : 0);
    p->key.tunnel_id = 0;
    p->key.extra &= (uint8_t)~NF_KEY_HAS_TUNNEL_ID;
    return true;
}

/* ---- values: 0 where there is nothing, ns into ms ---- */

static bool get_number(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    if (argument == 0) {
        return nf_get_flow_id(v, 0, ret);
    }
    return nf_give_u64(ret, v->flow->reason == NETFEAT_FLOW_END_ACTIVE ? 1 : 0);
}

static bool get_key(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    ret->u = 0;
    if (argument < 2) {
        (void)nf_get_port(v, argument, ret);
    } else {
        (void)nf_get_extra(v, argument == 2 ? NF_KEY_HAS_VLAN : NF_KEY_HAS_TUNNEL, ret);
    }
    return true;
}

static const uint8_t *mac_of(const nf_flow_view *v, int end)
{
    const nf_link *link = nf_flow_read(v->config, v->flow, NF_G_LINK);
    return link->present[end] != 0 ? link->mac[end] : NULL;
}

static bool get_mac(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const uint8_t *mac = mac_of(v, argument & 1);
    size_t n;

    if (mac == NULL) {
        return false;
    }
    n = nf_text_mac(v->text, mac);
    return nf_give_bytes(ret, v->text, (argument & 2) != 0 ? 8 : n);
}

static bool get_seen(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    ret->i = 0;
    (void)nf_get_time(v, argument, ret);
    ret->i /= MS;
    return true;
}

static bool get_duration(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    ret->i = 0;
    (void)nf_get_duration(v, argument, ret);
    ret->i /= MS;
    return true;
}

static bool get_size(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    ret->f = 0;
    ret->u = 0;
    (void)nf_get_size(v, argument, ret);
    return true;
}

/* The sums are whole milliseconds: divided before the mean is taken, not after. */
static bool get_piat(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    nf_summary s = nf_sum_gaps(v, argument);
    uint64_t rest;

    s.sum = nf_i128_divide(s.sum, MS);
    s.squares = nf_u128_divide(s.squares, (uint64_t)MS * MS, &rest);
    s.min /= MS;
    s.max /= MS;
    ret->f = 0;
    ret->i = 0;
    (void)nf_statistic(&s, argument, ret);
    return true;
}

static bool get_flag(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    return nf_give_u64(ret, nf_sum_flags(v, argument, (unsigned)argument >> 2));
}

/* Always flow.first_packets elements, -1 behind the end of the flow. */
static uint32_t count_splt(const nf_flow_view *v)
{
    return v->config->first_packets;
}

static bool get_splt(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    if (v->element >= nf_count_first(v)) {
        return nf_give_i64(ret, -1);
    }
    (void)nf_get_first(v, argument, ret);
    return nf_give_i64(ret, argument == 2 ? ret->i / MS : (int64_t)ret->u);
}

#define U NF_COL_USUAL
#define N "never"
#define ROW(name, type, unit, groups, flags, get, argument, null_rule, help)                                 \
    {                                                                                                        \
        name, NETFEAT_TYPE_##type, unit, groups, flags, get, argument, NULL, null_rule, help,                \
            "nfstream." name "@1"                                                                            \
    }
#define SPLT(name, unit, argument, help)                                                                     \
    {                                                                                                        \
        name, NETFEAT_TYPE_I64, unit, NF_G(FIRST), 0, get_splt, argument, count_splt, N, help,               \
            "nfstream." name "@1"                                                                            \
    }
#define CORE(way, direction, help)                                                                           \
    ROW(way "_first_seen_ms", I64, "ms", NF_G(SPANS), U, get_seen, (direction) | NF_MIN, N,                  \
        "first packet" help),                                                                                \
        ROW(way "_last_seen_ms", I64, "ms", NF_G(SPANS), U, get_seen, (direction) | NF_MAX, N,               \
            "last packet" help),                                                                             \
        ROW(way "_duration_ms", I64, "ms", NF_G(SPANS), U, get_duration, direction, N, "last - first" help), \
        ROW(way "_packets", U64, "packets", 0, U, nf_get_packets, direction, N, "packets" help),             \
        ROW(way "_bytes", U64, "bytes", 0, U, nf_get_bytes, direction, N, "sum of 16-bit lengths" help)
#define SIZES(way, direction, help)                                                                          \
    ROW(way "_min_ps", U64, "bytes", NF_G(SIZES), U, get_size, (direction) | NF_MIN, N,                      \
        "least length" help),                                                                                \
        ROW(way "_mean_ps", F64, "bytes", NF_G(SIZES), U, get_size, (direction) | NF_MEAN, N,                \
            "mean length" help),                                                                             \
        ROW(way "_stddev_ps", F64, "bytes", NF_G(SIZES), U, get_size, (direction) | NF_STD, N,               \
            "deviation (n - 1) of lengths, 0 for one packet" help),                                          \
        ROW(way "_max_ps", U64, "bytes", NF_G(SIZES), U, get_size, (direction) | NF_MAX, N,                  \
            "greatest length" help)
#define GAPS(way, direction, help)                                                                           \
    ROW(way "_min_piat_ms", I64, "ms", NF_G(GAPS), U, get_piat, (direction) | NF_MIN, N,                     \
        "shortest inter-arrival time, 0 without" help),                                                      \
        ROW(way "_mean_piat_ms", F64, "ms", NF_G(GAPS), U, get_piat, (direction) | NF_MEAN, N,               \
            "mean inter-arrival time, 0 without" help),                                                      \
        ROW(way "_stddev_piat_ms", F64, "ms", NF_G(GAPS), U, get_piat, (direction) | NF_STD, N,              \
            "deviation (n - 1) of inter-arrival times, 0 for fewer than two" help),                          \
        ROW(way "_max_piat_ms", I64, "ms", NF_G(GAPS), U, get_piat, (direction) | NF_MAX, N,                 \
            "longest inter-arrival time, 0 without" help)
#define FLAG(way, direction, flag, bit, help)                                                                \
    ROW(way "_" flag "_packets", U64, "packets", NF_G(FLAGS), U, get_flag, (direction) | 4 * (bit), N,       \
        "packets with the flag, 0 if not TCP" help)
#define FLAGS(way, direction, help)                                                                          \
    FLAG(way, direction, "syn", 1, help), FLAG(way, direction, "cwr", 7, help),                              \
        FLAG(way, direction, "ece", 6, help), FLAG(way, direction, "urg", 5, help),                          \
        FLAG(way, direction, "ack", 4, help), FLAG(way, direction, "psh", 3, help),                          \
        FLAG(way, direction, "rst", 2, help), FLAG(way, direction, "fin", 0, help)
#define BI  "bidirectional"
#define FWD "src2dst"
#define BWD "dst2src"

static const nf_flow_column columns[] = {
    ROW("id", U64, "", 0, U, get_number, 0, N, "flow_id; NFStream counts up instead"),
    ROW("expiration_id", U8, "", 0, U, get_number, 1, N, "1 cut by the active time-out, else 0"),
    ROW("src_ip", BYTES16, "", 0, U, nf_get_ip, 0, N, "sender of the first packet"),
    ROW("src_mac", TEXT, "", NF_G(LINK), U, get_mac, 0, "no link address", "of the first packet"),
    ROW("src_oui", TEXT, "", NF_G(LINK), U, get_mac, 2, "no link address", "its first three bytes"),
    ROW("src_port", U16, "", 0, U, get_key, 0, N, "0 if neither TCP nor UDP"),
    ROW("dst_ip", BYTES16, "", 0, U, nf_get_ip, 1, N, "receiver of the first packet"),
    ROW("dst_mac", TEXT, "", NF_G(LINK), U, get_mac, 1, "no link address", "of the first packet"),
    ROW("dst_oui", TEXT, "", NF_G(LINK), U, get_mac, 3, "no link address", "its first three bytes"),
    ROW("dst_port", U16, "", 0, U, get_key, 1, N, "0 if neither TCP nor UDP"),
    ROW("protocol", U8, "", 0, U, nf_get_protocol, 0, N, "protocol behind the IP header"),
    ROW("ip_version", U8, "", 0, U, nf_get_ip_version, 0, N, "4 or 6"),
    ROW("vlan_id", U16, "", 0, U, get_key, 2, N, "innermost VLAN, 0 without"),
    ROW("tunnel_id", U8, "", 0, U, get_key, 3, N, "1 GTP, 2 CAPWAP, 0 none"),
    CORE(BI, NF_BOTH, ""),
    CORE(FWD, NF_FORWARD, " of the source"),
    CORE(BWD, NF_BACKWARD, " of the destination"),
    SIZES(BI, NF_BOTH, ""),
    SIZES(FWD, NF_FORWARD, " of the source"),
    SIZES(BWD, NF_BACKWARD, " of the destination"),
    GAPS(BI, NF_BOTH, ""),
    GAPS(FWD, NF_FORWARD, " of the source"),
    GAPS(BWD, NF_BACKWARD, " of the destination"),
    FLAGS(BI, NF_BOTH, ""),
    FLAGS(FWD, NF_FORWARD, " of the source"),
    FLAGS(BWD, NF_BACKWARD, " of the destination"),
    SPLT("splt_direction", "", 0, "of the first packets: 0 source, 1 destination, -1 none"),
    SPLT("splt_ps", "bytes", 1, "of the first packets: length, -1 none"),
    SPLT("splt_piat_ms", "ms", 2, "of the first packets: time from the one before, 0 for the first, -1 none"),
    {.name = NULL},
};

const nf_flow_profile nf_profile_nfstream = {
    .name = "nfstream",
    .columns = columns,
    .inputs =
        NF_IN(QUALITY) | NF_IN(FRAGMENT_OFFSET) | NF_IN(VLAN_ID) | NF_IN(TUNNEL_TYPE) | NF_IN(TUNNEL_ID),
    .clock_unit = MS,
    .idle_tcp = 120 * SECOND,
    .idle_other = 120 * SECOND,
    .active = 1800 * SECOND,
    .keys = NF_KEYS_PLAIN,
    .source = NF_SOURCE_FIRST,
    .forced_order = true,
    .adapt = adapt,
};
