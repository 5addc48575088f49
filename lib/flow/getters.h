/* getters.h - values of columns out of the state of a flow, shared by the profiles. Arguments: NF_BOTH,
   NF_FORWARD or NF_BACKWARD, plus NF_MIN and so on where there is a choice. */
#ifndef NF_FLOW_GETTERS_H
#define NF_FLOW_GETTERS_H

#include "flow/groups.h"
#include "flow/profile.h"

/* Sum of a number over the sides that the argument asks for. */
#define NF_FOR_SIDES(view, argument, side)                                                                   \
    for (size_t side = 0; side < (view)->config->sides; side++)                                              \
        if (nf_wants_side(view, argument, side))

static inline bool nf_wants_side(const nf_flow_view *v, int argument, size_t side)
{
    int direction = argument & NF_DIRECTION;
    return direction == NF_BOTH || (direction == NF_FORWARD) == (side == v->forward);
}

static inline bool nf_give_u64(nf_flow_value *ret, uint64_t value)
{
    ret->u = value;
    return true;
}

static inline bool nf_give_i64(nf_flow_value *ret, int64_t value)
{
    ret->i = value;
    return true;
}

static inline bool nf_give_f64(nf_flow_value *ret, double value)
{
    ret->f = value;
    return true;
}

static inline bool nf_give_bytes(nf_flow_value *ret, const void *bytes, size_t size)
{
    ret->bytes = bytes;
    ret->size = size;
    return true;
}

/* A set of values as the moments need it. */
typedef struct {
    uint64_t n;
    nf_i128 sum;
    nf_u128 squares;
    int64_t min, max;
} nf_summary;

nf_counts nf_sum_counts(const nf_flow_view *v, int argument);
nf_summary nf_sum_sizes(const nf_flow_view *v, int argument);
nf_summary nf_sum_gaps(const nf_flow_view *v, int argument);
nf_summary nf_sum_durations(const nf_durations *d);
uint64_t nf_sum_flags(const nf_flow_view *v, int argument, unsigned bit);
/* The statistic that the argument asks for, as *ret's member of its kind: min and max i (u for sizes), mean,
   std and variance f. false where it does not exist. */
bool nf_statistic(const nf_summary *s, int argument, nf_flow_value *ret);
/* Last minus first time; 0 without times. */
int64_t nf_flow_duration(const nf_flow_view *v);

/* core */
bool nf_get_flow_id(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_parent_id(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_end_reason(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_evidence(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_ip(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_port(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_protocol(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_icmp(nf_flow_view *v, int argument, nf_flow_value *ret); /* 0 type, 1 code */
bool nf_get_ip_version(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_extra(nf_flow_view *v, int argument, nf_flow_value *ret); /* NF_KEY_HAS_* */
bool nf_get_time(nf_flow_view *v, int argument,
                 nf_flow_value *ret); /* NF_MIN first, NF_MAX last, by direction */
bool nf_get_duration(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_duration_seconds(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_position(nf_flow_view *v, int argument,
                     nf_flow_value *ret); /* 0 first, 1 last packet; 2, 3 its file */
bool nf_get_packets(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_bytes(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_layer(nf_flow_view *v, int argument, nf_flow_value *ret); /* + 4 IP, 8 L4, 12 payload */
bool nf_get_fragments(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_rate(nf_flow_view *v, int argument, nf_flow_value *ret); /* + 4 packets, 8 bytes */
bool nf_get_ratio(nf_flow_view *v, int argument, nf_flow_value *ret);
/* statistics */
bool nf_get_size(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_gap(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_flag(nf_flow_view *v, int argument, nf_flow_value *ret); /* + 4 * bit number */
bool nf_get_ttl(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_header(nf_flow_view *v, int argument,
                   nf_flow_value *ret); /* + 4 bytes, 8 least, 12 packets with data */
/* TCP */
bool nf_get_sequence(nf_flow_view *v, int argument, nf_flow_value *ret); /* + 4 * NF_SEQUENCE_* */
enum {
    NF_SEQUENCE_RETRANSMITTED,
    NF_SEQUENCE_RETRANSMITTED_BYTES,
    NF_SEQUENCE_OUT_OF_ORDER,
    NF_SEQUENCE_GAP,
    NF_SEQUENCE_ZERO_WINDOW,
    NF_SEQUENCE_WINDOW
};
bool nf_get_rtt(nf_flow_view *v, int argument, nf_flow_value *ret); /* 0 whole, 1 server, 2 client */
bool nf_get_tcp_state(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_history(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_conn_state(nf_flow_view *v, int argument, nf_flow_value *ret);
/* periods */
bool nf_get_period(nf_flow_view *v, int argument, nf_flow_value *ret); /* 0 active, 1 idle; + NF_MIN ... */
bool nf_get_subflow(nf_flow_view *v, int argument,
                    nf_flow_value *ret); /* 0 how many; + 4 packets, 8 bytes per */
bool nf_get_bulk(nf_flow_view *v, int argument,
                 nf_flow_value *ret); /* + 4 bulks, 8 packets, 12 bytes, 16 ns */
/* content */
bool nf_get_entropy(nf_flow_view *v, int argument, nf_flow_value *ret);
bool nf_get_byte_count(nf_flow_view *v, int argument, nf_flow_value *ret);
uint32_t nf_count_bytes(const nf_flow_view *v);
bool nf_get_first(nf_flow_view *v, int argument, nf_flow_value *ret); /* 0 direction, 1 length, 2 gap */
uint32_t nf_count_first(const nf_flow_view *v);
/* ns / 10^9, rounded once. */
double nf_seconds_exact(int64_t ns);
static inline double nf_seconds(int64_t ns)
{
    return ns < INT64_C(1) << 53 ? (double)ns / 1e9 : nf_seconds_exact(ns);
}

#endif
