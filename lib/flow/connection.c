/* When one flow ends and the next of its key begins, and who opened it. Decided from the packets of the key
   alone, never from the rest of the table: so every way of cutting the input by key decides alike. */
#include "flow/groups.h"
#include "flow/input.h"
#include "flow/profile.h"

#define SYN NETFEAT_TCP_SYN
#define ACK NETFEAT_TCP_ACK
#define FIN NETFEAT_TCP_FIN
#define RST NETFEAT_TCP_RST

static bool is_pure_syn(const nf_flow_packet *p)
{
    return p->tcp && (p->tcp_flags & (SYN | ACK | FIN | RST)) == SYN;
}

/* a is behind b in the circle of sequence numbers. */
static bool is_behind(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

static int linger_decision(const nf_flow_config *config, const nf_life *life, const nf_flow_packet *p)
{
    const nf_life_side *s = &life->side[p->side];

    if (life->closed != 0) {
        bool over =
            p->timed && life->closed_timed != 0 && nf_difference(p->time, life->closed_time) > config->linger;
        return over || is_pure_syn(p) ? life->closed : 0;
    }
    if (is_pure_syn(p) && (s->known & (NF_LIFE_ISN | NF_LIFE_GUESS)) != 0 && s->isn != p->seq) {
        return NETFEAT_FLOW_END_REUSE;
    }
    return 0;
}

static int close_decision(const nf_flow_config *config, const nf_flow *f, const nf_flow_packet *p)
{
    const nf_life *life;

    if (!config->close || !p->tcp) {
        return 0;
    }
    life = nf_flow_read(config, f, NF_G_LIFE);
    switch (config->profile->close) {
    case NF_CLOSE_LINGER:
        return linger_decision(config, life, p);
    case NF_CLOSE_NEXT_SYN:
        return (p->tcp_flags & SYN) != 0 ? life->closed : 0;
    default:
        return life->closed;
    }
}

int nf_flow_final_reason(const nf_flow_config *config, const nf_flow *f, int reason)
{
    if (config->close) {
        const nf_life *life = nf_flow_read(config, f, NF_G_LIFE);
        if (life->closed != 0) {
            return life->closed;
        }
    }
    return reason;
}

static int64_t idle_of(const nf_flow_config *config, const nf_flow *f)
{
    return nf_flow_key_of(f)->protocol == NF_PROTOCOL_TCP ? config->idle_tcp : config->idle_other;
}

/* Silence comes first: that a flow was idle can be seen without knowing what it was. */
int nf_flow_decide(const nf_flow_config *config, const nf_flow *f, const nf_flow_packet *p)
{
    bool timed = p->timed && (f->flags & NF_FLOW_TIMED) != 0;
    int64_t age;
    int reason;

    if (timed && idle_of(config, f) != NF_NEVER &&
        nf_difference(p->time, f->last_time) >= idle_of(config, f)) {
        return nf_flow_final_reason(config, f, NETFEAT_FLOW_END_IDLE);
    }
    reason = close_decision(config, f, p);
    if (reason != 0 || !timed || config->active == NF_NEVER) {
        return reason;
    }
    age = nf_difference(p->time, f->first_time);
    if (age > config->active || (age == config->active && !config->profile->active_strict)) {
        return nf_flow_final_reason(config, f, NETFEAT_FLOW_END_ACTIVE);
    }
    return 0;
}

int nf_flow_overdue(const nf_flow_config *config, const nf_flow *f, int64_t now)
{
    bool lingering = config->close && config->profile->close == NF_CLOSE_LINGER;

    if ((f->flags & NF_FLOW_TIMED) == 0) {
        return 0;
    }
    if (lingering && nf_flow_key_of(f)->protocol == NF_PROTOCOL_TCP) {
        const nf_life *life = nf_flow_read(config, f, NF_G_LIFE);
        if (life->closed != 0 && life->closed_timed != 0 &&
            nf_difference(now, life->closed_time) > config->linger) {
            return life->closed;
        }
    }
    if (idle_of(config, f) != NF_NEVER && nf_difference(now, f->last_time) >= idle_of(config, f)) {
        return nf_flow_final_reason(config, f, NETFEAT_FLOW_END_IDLE);
    }
    /* a flow that is not idle is cut by its next packet, which then knows its parent */
    if (idle_of(config, f) == NF_NEVER && config->active != NF_NEVER &&
        nf_difference(now, f->first_time) > config->active) {
        return nf_flow_final_reason(config, f, NETFEAT_FLOW_END_ACTIVE);
    }
    return 0;
}

void nf_flow_direct(const nf_flow_config *config, nf_flow *f, const nf_flow_packet *p)
{
    uint8_t by = 0;
    uint8_t source = p->side;

    if (f->evidence == 0) {
        by = NETFEAT_FLOW_BY_FIRST_PACKET;
    } else if (config->sides == 1 || config->profile->source != NF_SOURCE_EVIDENCE) {
        return;
    }
    if (config->sides > 1 && config->profile->source != NF_SOURCE_FIRST && p->tcp) {
        uint16_t flags = p->tcp_flags & (SYN | ACK | FIN | RST);
        if (flags == SYN) {
            by = NETFEAT_FLOW_BY_SYN;
        } else if (flags == (SYN | ACK)) {
            by = NETFEAT_FLOW_BY_SYN_ACK;
            source = !p->side;
        }
    }
    if (by > f->evidence) {
        f->evidence = by;
        f->flags = (uint8_t)((f->flags & ~NF_FLOW_SOURCE) | (source != 0 ? NF_FLOW_SOURCE : 0));
    }
}

/* ---- origin ---- */

static void update_origin(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    nf_origin *s = state;

    (void)fl;
    if (p->timed) {
        s->arrival = p->time;
        f->flags |= NF_FLOW_ARRIVAL;
    }
}

static void merge_origin(const nf_flow_config *config, void *state, const void *later)
{
    (void)config;
    (void)state;
    (void)later;
}

static void inherit_origin(const nf_flow_config *config, void *state, const void *parent,
                           const nf_flow *parent_flow)
{
    nf_origin *s = state;

    (void)config;
    (void)parent;
    s->parent = parent_flow->first_position;
}

const nf_flow_group nf_group_origin = {.name = "origin",
                                       .bytes = sizeof(nf_origin),
                                       .fresh_only = true,
                                       .update = update_origin,
                                       .merge = merge_origin,
                                       .inherit = inherit_origin};

/* ---- life of a connection ---- */

static void note_sequence(nf_life *life, const nf_flow_packet *p)
{
    nf_life_side *s = &life->side[p->side];
    nf_life_side *other = &life->side[!p->side];

    if ((p->tcp_flags & SYN) != 0) {
        if ((s->known & NF_LIFE_ISN) == 0) {
            s->isn = p->seq;
            s->known |= NF_LIFE_ISN;
        }
        if ((p->tcp_flags & ACK) != 0 && (other->known & (NF_LIFE_ISN | NF_LIFE_GUESS)) == 0) {
            other->isn = p->ack - 1;
            other->known |= NF_LIFE_GUESS;
        }
    } else if ((s->known & (NF_LIFE_ISN | NF_LIFE_GUESS)) == 0) {
        s->isn = p->seq - 1;
        s->known |= NF_LIFE_GUESS;
    }
}

/* Both FIN are there, and each is acknowledged. */
static bool is_finished(const nf_life *life)
{
    for (size_t i = 0; i < 2; i++) {
        const nf_life_side *s = &life->side[i];
        const nf_life_side *other = &life->side[1 - i];
        if ((s->known & NF_LIFE_FIN) == 0 || (other->known & NF_LIFE_ACK) == 0 ||
            is_behind(s->fin_end, other->ack)) {
            return false;
        }
    }
    return true;
}

/* Packets without a time do not move the clock: closed when the last FIN that has one came. */
static void close_finished(nf_life *life)
{
    if (life->closed != 0 || !is_finished(life)) {
        return;
    }
    life->closed = NETFEAT_FLOW_END_FIN;
    for (size_t i = 0; i < 2; i++) {
        const nf_life_side *s = &life->side[i];
        if ((s->known & NF_LIFE_FIN_TIMED) != 0 &&
            (life->closed_timed == 0 || s->fin_time > life->closed_time)) {
            life->closed_time = s->fin_time;
            life->closed_timed = 1;
        }
    }
}

static void close_at(nf_life *life, int reason, const nf_flow_packet *p)
{
    life->closed = (uint8_t)reason;
    life->closed_timed = p->timed;
    life->closed_time = p->timed ? p->time : 0;
}

static void note_end(const nf_flow_config *config, nf_life *life, const nf_flow_packet *p)
{
    nf_life_side *s = &life->side[p->side];
    bool both = (life->side[0].known & life->side[1].known & NF_LIFE_FIN) != 0;
    uint8_t rule = config->profile->close;

    if ((p->tcp_flags & ACK) != 0 && ((s->known & NF_LIFE_ACK) == 0 || is_behind(p->ack, s->ack))) {
        s->ack = p->ack;
        s->known |= NF_LIFE_ACK;
    }
    if ((p->tcp_flags & FIN) != 0 && (s->known & NF_LIFE_FIN) == 0) {
        s->fin_end = p->seq + p->payload_length + ((p->tcp_flags & SYN) != 0 ? 2 : 1);
        s->fin_time = p->timed ? p->time : 0;
        s->known |= NF_LIFE_FIN | (p->timed ? (uint32_t)NF_LIFE_FIN_TIMED : 0);
    }
    if (life->closed != 0) {
        return;
    }
    if ((p->tcp_flags & RST) != 0 && rule != NF_CLOSE_FIRST_FIN) {
        close_at(life, NETFEAT_FLOW_END_RST, p);
    } else if (rule == NF_CLOSE_LINGER) {
        close_finished(life);
    } else if ((rule == NF_CLOSE_NEXT_SYN && both && (p->tcp_flags & ACK) != 0) ||
               (rule == NF_CLOSE_FIRST_FIN && (p->tcp_flags & FIN) != 0)) {
        close_at(life, NETFEAT_FLOW_END_FIN, p);
    }
}

static void update_life(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p)
{
    nf_life *life = state;

    (void)f;
    if (p->fresh) {
        life->first_side = p->side;
        life->first_tcp = p->tcp;
        life->first_flags = p->tcp_flags;
        life->first_seq = p->seq;
    } else if (p->tcp && (p->tcp_flags & SYN) != 0) {
        life->syns = 1;
    }
    if (p->tcp) {
        note_sequence(life, p);
        note_end(&fl->config, life, p);
    }
}

static void merge_life_side(nf_life_side *a, const nf_life_side *b)
{
    const uint32_t sure = b->known & NF_LIFE_ISN;

    if ((a->known & NF_LIFE_ISN) == 0 && (sure != 0 || (a->known & NF_LIFE_GUESS) == 0)) {
        a->isn = b->isn;
    }
    if ((b->known & NF_LIFE_FIN) != 0 && (a->known & NF_LIFE_FIN) == 0) {
        a->fin_end = b->fin_end;
        a->fin_time = b->fin_time;
        a->known |= b->known & (NF_LIFE_FIN | NF_LIFE_FIN_TIMED);
    }
    if ((b->known & NF_LIFE_ACK) != 0 && ((a->known & NF_LIFE_ACK) == 0 || is_behind(b->ack, a->ack))) {
        a->ack = b->ack;
    }
    a->known |= b->known & (NF_LIFE_ISN | NF_LIFE_GUESS | NF_LIFE_ACK);
}

static void merge_life(const nf_flow_config *config, void *state, const void *later)
{
    nf_life *a = state;
    const nf_life *b = later;

    for (size_t i = 0; i < 2; i++) {
        merge_life_side(&a->side[i], &b->side[i]);
    }
    a->syns = a->syns != 0 || b->syns != 0 || (b->first_tcp != 0 && (b->first_flags & SYN) != 0);
    if (a->closed == 0 && config->profile->close == NF_CLOSE_LINGER) {
        close_finished(a);
    }
    if (a->closed == 0 && b->closed != 0) {
        a->closed = b->closed;
        a->closed_time = b->closed_time;
        a->closed_timed = b->closed_timed;
    }
}

static void inherit_life(const nf_flow_config *config, void *state, const void *parent,
                         const nf_flow *parent_flow)
{
    (void)config;
    (void)parent_flow;
    memcpy(((nf_life *)state)->side, ((const nf_life *)parent)->side, sizeof((nf_life *)state)->side);
}

static bool valid_life(const nf_flow_config *config, const void *state)
{
    const nf_life *life = state;

    (void)config;
    return life->first_side <= 1 && (life->closed == 0 || life->closed == NETFEAT_FLOW_END_FIN ||
                                     life->closed == NETFEAT_FLOW_END_RST);
}

const nf_flow_group nf_group_life = {.name = "life",
                                     .bytes = sizeof(nf_life),
                                     .inputs = NF_IN(TCP_FLAGS) | NF_IN(TCP_SEQ) | NF_IN(TCP_ACK) |
                                               NF_IN(PAYLOAD_LENGTH),
                                     .tcp_only = true,
                                     .update = update_life,
                                     .merge = merge_life,
                                     .inherit = inherit_life,
                                     .valid = valid_life};
