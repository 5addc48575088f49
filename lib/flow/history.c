/* The history and the state of a connection in the terms of Zeek's conn.log: one letter per kind of event, upper
   case for the originator, and the states of the two ends that conn_state is read from. */
#include "flow/groups.h"
#include "flow/input.h"

enum { SEEN_S, SEEN_H, SEEN_F, SEEN_R, SEEN_Q, SEEN_I, SEEN_D, SEEN_A };
enum { TIMES_T, TIMES_W, TIMES_G };

#define SYN NETFEAT_TCP_SYN
#define ACK NETFEAT_TCP_ACK
#define FIN NETFEAT_TCP_FIN
#define RST NETFEAT_TCP_RST

static void write_letter(nf_history *h, size_t side, char letter)
{
    if (h->length < NF_HISTORY) {
        h->text[h->length++] = (uint8_t)((uint8_t)letter | (side != 0 ? 0x80U : 0U));
    }
}

static void write_once(nf_history *h, size_t side, int bit, char letter)
{
    if ((h->side[side].seen >> bit & 1) == 0) {
        h->side[side].seen = (uint16_t)(h->side[side].seen | 1U << bit);
        write_letter(h, side, letter);
    }
}

/* S, H, F, R: again when the number is another one. */
static void write_numbered(nf_history *h, size_t side, int bit, char letter, uint32_t seq)
{
    nf_history_side *s = &h->side[side];

    if ((s->seen >> bit & 1) == 0 || s->seq[bit] != seq) {
        s->seen = (uint16_t)(s->seen | 1U << bit);
        s->seq[bit] = seq;
        write_letter(h, side, letter);
    }
}

/* T, W, G: the 1st, 10th, 100th ... time. */
static void write_scaled(nf_history *h, size_t side, int which, char letter)
{
    uint64_t n = ++h->side[side].times[which];

    while (n % 10 == 0) {
        n /= 10;
    }
    if (n == 1) {
        write_letter(h, side, letter);
    }
}

static void write_event(nf_history *h, const nf_flow_packet *p)
{
    unsigned control = p->tcp_flags & (SYN | FIN | RST);

    if (control == SYN && (p->tcp_flags & ACK) == 0) {
        write_numbered(h, p->side, SEEN_S, 'S', p->seq);
    } else if (control == SYN) {
        write_numbered(h, p->side, SEEN_H, 'H', p->seq);
    } else if (control == FIN) {
        write_numbered(h, p->side, SEEN_F, 'F', p->seq + p->payload_length);
    } else if (control == RST) {
        write_numbered(h, p->side, SEEN_R, 'R', p->seq);
    } else if (control != 0) {
        bool odd = (control & (FIN | RST)) == (FIN | RST);
        write_once(h, p->side, odd ? SEEN_I : SEEN_Q, odd ? 'I' : 'Q');
    } else if (p->payload_length > 0) {
        write_once(h, p->side, SEEN_D, 'D');
    } else if ((p->tcp_flags & ACK) != 0) {
        write_once(h, p->side, SEEN_A, 'A');
    }
}

/* The acknowledgement covers bytes of the other side that were not seen, and none did before. */
static bool acks_a_gap(const nf_tcp_side *other, const nf_flow_packet *p)
{
    int64_t before = (other->known & NF_TCP_ACKED) != 0 ? other->acked : 0;
    int64_t acked;

    if ((p->tcp_flags & ACK) == 0 || (other->known & NF_TCP_STARTED) == 0) {
        return false;
    }
    acked = other->high + (int32_t)(p->ack - (other->start + (uint32_t)(uint64_t)other->high));
    if (acked <= before) {
        return false;
    }
    for (size_t i = 0; i < other->n_holes; i++) {
        if (other->holes[i].begin < acked && other->holes[i].end > before) {
            return true;
        }
    }
    return acked - ((other->known & NF_TCP_FIN_SEEN) != 0 ? 1 : 0) > other->high;
}

static void write_oddities(const netfeat_flows *fl, const nf_flow *f, nf_history *h, const nf_flow_packet *p)
{
    const nf_tcp *t = nf_flow_read(&fl->config, f, NF_G_TCP);
    bool reset = ((h->side[0].seen | h->side[1].seen) >> SEEN_R & 1) != 0 || (p->tcp_flags & RST) != 0;
    bool peer_fin = (h->side[!p->side].seen >> SEEN_F & 1) != 0;

    if (nf_tcp_is_old(&t->side[p->side], p) && (p->tcp_flags & RST) == 0) {
        write_scaled(h, p->side, TIMES_T, 'T');
    }
    if (p->window == 0 && !reset && !peer_fin && (p->tcp_flags & SYN) == 0) {
        write_scaled(h, p->side, TIMES_W, 'W');
    }
    if (acks_a_gap(&t->side[!p->side], p) && (p->tcp_flags & RST) == 0) {
        write_scaled(h, !p->side, TIMES_G, 'G');
    }
}

/* ---- states of the two ends ---- */

static void leave_inactive(nf_history_side *s, nf_history_side *peer, const nf_flow_packet *p,
                           bool originator)
{
    if ((p->tcp_flags & SYN) != 0) {
        if (originator) {
            s->state = (p->tcp_flags & ACK) != 0 ? NF_TCP_SYN_ACK_SENT : NF_TCP_SYN_SENT;
            return;
        }
        s->state = NF_TCP_ESTABLISHED;
        if (peer->state == NF_TCP_SYN_SENT) {
            peer->state = NF_TCP_ESTABLISHED;
        }
        return;
    }
    if ((p->tcp_flags & ACK) != 0 && peer->state == NF_TCP_ESTABLISHED) {
        s->state = NF_TCP_ESTABLISHED;
    } else if (originator || peer->state != NF_TCP_SYN_SENT || p->payload_length > 0) {
        s->state = NF_TCP_PARTIAL;
    }
}

static void note_state(nf_history *h, const nf_flow_packet *p, bool originator)
{
    nf_history_side *s = &h->side[p->side];
    nf_history_side *peer = &h->side[!p->side];

    if ((p->tcp_flags & RST) != 0) {
        if (s->state != NF_TCP_CLOSED || peer->state != NF_TCP_CLOSED) {
            s->was_closed = s->state == NF_TCP_CLOSED;
            s->state = NF_TCP_RESET;
        }
        return;
    }
    if ((p->tcp_flags & FIN) != 0) {
        if (peer->state == NF_TCP_RESET && peer->was_closed != 0) {
            peer->state = NF_TCP_CLOSED;
        }
        s->state = NF_TCP_CLOSED;
    } else if (s->state == NF_TCP_INACTIVE) {
        leave_inactive(s, peer, p, originator);
    }
}

static void update_history(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    nf_history *h = state;

    if (!p->tcp) {
        if (p->key.protocol == NF_PROTOCOL_UDP) {
            write_once(h, p->side, SEEN_D, 'D');
        }
        return;
    }
    if (p->fresh && (p->tcp_flags & (SYN | ACK)) == (SYN | ACK)) {
        h->flipped = nf_flow_source(f) != p->side;
    }
    write_oddities(fl, f, h, p);
    write_event(h, p);
    note_state(h, p, nf_flow_source(f) == p->side);
}

static void inherit_history(const nf_flow_config *config, void *state, const void *parent,
                            const nf_flow *parent_flow)
{
    nf_history *h = state;

    (void)config;
    (void)parent_flow;
    for (size_t i = 0; i < 2; i++) {
        h->side[i].state = ((const nf_history *)parent)->side[i].state;
    }
}

static bool valid_history(const nf_flow_config *config, const void *state)
{
    const nf_history *h = state;

    (void)config;
    for (size_t i = 0; i < h->length && i < NF_HISTORY; i++) {
        uint8_t letter = h->text[i] & 0x7f;
        if (letter < 'A' || letter > 'Z') {
            return false;
        }
    }
    return h->length <= NF_HISTORY && h->side[0].state < NF_TCP_STATES && h->side[1].state < NF_TCP_STATES;
}

const nf_flow_group nf_group_history = {.name = "history",
                                        .bytes = sizeof(nf_history),
                                        .groups = NF_G(TCP),
                                        .inputs = NF_IN(TCP_FLAGS),
                                        .update = update_history,
                                        .inherit = inherit_history,
                                        .valid = valid_history};

/* ---- reading it ---- */

size_t nf_zeek_history(const nf_flow_config *config, const nf_flow *f, char *text, size_t size)
{
    const nf_history *h = nf_flow_read(config, f, NF_G_HISTORY);
    size_t n = 0;

    if (h->flipped != 0) {
        text[n++] = '^';
    }
    for (size_t i = 0; i < h->length && n < size; i++) {
        char letter = (char)(h->text[i] & 0x7f);
        bool originator = (h->text[i] >> 7) == nf_flow_source(f);
        text[n++] = (char)(originator ? letter : letter - 'A' + 'a');
    }
    return n;
}

uint64_t nf_zeek_bytes(const nf_flow_config *config, const nf_flow *f, size_t side)
{
    const nf_tcp_side *s = &((const nf_tcp *)nf_flow_read(config, f, NF_G_TCP))->side[side];
    int64_t acked = (s->known & NF_TCP_ACKED) != 0 ? s->acked : 0;

    if ((s->known & NF_TCP_STARTED) == 0) {
        return 0;
    }
    acked -= (s->known & NF_TCP_FIN_SEEN) != 0 ? 1 : 0;
    acked = acked > s->high ? acked : s->high;
    return acked > 0 ? (uint64_t)acked : 0;
}

/* The originator sent a SYN, then nothing that counts, then a RST. */
static bool is_syn_then_reset(const nf_history *h, uint8_t originator)
{
    if (h->length == 0 || h->text[0] != (uint8_t)('S' | originator << 7)) {
        return false;
    }
    for (size_t i = 1; i < h->length; i++) {
        char letter = (char)(h->text[i] & 0x7f);
        if (h->text[i] >> 7 != originator) {
            continue;
        }
        if (letter == 'R') {
            return true;
        }
        if (strchr("HAFGIQ", letter) != NULL) {
            return false;
        }
    }
    return false;
}

static const char *reset_state(const nf_flow_config *config, const nf_flow *f, uint8_t o, uint8_t r)
{
    const nf_history *h = nf_flow_read(config, f, NF_G_HISTORY);

    if (r == NF_TCP_RESET) {
        bool empty = nf_zeek_bytes(config, f, 0) == 0 && nf_zeek_bytes(config, f, 1) == 0;
        if (o == NF_TCP_SYN_SENT || o == NF_TCP_SYN_ACK_SENT || (o == NF_TCP_RESET && empty)) {
            return "REJ";
        }
        return o == NF_TCP_INACTIVE || o == NF_TCP_PARTIAL ? "RSTRH" : "RSTR";
    }
    if (r == NF_TCP_INACTIVE || r == NF_TCP_PARTIAL) {
        return is_syn_then_reset(h, nf_flow_source(f)) ? "RSTOS0" : "OTH";
    }
    return "RSTO";
}

static const char *tcp_state(const nf_flow_config *config, const nf_flow *f)
{
    const nf_history *h = nf_flow_read(config, f, NF_G_HISTORY);
    uint8_t o = h->side[nf_flow_source(f)].state;
    uint8_t r = h->side[!nf_flow_source(f)].state;

    if (r == NF_TCP_RESET || o == NF_TCP_RESET) {
        return reset_state(config, f, o, r);
    }
    if (o == NF_TCP_CLOSED && r == NF_TCP_CLOSED) {
        return "SF";
    }
    if (o == NF_TCP_CLOSED) {
        return r == NF_TCP_INACTIVE || r == NF_TCP_PARTIAL ? "SH" : "S2";
    }
    if (r == NF_TCP_CLOSED) {
        return o == NF_TCP_INACTIVE || o == NF_TCP_PARTIAL ? "SHR" : "S3";
    }
    if (o == NF_TCP_SYN_SENT && r == NF_TCP_INACTIVE) {
        return "S0";
    }
    return o == NF_TCP_ESTABLISHED && r == NF_TCP_ESTABLISHED ? "S1" : "OTH";
}

const char *nf_zeek_conn_state(const nf_flow_config *config, const nf_flow *f)
{
    const nf_counts *c = nf_flow_read(config, f, NF_G_COUNTS);
    bool o = c[nf_flow_source(f)].packets > 0;
    bool r = c[!nf_flow_source(f)].packets > 0;

    if (nf_flow_key_of(f)->protocol == NF_PROTOCOL_TCP) {
        return tcp_state(config, f);
    }
    if (nf_flow_key_of(f)->protocol != NF_PROTOCOL_UDP) {
        return "OTH";
    }
    return o && r ? "SF" : o ? "S0" : "SHR";
}
