/* Values of the TCP groups, of the periods and of the content of a flow. */
#include <math.h>

#include "flow/getters.h"

static bool is_tcp(const nf_flow_view *v)
{
    return v->key->protocol == NF_PROTOCOL_TCP;
}

static size_t asked_side(const nf_flow_view *v, int argument)
{
    return (argument & NF_DIRECTION) == NF_FORWARD ? v->forward : 1U - v->forward;
}

bool nf_get_sequence(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const nf_tcp *t = nf_flow_read(v->config, v->flow, NF_G_TCP);
    const nf_tcp_side *s = &t->side[asked_side(v, argument)];

    if (!is_tcp(v)) {
        return false;
    }
    switch (argument >> 2) {
    case NF_SEQUENCE_RETRANSMITTED:
        return nf_give_u64(ret, s->retransmitted_packets);
    case NF_SEQUENCE_RETRANSMITTED_BYTES:
        return nf_give_u64(ret, s->retransmitted_bytes);
    case NF_SEQUENCE_OUT_OF_ORDER:
        return nf_give_u64(ret, s->out_of_order_packets);
    case NF_SEQUENCE_GAP:
        return nf_give_u64(ret, nf_tcp_gap_bytes(s));
    case NF_SEQUENCE_ZERO_WINDOW:
        return nf_give_u64(ret, s->zero_window_packets);
    default:
        return (s->known & NF_TCP_WINDOW) != 0 && nf_give_u64(ret, s->window);
    }
}

bool nf_get_rtt(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const nf_tcp *t = nf_flow_read(v->config, v->flow, NF_G_TCP);

    if (!is_tcp(v) || t->handshake > 3 || t->handshake < (argument == 1 ? 2 : 3)) {
        return false;
    }
    return nf_give_i64(ret, nf_difference(argument == 1 ? t->syn_ack_time : t->ack_time,
                                          argument == 2 ? t->syn_ack_time : t->syn_time));
}

bool nf_get_tcp_state(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    static const char *const names[NF_TCP_STATES] = {[NF_TCP_INACTIVE] = "INACTIVE",
                                                     [NF_TCP_SYN_SENT] = "SYN_SENT",
                                                     [NF_TCP_SYN_ACK_SENT] = "SYN_ACK_SENT",
                                                     [NF_TCP_PARTIAL] = "PARTIAL",
                                                     [NF_TCP_ESTABLISHED] = "ESTABLISHED",
                                                     [NF_TCP_CLOSED] = "CLOSED",
                                                     [NF_TCP_RESET] = "RESET"};
    const nf_history *h = nf_flow_read(v->config, v->flow, NF_G_HISTORY);
    const char *name = names[h->side[asked_side(v, argument)].state];

    return is_tcp(v) && nf_give_bytes(ret, name, strlen(name));
}

bool nf_get_history(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    size_t n = nf_zeek_history(v->config, v->flow, v->text, sizeof v->text);

    (void)argument;
    return n > 0 && nf_give_bytes(ret, v->text, n);
}

bool nf_get_conn_state(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const char *state = nf_zeek_conn_state(v->config, v->flow);

    (void)argument;
    return nf_give_bytes(ret, state, strlen(state));
}

/* ---- periods ---- */

bool nf_get_period(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const nf_periods *p = nf_flow_read(v->config, v->flow, NF_G_PERIODS);
    nf_summary s = nf_sum_durations((argument & NF_DIRECTION) == 0 ? &p->active : &p->idle);

    if ((argument & NF_DIRECTION) == 0 && p->times > 0) { /* the period that the flow ended in */
        int64_t ns = nf_difference(p->end, p->begin);
        s.min = s.n == 0 || ns < s.min ? ns : s.min;
        s.max = s.n == 0 || ns > s.max ? ns : s.max;
        s.sum = nf_i128_add(s.sum, nf_i128_of(ns));
        nf_add_squares(&s.squares, nf_square(ns));
        s.n++;
    }
    return nf_statistic(&s, argument, ret);
}

bool nf_get_subflow(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const nf_subflows *s = nf_flow_read(v->config, v->flow, NF_G_SUBFLOWS);
    nf_counts c = nf_sum_counts(v, argument);
    uint64_t n = s->gaps + 1;

    switch (argument & NF_STATISTIC) {
    case 0:
        return nf_give_u64(ret, n);
    case 4:
        return nf_give_f64(ret, (double)c.packets / (double)n);
    default:
        return nf_give_f64(ret, (double)c.bytes / (double)n);
    }
}

bool nf_get_bulk(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const nf_bulk *s = (const nf_bulk *)nf_flow_read(v->config, v->flow, NF_G_BULK) + asked_side(v, argument);

    switch (argument & NF_STATISTIC) {
    case 4:
        return nf_give_u64(ret, s->bulks);
    case 8:
        return nf_give_u64(ret, s->packets);
    case 12:
        return nf_give_u64(ret, s->bytes);
    default:
        return nf_give_i64(ret, s->duration);
    }
}

/* ---- content ---- */

static uint64_t byte_count(const nf_flow_view *v, int argument, size_t byte)
{
    const nf_content *s = nf_flow_read(v->config, v->flow, NF_G_CONTENT);
    uint64_t n = 0;

    NF_FOR_SIDES(v, argument, side)
    {
        n += s[side].count[byte];
    }
    return n;
}

/* Bits per byte, 0 to 8: sum over the 256 values, in their order, of -p log2 p. */
bool nf_get_entropy(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    uint64_t total = 0;
    double bits = 0;

    for (size_t i = 0; i < 256; i++) {
        total += byte_count(v, argument, i);
    }
    for (size_t i = 0; i < 256; i++) {
        uint64_t n = byte_count(v, argument, i);
        if (n > 0) {
            double share = (double)n / (double)total;
            bits -= share * log2(share);
        }
    }
    return total > 0 && nf_give_f64(ret, bits > 0 ? bits : 0);
}

uint32_t nf_count_bytes(const nf_flow_view *v)
{
    (void)v;
    return 256;
}

bool nf_get_byte_count(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    return nf_give_u64(ret, byte_count(v, argument, v->element));
}

uint32_t nf_count_first(const nf_flow_view *v)
{
    return ((const nf_first *)nf_flow_read(v->config, v->flow, NF_G_FIRST))->n;
}

bool nf_get_first(nf_flow_view *v, int argument, nf_flow_value *ret)
{
    const nf_first *s = nf_flow_read(v->config, v->flow, NF_G_FIRST);
    const nf_first_packet *e = (const nf_first_packet *)(s + 1) + v->element;

    switch (argument) {
    case 0:
        return nf_give_u64(ret, (uint64_t)((e->length >> 63) != v->forward));
    case 1:
        return nf_give_u64(ret, e->length & (UINT64_MAX >> 1));
    default:
        return nf_give_i64(ret, e->gap);
    }
}
