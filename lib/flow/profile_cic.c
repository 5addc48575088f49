/* The profiles "cic" and "cic2018": CICFlowMeter's features under its own names, in microseconds.

   "cic" follows the corrected definition of 2021-2024 (Engelen, Rimmer, Joosen; Liu et al.): flows end 120 s
   after their start, or at the SYN behind a closed connection; a SYN-ACK first turns the direction round;
   divisions are not cut to integers; rates are -1 without a duration.

   "cic2018" is the program of CSE-CIC-IDS2018, faults included: the first packet is booked as a backward one and
   enters the packet lengths twice; flags come from the first packet alone; bulks and subflows are 0; any FIN
   ends the flow and RST does not; flows of one packet are dropped; rates without a duration are NaN or infinite.
   Its active and idle times depended on the clock of the machine: NULL here.

   Unlike both: lengths are those of the IP header, so that link padding is no payload; Timestamp is a time and
   no text; repeated packets are looked for among the last 32 of a direction. */
#include <math.h>

#include "flow/getters.h"
#include "flow/input.h"

#include "table/text.h"

#define US     1000
#define SECOND INT64_C(1000000000)

static bool is_2018(const nf_flow_view *v)
{
    return v->config->profile == &nf_profile_cic2018;
}

static const nf_cic *cic_of(const nf_flow_view *v)
{
    return nf_flow_read(v->config, v->flow, NF_G_CIC);
}

/* ---- rules ---- */

/* Directions are told by address alone: a host that talks to itself only sends forward. */
static uint8_t book_by_address(const netfeat_flows *fl, const nf_flow *f, const nf_flow_packet *p)
{
    (void)fl;
    return memcmp(p->key.ip[0], p->key.ip[1], 16) == 0 ? nf_flow_source(f) : p->side;
}

static uint8_t book_first_backward(const netfeat_flows *fl, const nf_flow *f, const nf_flow_packet *p)
{
    return p->fresh ? !nf_flow_source(f) : book_by_address(fl, f, p);
}

/* ---- identity ---- */

static bool get_id(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    char *t = v->text;
    size_t n = nf_text_ip(t, v->key->ip[v->forward]);

    (void)argument;
    t[n++] = '-';
    n += nf_text_ip(t + n, v->key->ip[1 - v->forward]);
    t[n++] = '-';
    n += nf_text_u64(t + n, v->key->port[v->forward]);
    t[n++] = '-';
    n += nf_text_u64(t + n, v->key->port[1 - v->forward]);
    t[n++] = '-';
    n += nf_text_u64(t + n, v->key->protocol);
    return nf_give_bytes(ret, t, n);
}

static bool get_port(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    return nf_give_u64(ret, v->key->port[argument == 0 ? v->forward : 1U - v->forward]);
}

static bool get_duration(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    (void)argument;
    return nf_give_i64(ret, nf_flow_duration(v) / US);
}

static bool get_connection_time(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    (void)argument;
    if ((v->flow->flags & NF_FLOW_TIMED) == 0) {
        return nf_give_i64(ret, 0);
    }
    return nf_give_i64(ret, nf_difference(v->flow->last_time, cic_of(v)->connection_begin) / US);
}

/* ---- lengths and times: 0 where there is nothing ---- */

static bool get_length(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    nf_summary s = nf_sum_sizes(v, argument);

    if (is_2018(v) && (argument & NF_DIRECTION) == NF_BOTH) {
        uint64_t again = cic_of(v)->first_length;
        s.n++;
        s.sum = nf_i128_add(s.sum, nf_i128_of_u64(again));
        nf_add_squares(&s.squares, nf_u128_product(again, again));
    }
    ret->u = 0;
    ret->f = 0;
    (void)nf_statistic(&s, argument, ret);
    return true;
}

static bool get_average_length(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    nf_counts c = nf_sum_counts(v, NF_BOTH);

    (void)argument;
    return nf_give_f64(ret,
                       (double)(c.bytes + (is_2018(v) ? cic_of(v)->first_length : 0)) / (double)c.packets);
}

static bool give_us(nf_summary s, int argument, nf_flow_value *ret)
{
    uint64_t rest;

    s.sum = nf_i128_divide(s.sum, US);
    s.squares = nf_u128_divide(s.squares, (uint64_t)US * US, &rest);
    s.min /= US;
    s.max /= US;
    ret->i = 0;
    ret->f = 0;
    (void)nf_statistic(&s, argument, ret);
    return true;
}

static bool get_iat(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    return give_us(nf_sum_gaps(v, argument), argument, ret);
}

/* The last active period is not counted. */
static bool get_period(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const nf_periods *p = nf_flow_read(v->config, v->flow, NF_G_PERIODS);

    return give_us(nf_sum_durations((argument & NF_DIRECTION) == 0 ? &p->active : &p->idle), argument, ret);
}

static bool get_nothing(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    (void)v;
    (void)argument;
    (void)ret;
    return false;
}

/* Argument: what (packets 4, bytes 8) and the direction; with 16, 0 instead of -1 without a duration. */
static bool get_rate(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    nf_counts c = nf_sum_counts(v, argument);
    double n = (double)((argument & 12) == 4 ? c.packets : c.bytes);
    double seconds = (double)(nf_flow_duration(v) / US) / 1e6;

    if (seconds > 0) {
        return nf_give_f64(ret, n / seconds);
    }
    if (!is_2018(v)) {
        return nf_give_f64(ret, -1);
    }
    if ((argument & 16) != 0) {
        return nf_give_f64(ret, 0);
    }
    return nf_give_f64(ret, n > 0 ? (double)INFINITY : (double)NAN);
}

static bool get_ratio(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    uint64_t forward = nf_sum_counts(v, NF_FORWARD).packets;
    uint64_t backward = nf_sum_counts(v, NF_BACKWARD).packets;

    (void)argument;
    if (forward == 0) {
        return nf_give_f64(ret, 0);
    }
    return nf_give_f64(ret, is_2018(v) ? (double)(backward / forward) : (double)backward / (double)forward);
}

/* ---- flags, headers, windows ---- */

static bool get_flag(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    unsigned bit = (unsigned)argument >> 2;

    if (!is_2018(v)) {
        return nf_give_u64(ret, nf_sum_flags(v, argument, bit));
    }
    if ((argument & NF_DIRECTION) == NF_FORWARD) {
        return nf_give_u64(ret, 0); /* the first packet is a backward one */
    }
    return nf_give_u64(ret, (unsigned)cic_of(v)->first_flags >> bit & 1U);
}

static bool get_window(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const nf_cic *s = cic_of(v);

    if (is_2018(v)) {
        return nf_give_i64(ret, argument == NF_FORWARD ? -1 : (int64_t)s->last_window);
    }
    return nf_give_i64(ret, s->window[argument == NF_FORWARD ? v->forward : 1 - v->forward]);
}

static bool get_icmp(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const nf_cic *s = cic_of(v);

    if (s->icmp == 0) {
        return nf_give_i64(ret, -1);
    }
    return nf_give_i64(ret, argument == 0 ? s->icmp_code : s->icmp_type);
}

static bool get_repeats(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const nf_repeats *s = nf_flow_read(v->config, v->flow, NF_G_REPEATS);
    uint64_t n = 0;

    NF_FOR_SIDES(v, argument, side)
    {
        n += s[side].repeated;
    }
    return nf_give_u64(ret, n);
}

/* ---- bulks and subflows ---- */

/* Argument + 4 bytes, 8 packets, 12 bytes a second, each on average. */
static bool get_bulk(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const nf_bulk *all = nf_flow_read(v->config, v->flow, NF_G_BULK);
    const nf_bulk *s = all + ((argument & NF_DIRECTION) == NF_FORWARD ? v->forward : 1 - v->forward);
    double seconds = (double)(s->duration / US) / 1e6;

    ret->f = 0;
    if ((argument & 12) == 12) {
        ret->f = seconds > 0 ? (double)s->bytes / seconds : 0;
    } else if (s->bulks > 0) {
        ret->f = (double)((argument & 12) == 4 ? s->bytes : s->packets) / (double)s->bulks;
    }
    return true;
}

static bool get_subflow(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const nf_subflows *s = nf_flow_read(v->config, v->flow, NF_G_SUBFLOWS);
    nf_counts c = nf_sum_counts(v, argument);

    return nf_give_f64(
        ret, s->gaps > 0 ? (double)((argument & 12) == 4 ? c.packets : c.bytes) / (double)s->gaps : 0);
}

static bool get_zero(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    (void)v;
    (void)argument;
    return nf_give_f64(ret, 0);
}

/* ---- columns ---- */

#define B NF_BOTH
#define F NF_FORWARD
#define R NF_BACKWARD
#define ROW(name, type, unit, groups, get, argument, help)                                                   \
    {                                                                                                        \
        name, NETFEAT_TYPE_##type, unit, groups, NF_COL_USUAL, get, argument, NULL, "never", help,           \
            VERSION name "@1"                                                                                \
    }
#define LENGTHS(way, d)                                                                                      \
    ROW(way " Packet Length Max", U64, "bytes", NF_G(SIZES), get_length, (d) | NF_MAX, "greatest payload"),  \
        ROW(way " Packet Length Min", U64, "bytes", NF_G(SIZES), get_length, (d) | NF_MIN, "least payload"), \
        ROW(way " Packet Length Mean", F64, "bytes", NF_G(SIZES), get_length, (d) | NF_MEAN,                 \
            "mean payload"),                                                                                 \
        ROW(way " Packet Length Std", F64, "bytes", NF_G(SIZES), get_length, (d) | NF_STD,                   \
            "deviation (n - 1) of payloads")
#define IATS(way, d)                                                                                         \
    ROW(way " IAT Mean", F64, "us", NF_G(GAPS), get_iat, (d) | NF_MEAN, "mean inter-arrival time"),          \
        ROW(way " IAT Std", F64, "us", NF_G(GAPS), get_iat, (d) | NF_STD, "deviation (n - 1) of them"),      \
        ROW(way " IAT Max", I64, "us", NF_G(GAPS), get_iat, (d) | NF_MAX, "longest inter-arrival time"),     \
        ROW(way " IAT Min", I64, "us", NF_G(GAPS), get_iat, (d) | NF_MIN, "shortest inter-arrival time")
#define FLAG(name, d, bit)                                                                                   \
    ROW(name, U64, "packets", NF_G(FLAGS) | NF_G(CIC), get_flag, (d) | 4 * (bit), "packets with the flag")
#define IDENTITY                                                                                             \
    ROW("Flow ID", TEXT, "", 0, get_id, 0, "source, destination, ports and protocol"),                       \
        ROW("Src IP", BYTES16, "", 0, nf_get_ip, 0, "source"),                                               \
        ROW("Src Port", U16, "", 0, get_port, 0, "0 if neither TCP nor UDP"),                                \
        ROW("Dst IP", BYTES16, "", 0, nf_get_ip, 1, "destination"),                                          \
        ROW("Dst Port", U16, "", 0, get_port, 1, "0 if neither TCP nor UDP"),                                \
        ROW("Protocol", U8, "", 0, nf_get_protocol, 0, "protocol"),                                          \
        ROW("Timestamp", TIME_NS, "ns", 0, nf_get_time, NF_MIN, "earliest packet"),                          \
        ROW("Flow Duration", I64, "us", 0, get_duration, 0, "latest minus earliest packet")
#define VOLUME                                                                                               \
    ROW("Total Fwd Packet", U64, "packets", 0, nf_get_packets, F, "packets"),                                \
        ROW("Total Bwd packets", U64, "packets", 0, nf_get_packets, R, "packets"),                           \
        ROW("Total Length of Fwd Packet", U64, "bytes", 0, nf_get_bytes, F, "payload"),                      \
        ROW("Total Length of Bwd Packet", U64, "bytes", 0, nf_get_bytes, R, "payload"), LENGTHS("Fwd", F),   \
        LENGTHS("Bwd", R), ROW("Flow Bytes/s", F64, "bytes/s", 0, get_rate, B | 8, "payload by duration"),   \
        ROW("Flow Packets/s", F64, "packets/s", 0, get_rate, B | 4, "packets by duration"), IATS("Flow", B), \
        ROW("Fwd IAT Total", I64, "us", NF_G(GAPS), get_iat, F | NF_SUM, "sum of inter-arrival times"),      \
        IATS("Fwd", F),                                                                                      \
        ROW("Bwd IAT Total", I64, "us", NF_G(GAPS), get_iat, R | NF_SUM, "sum of inter-arrival times"),      \
        IATS("Bwd", R), FLAG("Fwd PSH Flags", F, 3), FLAG("Bwd PSH Flags", R, 3),                            \
        FLAG("Fwd URG Flags", F, 5), FLAG("Bwd URG Flags", R, 5)
#define SHAPE                                                                                                \
    ROW("Fwd Header Length", U64, "bytes", NF_G(HEADERS), nf_get_header, F | 4, "transport headers"),        \
        ROW("Bwd Header Length", U64, "bytes", NF_G(HEADERS), nf_get_header, R | 4, "transport headers"),    \
        ROW("Fwd Packets/s", F64, "packets/s", 0, get_rate, F | 4 | 16, "packets by duration"),              \
        ROW("Bwd Packets/s", F64, "packets/s", 0, get_rate, R | 4 | 16, "packets by duration"),              \
        ROW("Packet Length Min", U64, "bytes", NF_G(SIZES) | NF_G(CIC), get_length, B | NF_MIN,              \
            "least payload"),                                                                                \
        ROW("Packet Length Max", U64, "bytes", NF_G(SIZES) | NF_G(CIC), get_length, B | NF_MAX,              \
            "greatest payload"),                                                                             \
        ROW("Packet Length Mean", F64, "bytes", NF_G(SIZES) | NF_G(CIC), get_length, B | NF_MEAN,            \
            "mean payload"),                                                                                 \
        ROW("Packet Length Std", F64, "bytes", NF_G(SIZES) | NF_G(CIC), get_length, B | NF_STD,              \
            "deviation (n - 1) of payloads"),                                                                \
        ROW("Packet Length Variance", F64, "bytes^2", NF_G(SIZES) | NF_G(CIC), get_length, B | NF_VARIANCE,  \
            "variance (n - 1) of payloads"),                                                                 \
        FLAG("FIN Flag Count", B, 0), FLAG("SYN Flag Count", B, 1), FLAG("RST Flag Count", B, 2),            \
        FLAG("PSH Flag Count", B, 3), FLAG("ACK Flag Count", B, 4), FLAG("URG Flag Count", B, 5),            \
        FLAG("CWR Flag Count", B, 7), FLAG("ECE Flag Count", B, 6),                                          \
        ROW("Down/Up Ratio", F64, "", 0, get_ratio, 0, "backward by forward packets, 0 without the latter"), \
        ROW("Average Packet Size", F64, "bytes", NF_G(CIC), get_average_length, 0, "payload by packets"),    \
        ROW("Fwd Segment Size Avg", F64, "bytes", NF_G(SIZES), get_length, F | NF_MEAN, "mean payload"),     \
        ROW("Bwd Segment Size Avg", F64, "bytes", NF_G(SIZES), get_length, R | NF_MEAN, "mean payload")
#define PARTS(bulk_groups, bulk, subflow_groups, subflow)                                                    \
    ROW("Fwd Bytes/Bulk Avg", F64, "bytes", bulk_groups, bulk, F | 4, "payload per bulk"),                   \
        ROW("Fwd Packet/Bulk Avg", F64, "packets", bulk_groups, bulk, F | 8, "packets per bulk"),            \
        ROW("Fwd Bulk Rate Avg", F64, "bytes/s", bulk_groups, bulk, F | 12, "payload by time in bulks"),     \
        ROW("Bwd Bytes/Bulk Avg", F64, "bytes", bulk_groups, bulk, R | 4, "payload per bulk"),               \
        ROW("Bwd Packet/Bulk Avg", F64, "packets", bulk_groups, bulk, R | 8, "packets per bulk"),            \
        ROW("Bwd Bulk Rate Avg", F64, "bytes/s", bulk_groups, bulk, R | 12, "payload by time in bulks"),     \
        ROW("Subflow Fwd Packets", F64, "packets", subflow_groups, subflow, F | 4, "packets by long gaps"),  \
        ROW("Subflow Fwd Bytes", F64, "bytes", subflow_groups, subflow, F | 8, "payload by long gaps"),      \
        ROW("Subflow Bwd Packets", F64, "packets", subflow_groups, subflow, R | 4, "packets by long gaps"),  \
        ROW("Subflow Bwd Bytes", F64, "bytes", subflow_groups, subflow, R | 8, "payload by long gaps")
#define START                                                                                                \
    ROW("FWD Init Win Bytes", I64, "", NF_G(CIC), get_window, F, "first window that is not 0; 2018: -1"),    \
        ROW("Bwd Init Win Bytes", I64, "", NF_G(CIC), get_window, R,                                         \
            "first window that is not 0; 2018: the last"),                                                   \
        ROW("Fwd Act Data Pkts", U64, "packets", NF_G(HEADERS), nf_get_header, F | 12,                       \
            "packets with payload")
#define PERIOD(name, which, get, rule)                                                                       \
    {name " Mean",                                                                                           \
     NETFEAT_TYPE_F64,                                                                                       \
     "us",                                                                                                   \
     NF_G(PERIODS),                                                                                          \
     NF_COL_USUAL,                                                                                           \
     get,                                                                                                    \
     (which) | NF_MEAN,                                                                                      \
     NULL,                                                                                                   \
     rule,                                                                                                   \
     "mean period",                                                                                          \
     VERSION name " Mean@1"},                                                                                \
        {name " Std",                                                                                        \
         NETFEAT_TYPE_F64,                                                                                   \
         "us",                                                                                               \
         NF_G(PERIODS),                                                                                      \
         NF_COL_USUAL,                                                                                       \
         get,                                                                                                \
         (which) | NF_STD,                                                                                   \
         NULL,                                                                                               \
         rule,                                                                                               \
         "deviation (n - 1) of periods",                                                                     \
         VERSION name " Std@1"},                                                                             \
        {name " Max",                                                                                        \
         NETFEAT_TYPE_I64,                                                                                   \
         "us",                                                                                               \
         NF_G(PERIODS),                                                                                      \
         NF_COL_USUAL,                                                                                       \
         get,                                                                                                \
         (which) | NF_MAX,                                                                                   \
         NULL,                                                                                               \
         rule,                                                                                               \
         "longest period",                                                                                   \
         VERSION name " Max@1"},                                                                             \
    {                                                                                                        \
        name " Min", NETFEAT_TYPE_I64, "us", NF_G(PERIODS), NF_COL_USUAL, get, (which) | NF_MIN, NULL, rule, \
            "shortest period", VERSION name " Min@1"                                                         \
    }

#define VERSION "cic."
static const nf_flow_column corrected[] = {
    IDENTITY,
    VOLUME,
    FLAG("Fwd RST Flags", F, 2),
    FLAG("Bwd RST Flags", R, 2),
    SHAPE,
    PARTS(NF_G(BULK), get_bulk, NF_G(SUBFLOWS), get_subflow),
    START,
    ROW("Bwd Act Data Pkts", U64, "packets", NF_G(HEADERS), nf_get_header, R | 12, "packets with payload"),
    ROW("Fwd Seg Size Min", U64, "bytes", NF_G(HEADERS), nf_get_header, F | 8, "shortest transport header"),
    ROW("Bwd Seg Size Min", U64, "bytes", NF_G(HEADERS), nf_get_header, R | 8, "shortest transport header"),
    PERIOD("Active", 0, get_period, "never"),
    PERIOD("Idle", 1, get_period, "never"),
    ROW("ICMP Code", I64, "", NF_G(CIC), get_icmp, 0, "of the first packet; -1 without"),
    ROW("ICMP Type", I64, "", NF_G(CIC), get_icmp, 1, "of the first packet; -1 without"),
    ROW("Fwd TCP Retrans. Count", U64, "packets", NF_G(REPEATS), get_repeats, F, "packets seen before"),
    ROW("Bwd TCP Retrans. Count", U64, "packets", NF_G(REPEATS), get_repeats, R, "packets seen before"),
    ROW("Total TCP Retrans. Count", U64, "packets", NF_G(REPEATS), get_repeats, B, "packets seen before"),
    ROW("Total Connection Flow Time", I64, "us", NF_G(CIC), get_connection_time, 0,
        "latest packet minus the earliest one of the flows that this one continues"),
    {.name = NULL},
};
#undef VERSION
#define VERSION "cic2018."
static const nf_flow_column of_2018[] = {
    IDENTITY,
    VOLUME,
    SHAPE,
    PARTS(0, get_zero, 0, get_zero),
    START,
    ROW("Fwd Seg Size Min", U64, "bytes", NF_G(HEADERS), nf_get_header, F | 8, "shortest transport header"),
    PERIOD("Active", 0, get_nothing, "always: no rule is known"),
    PERIOD("Idle", 1, get_nothing, "always: no rule is known"),
    {.name = NULL},
};

const nf_flow_profile nf_profile_cic = {
    .name = "cic",
    .columns = corrected,
    .length_column = "payload_length",
    .inputs = NF_IN(TCP_FLAGS),
    .clock_unit = US,
    .idle_tcp = NF_NEVER,
    .idle_other = NF_NEVER,
    .active = 120 * SECOND,
    .keys = NF_KEYS_PLAIN,
    .source = NF_SOURCE_SYN_ACK,
    .close = NF_CLOSE_NEXT_SYN,
    .active_strict = true,
    .keep_source = true,
    .keep_unless_idle = true,
    .book = book_by_address,
};

const nf_flow_profile nf_profile_cic2018 = {
    .name = "cic2018",
    .columns = of_2018,
    .length_column = "payload_length",
    .inputs = NF_IN(TCP_FLAGS),
    .groups = NF_G(CIC),
    .clock_unit = US,
    .idle_tcp = NF_NEVER,
    .idle_other = NF_NEVER,
    .active = 120 * SECOND,
    .least_packets = 2,
    .keys = NF_KEYS_UNTYPED,
    .source = NF_SOURCE_FIRST,
    .close = NF_CLOSE_FIRST_FIN,
    .active_strict = true,
    .keep_source = true,
    .book = book_first_backward,
};
