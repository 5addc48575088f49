/* groups.h - the state that columns are made of. A group is kept only when a chosen column needs it. States
   are plain bytes: no pointers, all zeros for a new flow. */
#ifndef NF_FLOW_GROUPS_H
#define NF_FLOW_GROUPS_H

#include "flow/flow.h"
#include "flow/moments.h"

#include <string.h>

typedef struct { /* NF_G_COUNTS, per side */
    uint64_t packets, bytes;
} nf_counts;

enum {                    /* nf_life.known */
       NF_LIFE_ISN = 1,   /* isn is that of a SYN */
       NF_LIFE_GUESS = 2, /* isn is what the first packet, or the other side, suggests */
       NF_LIFE_FIN = 4,
       NF_LIFE_ACK = 8,
       NF_LIFE_FIN_TIMED = 16, /* fin_time is known */
       NF_LIFE_FAR = 32,       /* ack is far ahead of first_ack */
       NF_LIFE_UNRULY =
           64 /* an acknowledgement was so far from those before, or from a FIN, that it may be either
                                  side of them */
};
typedef struct {
    uint32_t isn;
    uint32_t fin_end; /* sequence number behind its FIN */
    uint32_t ack;     /* highest one sent */
    uint32_t first_ack;
    int64_t fin_time;
} nf_life_side;
typedef struct {     /* NF_G_ORIGIN: there when time-outs are, to decide again when shards are merged */
    uint64_t parent; /* flow_id of the flow that this one goes on, with NF_FLOW_CONTINUED */
    int64_t arrival; /* time of the first packet, with NF_FLOW_ARRIVAL */
} nf_origin;

typedef struct { /* NF_G_LIFE: when a connection is over */
    nf_life_side side[2];
    int64_t closed_time;
    uint32_t first_seq;
    uint16_t first_flags; /* of the first packet, to decide again when shards are merged */
    uint8_t first_side;
    uint8_t first_tcp;
    uint8_t closed;       /* NETFEAT_FLOW_END_FIN, NETFEAT_FLOW_END_RST or 0 */
    uint8_t closed_timed; /* 1: closed_time is known */
    uint8_t syns;         /* 1: a SYN came after the first packet */
    uint8_t known[2];     /* of each side: NF_LIFE_* */
    uint8_t reserved[3];
} nf_life;

typedef struct { /* NF_G_LAYERS, per side */
    uint64_t ip_bytes, l4_bytes, payload_bytes;
} nf_layers;

typedef struct
{ /* NF_G_SIZES, per side, and NF_G_SIZES_ALL where no side is asked for; the sum is in nf_counts */
    nf_u128 squares;
    uint64_t min, max;
} nf_sizes;

typedef struct
{ /* NF_G_GAPS, per side, and NF_G_GAPS_ALL, all packets: inter-arrival times, ns; their sum is last - first */
    nf_u128 squares;
    int64_t min, max;
    int64_t first, last; /* times in order of arrival */
    uint64_t times;      /* packets that have one: one more than there are gaps */
    uint64_t reserved;
} nf_gaps;

typedef struct {         /* NF_G_SPANS, per side */
    int64_t first, last; /* by value */
    uint64_t times;
} nf_span;

#define NF_TCP_FLAGS 9
typedef struct { /* NF_G_FLAGS, per side: packets with FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE */
    uint64_t packets[NF_TCP_FLAGS];
} nf_flag_counts;

typedef struct { /* NF_G_TTL, per side */
    uint8_t seen, min, max, reserved;
} nf_ttl;

typedef struct { /* NF_G_HEADERS, per side */
    uint64_t packets, bytes, data_packets;
    uint32_t min, reserved;
} nf_headers;

typedef struct { /* NF_G_LINK: of the first packet, source then destination */
    uint8_t mac[2][6];
    uint8_t present[2];
    uint8_t side, reserved;
} nf_link;

#define NF_HOLES 4
typedef struct {
    int64_t begin, end;
} nf_hole;
enum { NF_TCP_STARTED = 1, NF_TCP_FIN_SEEN = 2, NF_TCP_ACKED = 4, NF_TCP_WINDOW = 8 };
typedef struct {             /* sequence space of one sender, unwrapped: 0 is its first byte of data */
    int64_t high;            /* behind the highest byte seen */
    int64_t acked;           /* highest acknowledged by the other side */
    nf_hole holes[NF_HOLES]; /* not seen below high, ascending, the first `n_holes` */
    uint64_t lost;           /* bytes of holes that had to be forgotten */
    uint64_t retransmitted_packets, retransmitted_bytes, out_of_order_packets, zero_window_packets;
    uint32_t start;
    uint16_t window; /* of its first packet */
    uint8_t known;
    uint8_t n_holes;
} nf_tcp_side;
typedef struct { /* NF_G_TCP */
    nf_tcp_side side[2];
    int64_t syn_time, syn_ack_time, ack_time;
    uint8_t handshake; /* 1 SYN, 2 and SYN-ACK, 3 and ACK seen, each with its time */
    uint8_t opener;    /* side of the SYN */
    uint8_t reserved[6];
} nf_tcp;

enum {
    NF_TCP_INACTIVE,
    NF_TCP_SYN_SENT,
    NF_TCP_SYN_ACK_SENT,
    NF_TCP_PARTIAL,
    NF_TCP_ESTABLISHED,
    NF_TCP_CLOSED,
    NF_TCP_RESET,
    NF_TCP_STATES
};
#define NF_HISTORY 48
typedef struct {
    uint64_t times[3]; /* T, W, G */
    uint32_t seq[4];   /* of the last S, H, F, R */
    uint16_t seen;     /* bit per letter that is written once, or was written */
    uint8_t state;
    uint8_t was_closed; /* 1: CLOSED before it became RESET */
    uint8_t reserved[4];
} nf_history_side;
typedef struct { /* NF_G_HISTORY; needs NF_G_TCP */
    nf_history_side side[2];
    uint8_t length;
    uint8_t flipped;
    uint8_t text[NF_HISTORY]; /* letter, with bit 7 for side 1 */
    uint8_t reserved[6];
} nf_history;

typedef struct { /* a set of durations */
    nf_i128 sum;
    nf_u128 squares;
    int64_t min, max;
    uint64_t n;
    uint64_t reserved;
} nf_durations;
typedef struct { /* NF_G_PERIODS */
    nf_durations active, idle;
    int64_t begin, end; /* of the active period now */
    uint64_t times;
    uint64_t reserved;
} nf_periods;

typedef struct {         /* NF_G_SUBFLOWS */
    int64_t first, last; /* in order of arrival */
    uint64_t times;
    uint64_t gaps; /* longer than flow.subflow_ns */
} nf_subflows;

typedef struct { /* NF_G_BULK, per side: runs of at least four packets with payload */
    int64_t begin, last;
    int64_t duration;
    uint64_t run_packets, run_bytes; /* of the run now; 0: none */
    uint64_t bulks, packets, bytes;
} nf_bulk;

typedef struct { /* NF_G_CIC: the first packet, and windows */
    uint64_t first_length;
    uint32_t first_window;
    uint32_t window[2];   /* first one that is not 0, per side */
    uint32_t last_window; /* of the last packet of the destination */
    uint16_t first_flags;
    uint8_t first_data; /* 1: it had payload */
    uint8_t icmp;       /* 1: with type and code */
    uint8_t icmp_type, icmp_code;
    uint8_t reserved[2];
    int64_t connection_begin; /* first time of the flow that this one continues */
} nf_cic;

#define NF_REPEATS 32
typedef struct {               /* NF_G_REPEATS, per side: TCP packets seen before in the flow */
    uint64_t seen[NF_REPEATS]; /* the last ones */
    uint64_t n, repeated;
} nf_repeats;

typedef struct { /* NF_G_CONTENT, per side: how often each byte occurs in the captured payload */
    uint64_t count[256];
} nf_content;

typedef struct {
    int64_t gap;     /* from the packet before; 0 for the first one */
    uint64_t length; /* with bit 63: sent by side 1 */
} nf_first_packet;
typedef struct {         /* NF_G_FIRST: followed by first_packets of nf_first_packet */
    int64_t begin, last; /* times of the first packet and of the one before */
    uint32_t n;
    uint32_t timed;       /* 1: they are valid */
    uint32_t first_timed; /* which packet was the first one with a time */
    uint32_t reserved;
} nf_first;

/* ---- the groups as a list ---- */

typedef struct {
    const char *name;
    size_t bytes;      /* for the whole flow */
    size_t side_bytes; /* for each side */
    uint32_t groups;   /* others it needs */
    uint32_t inputs;   /* NF_IN() it needs */
    bool tcp_only;     /* nothing in it for flows that are not TCP */
    bool fresh_only;   /* updated by the first packet of a flow alone */
    /* Account for one packet. NULL: the engine does. */
    void (*update)(const netfeat_flows *fl, nf_flow *f, void *state, const nf_flow_packet *p);
    /* Append the state of a later flow with the same key; NULL: packets themselves would be needed. */
    void (*merge)(const nf_flow_config *config, void *state, const void *later);
    /* What a flow that continues another one takes over from it; NULL: nothing. */
    void (*inherit)(const nf_flow_config *config, void *state, const void *parent,
                    const nf_flow *parent_flow);
    /* Whether a state that was loaded can be worked with; NULL: any can. */
    bool (*valid)(const nf_flow_config *config, const void *state);
} nf_flow_group;

extern const nf_flow_group *const nf_flow_groups[NF_GROUPS];

/* lists of functions: counts.c, connection.c, sequence.c, history.c, periods.c, content.c */
extern const nf_flow_group nf_group_counts, nf_group_origin, nf_group_life, nf_group_layers, nf_group_sizes,
    nf_group_sizes_all, nf_group_gaps, nf_group_gaps_all, nf_group_spans, nf_group_flags, nf_group_ttl,
    nf_group_fragments, nf_group_headers, nf_group_link, nf_group_tcp, nf_group_history, nf_group_periods,
    nf_group_subflows, nf_group_bulk, nf_group_cic, nf_group_repeats, nf_group_content, nf_group_first;

/* connection.c */
/* Reason for which flow f ends before packet p of its key; 0 if p belongs to it. */
int nf_flow_decide(const nf_flow_config *config, const nf_flow *f, const nf_flow_packet *p);
/* true: nf_flow_decide() would say 0, which nearly every packet shows at once; false: ask it. */
static inline bool nf_flow_goes_on(const nf_flow_config *config, const nf_flow *f, const nf_flow_packet *p)
{
    int64_t idle = config->idle_tcp < config->idle_other ? config->idle_tcp : config->idle_other;
    int64_t silence, age;

    if (!p->timed || (f->flags & NF_FLOW_TIMED) == 0 ||
        __builtin_sub_overflow(p->time, f->last_time, &silence) || silence >= idle ||
        __builtin_sub_overflow(p->time, f->first_time, &age) || age >= config->active) {
        return false;
    }
    if (!config->close || !p->tcp) {
        return true;
    }
    return ((const nf_life *)nf_flow_read(config, f, NF_G_LIFE))->closed == 0 &&
           (p->tcp_flags & NETFEAT_TCP_SYN) == 0;
}
/* Whether the acknowledgements of b can be taken as if they had come behind those of a: numbers go round, and shards do not
   keep each of them. */
bool nf_life_follows(const nf_life *a, const nf_life *b);
/* Whether FIN or acknowledgements of a take part in how the connection ends, of which merged knows all. */
bool nf_life_bears_on(const nf_life *a, const nf_life *merged);
/* Reason for which flow f has ended by the time now, though no packet came; 0 if it has not. */
int nf_flow_overdue(const nf_flow_config *config, const nf_flow *f, int64_t now);
/* Reason to write when a flow ends for a reason outside of it: its closing, if it was closed. */
int nf_flow_final_reason(const nf_flow_config *config, const nf_flow *f, int reason);
/* Who is the source, after packet p. */
void nf_flow_direct(const nf_flow_config *config, nf_flow *f, const nf_flow_packet *p);

/* history.c: what Zeek's conn.log says of a flow */
const char *nf_zeek_conn_state(const nf_flow_config *config, const nf_flow *f);
size_t nf_zeek_history(const nf_flow_config *config, const nf_flow *f, char *text, size_t size);
/* Bytes that a side of a TCP connection sent, by its sequence numbers. */
uint64_t nf_zeek_bytes(const nf_flow_config *config, const nf_flow *f, size_t side);

/* sequence.c: bytes that one side sent and that were not captured */
uint64_t nf_tcp_gap_bytes(const nf_tcp_side *s);
/* A segment with data, all of it below what was seen before; asked before nf_group_tcp is updated. */
bool nf_tcp_is_old(const nf_tcp_side *s, const nf_flow_packet *p);

#endif
