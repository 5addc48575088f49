/* When one flow ends and the next of its key begins, and who opened it. Decided from the packets of the key
   alone, never from the rest of the table: so every way of cutting the input by key decides alike. */
#include "flow/groups.h"
#include "flow/input.h"
#include "flow/profile.h"

#define SYN NETFEAT_TCP_SYN
#define ACK NETFEAT_TCP_ACK
#define FIN NETFEAT_TCP_FIN
#define RST NETFEAT_TCP_RST
#define FAR (UINT32_C(1) << 30) /* a quarter of the circle of numbers */

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
    if (life->closed != 0) {
        bool over =
            p->timed && life->closed_timed != 0 && nf_difference(p->time, life->closed_time) > config->linger;
        return over || is_pure_syn(p) ? life->closed : 0;
    }
    if (is_pure_syn(p) && (life->known[p->side] & (NF_LIFE_ISN | NF_LIFE_GUESS)) != 0 &&
        life->side[p->side].isn != p->seq) {
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
    const uint8_t any = NF_LIFE_ISN | NF_LIFE_GUESS;
    uint8_t *known = &life->known[p->side];
    uint8_t *other = &life->known[!p->side];

    if ((p->tcp_flags & SYN) != 0) {
        if ((*known & NF_LIFE_ISN) == 0) {
            life->side[p->side].isn = p->seq;
            *known |= NF_LIFE_ISN;
        }
        if ((p->tcp_flags & ACK) != 0 && (*other & any) == 0) {
            life->side[!p->side].isn = p->ack - 1;
            *other |= NF_LIFE_GUESS;
        }
    } else if ((*known & any) == 0) {
        life->side[p->side].isn = p->seq - 1;
        *known |= NF_LIFE_GUESS;
    }
}

/* So far apart that a few more of such steps may lead around the circle of numbers. */
static bool is_far(uint32_t a, uint32_t b)
{
    return a - b >= FAR && b - a >= FAR;
}

static bool is_far_from_fin(const nf_life *life, size_t acker)
{
    return (life->known[acker] & NF_LIFE_ACK) != 0 && (life->known[1 - acker] & NF_LIFE_FIN) != 0 &&
           is_far(life->side[acker].ack, life->side[1 - acker].fin_end);
}

static void note_ack(nf_life *life, size_t side, uint32_t ack)
{
    nf_life_side *s = &life->side[side];

    if ((life->known[side] & NF_LIFE_ACK) == 0) {
        s->ack = s->first_ack = ack;
        life->known[side] |= NF_LIFE_ACK;
    }
    if (is_far(ack, s->ack)) {
        life->known[side] |= NF_LIFE_UNRULY;
    }
    if (is_behind(ack, s->ack)) {
        s->ack = ack;
        life->known[side] |= ack - s->first_ack >= FAR ? NF_LIFE_FAR : 0;
    }
}

/* Both FIN are there, and each is acknowledged. */
static bool is_finished(const nf_life *life)
{
    for (size_t i = 0; i < 2; i++) {
        if ((life->known[i] & NF_LIFE_FIN) == 0 || (life->known[1 - i] & NF_LIFE_ACK) == 0 ||
            is_behind(life->side[i].fin_end, life->side[1 - i].ack)) {
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
        if ((life->known[i] & NF_LIFE_FIN_TIMED) != 0 &&
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

static void note_fin(nf_life *life, const nf_flow_packet *p)
{
    nf_life_side *s = &life->side[p->side];

    s->fin_end = p->seq + p->payload_length + ((p->tcp_flags & SYN) != 0 ? 2 : 1);
    s->fin_time = p->timed ? p->time : 0;
    life->known[p->side] |= p->timed ? NF_LIFE_FIN | NF_LIFE_FIN_TIMED : NF_LIFE_FIN;
}

static void note_end(const nf_flow_config *config, nf_life *life, const nf_flow_packet *p)
{
    bool both = (life->known[0] & life->known[1] & NF_LIFE_FIN) != 0;
    uint8_t rule = config->profile->close;

    if ((p->tcp_flags & ACK) != 0) {
        note_ack(life, p->side, p->ack);
    }
    if ((p->tcp_flags & FIN) != 0 && (life->known[p->side] & NF_LIFE_FIN) == 0) {
        note_fin(life, p);
    }
    for (size_t i = 0; i < 2; i++) {
        life->known[i] |= is_far_from_fin(life, i) ? NF_LIFE_UNRULY : 0;
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

/* Of acknowledgements that follow: where b begins is near to where a has come, and how far b has come from there is known
   or far enough. */
static void merge_acks(nf_life *a, const nf_life *b, size_t i)
{
    nf_life_side *s = &a->side[i];
    const nf_life_side *t = &b->side[i];
    bool ahead = (b->known[i] & NF_LIFE_FAR) != 0 ||
                 (int64_t)(int32_t)(t->first_ack - s->ack) + (int64_t)(uint32_t)(t->ack - t->first_ack) > 0;

    if ((b->known[i] & NF_LIFE_ACK) == 0) {
        return;
    }
    if ((a->known[i] & NF_LIFE_ACK) == 0) {
        s->ack = t->ack;
        s->first_ack = t->first_ack;
    } else if (ahead) {
        s->ack = t->ack;
        a->known[i] |= s->ack - s->first_ack >= FAR ? NF_LIFE_FAR : 0;
    }
    a->known[i] |= b->known[i] & (NF_LIFE_ACK | NF_LIFE_FAR | NF_LIFE_UNRULY);
}

static void merge_life_side(nf_life *a, const nf_life *b, size_t i)
{
    nf_life_side *s = &a->side[i];
    const nf_life_side *t = &b->side[i];
    const uint8_t sure = b->known[i] & NF_LIFE_ISN;

    if ((a->known[i] & NF_LIFE_ISN) == 0 && (sure != 0 || (a->known[i] & NF_LIFE_GUESS) == 0)) {
        s->isn = t->isn;
    }
    if ((b->known[i] & NF_LIFE_FIN) != 0 && (a->known[i] & NF_LIFE_FIN) == 0) {
        s->fin_end = t->fin_end;
        s->fin_time = t->fin_time;
        a->known[i] |= b->known[i] & (NF_LIFE_FIN | NF_LIFE_FIN_TIMED);
    }
    a->known[i] |= b->known[i] & (NF_LIFE_ISN | NF_LIFE_GUESS);
    merge_acks(a, b, i);
}

bool nf_life_follows(const nf_life *a, const nf_life *b)
{
    nf_life merged = *a;

    for (size_t i = 0; i < 2; i++) {
        merge_life_side(&merged, b, i);
        if ((a->known[i] & b->known[i] & NF_LIFE_ACK) != 0 &&
            ((b->known[i] & NF_LIFE_UNRULY) != 0 || is_far(b->side[i].first_ack, a->side[i].ack))) {
            return false;
        }
        if ((a->known[1 - i] & NF_LIFE_FIN) != 0 && (b->known[i] & (NF_LIFE_FAR | NF_LIFE_UNRULY)) != 0) {
            return false;
        }
    }
    return !is_far_from_fin(&merged, 0) && !is_far_from_fin(&merged, 1);
}

bool nf_life_bears_on(const nf_life *a, const nf_life *merged)
{
    for (size_t i = 0; i < 2; i++) {
        bool acks_fin = (a->known[i] & NF_LIFE_ACK) != 0 && (merged->known[1 - i] & NF_LIFE_FIN) != 0 &&
                        !is_behind(merged->side[1 - i].fin_end, a->side[i].ack);
        if (acks_fin || (a->known[i] & NF_LIFE_FIN) != 0) {
            return true;
        }
    }
    return false;
}

static void merge_life(const nf_flow_config *config, void *state, const void *later)
{
    nf_life *a = state;
    const nf_life *b = later;

    for (size_t i = 0; i < 2; i++) {
        merge_life_side(a, b, i);
    }
    a->syns = a->syns != 0 || b->syns != 0 || (b->first_tcp != 0 && (b->first_flags & SYN) != 0);
    if (config->profile->close == NF_CLOSE_LINGER && b->closed != NETFEAT_FLOW_END_RST) {
        close_finished(a); /* b may have seen another FIN first */
    } else if (a->closed == 0 && b->closed != 0) {
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
    memcpy(((nf_life *)state)->known, ((const nf_life *)parent)->known, sizeof((nf_life *)state)->known);
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
