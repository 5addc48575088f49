/* The profile "zeek": the columns of Zeek's conn.log that follow from headers. Not like it: who the originator
   is follows from the first packet (a SYN-ACK turns it round) and not from well-known ports; trailing packets
   count for the duration; an unanswered SYN waits for the idle time-out like everything else. */
#include "flow/getters.h"
#include "flow/input.h"

#define SECOND INT64_C(1000000000)

static bool get_port(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    return nf_give_u64(ret, v->key->port[argument == 0 ? v->forward : 1U - v->forward]);
}

static bool get_proto(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const char *name = "unknown_transport";

    (void)argument;
    if (v->key->protocol == NF_PROTOCOL_TCP) {
        name = "tcp";
    } else if (v->key->protocol == NF_PROTOCOL_UDP) {
        name = "udp";
    } else if (v->key->protocol == NF_PROTOCOL_ICMP || v->key->protocol == NF_PROTOCOL_ICMPV6) {
        name = "icmp";
    }
    return nf_give_bytes(ret, name, strlen(name));
}

static bool get_duration(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    return nf_flow_duration(v) > 0 && nf_get_duration_seconds(v, argument, ret);
}

static bool get_bytes(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    if (nf_flow_duration(v) <= 0) {
        return false;
    }
    if (v->key->protocol != NF_PROTOCOL_TCP) {
        return nf_get_layer(v, argument | 12, ret);
    }
    return nf_give_u64(
        ret, nf_zeek_bytes(v->config, v->flow, argument == NF_FORWARD ? v->forward : 1U - v->forward));
}

/* Known to be missing: both ends took part in the connection. */
static bool get_missed(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const nf_history *h = nf_flow_read(v->config, v->flow, NF_G_HISTORY);
    const nf_tcp *t = nf_flow_read(v->config, v->flow, NF_G_TCP);
    uint64_t missed = 0;
    bool whole = v->key->protocol == NF_PROTOCOL_TCP;

    (void)argument;
    for (size_t i = 0; i < 2; i++) {
        whole = whole && (h->side[i].state == NF_TCP_ESTABLISHED || h->side[i].state == NF_TCP_CLOSED);
        missed += nf_tcp_gap_bytes(&t->side[i]);
    }
    return nf_give_u64(ret, whole ? missed : 0);
}

#define ROW(name, type, unit, groups, get, argument, null_rule, help)                                        \
    {                                                                                                        \
        name, NETFEAT_TYPE_##type, unit, groups, NF_COL_USUAL, get, argument, NULL, null_rule, help,         \
            "zeek." name "@1"                                                                                \
    }
#define NO_DURATION "duration is 0"

static const nf_flow_column columns[] = {
    ROW("ts", TIME_NS, "ns", 0, nf_get_time, NF_MIN, "no packet has a time", "first packet"),
    ROW("id.orig_h", BYTES16, "", 0, nf_get_ip, 0, "never", "address of the originator"),
    ROW("id.orig_p", U16, "", 0, get_port, 0, "never", "its port; ICMP: type; 0 otherwise"),
    ROW("id.resp_h", BYTES16, "", 0, nf_get_ip, 1, "never", "address of the responder"),
    ROW("id.resp_p", U16, "", 0, get_port, 1, "never",
        "its port; ICMP: type of the answer, or code; 0 otherwise"),
    ROW("proto", TEXT, "", 0, get_proto, 0, "never", "tcp, udp, icmp or unknown_transport"),
    ROW("duration", F64, "s", 0, get_duration, 0, NO_DURATION, "last minus first packet"),
    ROW("orig_bytes", U64, "bytes", NF_G(TCP) | NF_G(LAYERS), get_bytes, NF_FORWARD, NO_DURATION,
        "TCP: by sequence numbers; else payload"),
    ROW("resp_bytes", U64, "bytes", NF_G(TCP) | NF_G(LAYERS), get_bytes, NF_BACKWARD, NO_DURATION,
        "TCP: by sequence numbers; else payload"),
    ROW("conn_state", TEXT, "", NF_G(HISTORY), nf_get_conn_state, 0, "never", "state of the connection"),
    ROW("missed_bytes", U64, "bytes", NF_G(HISTORY), get_missed, 0, "never",
        "bytes in gaps, if both ends are ESTABLISHED or CLOSED"),
    ROW("history", TEXT, "", NF_G(HISTORY), nf_get_history, 0, "nothing to tell",
        "events, upper case: originator"),
    ROW("orig_pkts", U64, "packets", 0, nf_get_packets, NF_FORWARD, "never", "packets of the originator"),
    ROW("orig_ip_bytes", U64, "bytes", 0, nf_get_bytes, NF_FORWARD, "never", "sum of its ip_length"),
    ROW("resp_pkts", U64, "packets", 0, nf_get_packets, NF_BACKWARD, "never", "packets of the responder"),
    ROW("resp_ip_bytes", U64, "bytes", 0, nf_get_bytes, NF_BACKWARD, "never", "sum of its ip_length"),
    {.name = NULL},
};

const nf_flow_profile nf_profile_zeek = {
    .name = "zeek",
    .columns = columns,
    .length_column = "ip_length",
    .inputs = NF_IN(TCP_FLAGS),
    .clock_unit = 1,
    .idle_tcp = 300 * SECOND,
    .idle_other = 60 * SECOND,
    .active = NF_NEVER,
    .keys = NF_KEYS_TYPED,
    .source = NF_SOURCE_SYN_ACK,
    .close = NF_CLOSE_LINGER,
};
