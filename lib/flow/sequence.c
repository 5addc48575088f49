/* The sequence space of a TCP connection: what was sent again, what came late, what never came. Sequence
   numbers are unwrapped around the highest one seen, so that any jump is at most 2^31. */
#include "flow/groups.h"
#include "flow/input.h"

#define FAR                                                                                                  \
    (INT64_C(1) << 60) /* nobody sends so much: numbers that jump on purpose are followed no further */

static int64_t unwrap(const nf_tcp_side *s, uint32_t seq)
{
    return s->high + (int32_t)(seq - (s->start + (uint32_t)(uint64_t)s->high));
}

static void start_at(nf_tcp_side *s, uint32_t seq)
{
    if ((s->known & NF_TCP_STARTED) == 0) {
        s->start = seq;
        s->known |= NF_TCP_STARTED;
    }
}

/* ---- holes: at most NF_HOLES are remembered; the oldest is given up for a new one ---- */

static void remove_hole(nf_tcp_side *s, size_t i)
{
    s->n_holes--;
    for (; i < s->n_holes; i++) {
        s->holes[i] = s->holes[i + 1];
    }
}

static void add_hole(nf_tcp_side *s, int64_t begin, int64_t end)
{
    if (s->n_holes == NF_HOLES) {
        s->lost += (uint64_t)(s->holes[0].end - s->holes[0].begin);
        remove_hole(s, 0);
    }
    s->holes[s->n_holes].begin = begin;
    s->holes[s->n_holes].end = end;
    s->n_holes++;
}

/* Bytes of [begin, end) that were missing until now. A hole hit in its middle keeps its longer rest; the other
   part counts as lost. */
static uint64_t fill_holes(nf_tcp_side *s, int64_t begin, int64_t end)
{
    uint64_t filled = 0;
    size_t i = 0;

    while (i < s->n_holes) {
        nf_hole *h = &s->holes[i];
        int64_t from = begin > h->begin ? begin : h->begin;
        int64_t to = end < h->end ? end : h->end;
        if (from >= to) {
            i++;
            continue;
        }
        filled += (uint64_t)(to - from);
        if (from - h->begin >= h->end - to) {
            s->lost += (uint64_t)(h->end - to);
            h->end = from;
        } else {
            s->lost += (uint64_t)(from - h->begin);
            h->begin = to;
        }
        if (h->begin == h->end) {
            remove_hole(s, i);
        } else {
            i++;
        }
    }
    return filled;
}

static void note_data(nf_tcp_side *s, int64_t begin, uint32_t length)
{
    int64_t end = begin + length;
    uint64_t old = end <= s->high ? length : begin < s->high ? (uint64_t)(s->high - begin) : 0;
    uint64_t filled;

    if (begin > s->high) {
        add_hole(s, s->high, begin);
    }
    if (old > 0) {
        filled = fill_holes(s, begin, end);
        s->out_of_order_packets += filled > 0;
        if (old > filled) {
            s->retransmitted_packets++;
            s->retransmitted_bytes += old - filled;
        }
    }
    s->high = end > s->high ? end : s->high;
}

bool nf_tcp_is_old(const nf_tcp_side *s, const nf_flow_packet *p)
{
    uint32_t seq = p->seq + ((p->tcp_flags & NETFEAT_TCP_SYN) != 0 ? 1 : 0);

    return (s->known & NF_TCP_STARTED) != 0 && p->payload_length > 0 &&
           unwrap(s, seq) + p->payload_length <= s->high;
}

uint64_t nf_tcp_gap_bytes(const nf_tcp_side *s)
{
    uint64_t bytes = s->lost;
    int64_t acked = s->acked - ((s->known & NF_TCP_FIN_SEEN) != 0 ? 1 : 0);

    for (size_t i = 0; i < s->n_holes; i++) {
        bytes += (uint64_t)(s->holes[i].end - s->holes[i].begin);
    }
    if ((s->known & NF_TCP_ACKED) != 0 && acked > s->high) {
        bytes += (uint64_t)(acked - s->high);
    }
    return bytes;
}

/* ---- handshake: SYN, SYN-ACK, ACK, each with its time ---- */

static void note_handshake(nf_tcp *t, const nf_flow_packet *p)
{
    uint16_t flags = p->tcp_flags & (NETFEAT_TCP_SYN | NETFEAT_TCP_ACK | NETFEAT_TCP_FIN | NETFEAT_TCP_RST);

    if (!p->timed) {
        return;
    }
    if (flags == NETFEAT_TCP_SYN && t->handshake <= 1) {
        t->handshake = 1; /* the last one sent is the one that is answered */
        t->opener = p->side;
        t->syn_time = p->time;
    } else if (flags == (NETFEAT_TCP_SYN | NETFEAT_TCP_ACK) && t->handshake == 1 && p->side != t->opener) {
        t->handshake = 2;
        t->syn_ack_time = p->time;
    } else if (flags == NETFEAT_TCP_ACK && t->handshake == 2 && p->side == t->opener) {
        t->handshake = 3;
        t->ack_time = p->time;
    }
}

/* What this packet says about the other side's bytes. */
static void note_ack(nf_tcp_side *other, const nf_flow_packet *p)
{
    int64_t acked;

    start_at(other, p->ack);
    acked = unwrap(other, p->ack);
    if ((other->known & NF_TCP_ACKED) == 0 || acked > other->acked) {
        other->acked = acked;
        other->known |= NF_TCP_ACKED;
    }
}

static void update_tcp(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    nf_tcp *t = state;
    nf_tcp_side *s = &t->side[p->side];
    bool syn = (p->tcp_flags & NETFEAT_TCP_SYN) != 0;
    uint32_t seq = p->seq + (syn ? 1 : 0);

    (void)f;
    if (!p->tcp || t->side[0].high > FAR / 2 || t->side[1].high > FAR / 2) {
        return;
    }
    note_handshake(t, p);
    if ((s->known & NF_TCP_WINDOW) == 0) {
        s->window = p->window;
        s->known |= NF_TCP_WINDOW;
    }
    if ((p->tcp_flags & NETFEAT_TCP_RST) != 0) {
        return; /* its numbers are often not those of the connection */
    }
    s->zero_window_packets += p->window == 0 && !syn;
    start_at(s, seq);
    if (p->payload_length > 0) { /* an empty segment behind a FIN has the FIN's number */
        note_data(s, unwrap(s, seq), p->payload_length);
    }
    if ((p->tcp_flags & NETFEAT_TCP_FIN) != 0) {
        s->known |= NF_TCP_FIN_SEEN;
    }
    if ((p->tcp_flags & NETFEAT_TCP_ACK) != 0 && fl->config.sides > 1) {
        note_ack(&t->side[!p->side], p);
    }
}

/* Positions go on, counters begin again. */
static void inherit_tcp(const nf_flow_config *config, void *state, const void *parent,
                        const nf_flow *parent_flow)
{
    nf_tcp *t = state;
    int64_t base;

    (void)config;
    (void)parent_flow;
    *t = *(const nf_tcp *)parent;
    for (size_t i = 0; i < 2; i++) {
        nf_tcp_side *s = &t->side[i];
        s->n_holes = 0;
        s->lost = s->retransmitted_packets = s->retransmitted_bytes = 0;
        s->out_of_order_packets = s->zero_window_packets = 0;
        base = s->acked > s->high ? s->acked : s->high; /* what is missing below is the parent's */
        s->start += (uint32_t)(uint64_t)base;
        s->acked -= base;
        s->high = 0;
        s->known &= (uint8_t)~NF_TCP_WINDOW;
    }
    t->handshake = 4; /* over: its times belong to the parent */
}

static bool valid_tcp(const nf_flow_config *config, const void *state)
{
    const nf_tcp *t = state;

    (void)config;
    for (size_t i = 0; i < 2; i++) {
        const nf_tcp_side *s = &t->side[i];
        if (s->n_holes > NF_HOLES || s->high < 0 || s->high > FAR || s->acked < -FAR || s->acked > FAR) {
            return false;
        }
        for (size_t k = 0; k < s->n_holes; k++) {
            const nf_hole *h = &s->holes[k];
            if (h->begin >= h->end || h->begin < -FAR || h->end > s->high) {
                return false;
            }
        }
    }
    return t->opener <= 1;
}

/* Later bytes can only be judged by who knows the earlier ones: no merging across a cut in time. */
const nf_flow_group nf_group_tcp = {.name = "tcp",
                                    .bytes = sizeof(nf_tcp),
                                    .inputs = NF_IN(TCP_FLAGS) | NF_IN(TCP_SEQ) | NF_IN(TCP_ACK) |
                                              NF_IN(TCP_WINDOW) | NF_IN(PAYLOAD_LENGTH),
                                    .tcp_only = true,
                                    .update = update_tcp,
                                    .inherit = inherit_tcp,
                                    .valid = valid_tcp};
