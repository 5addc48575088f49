/* streams.h - inside of the reassembler: streams, their directions, and the events under way. One packet at a
   time is worked on; its events are queued, handed out one by one, and only then comes the next packet. */
#ifndef NF_STREAM_STREAMS_H
#define NF_STREAM_STREAMS_H

#include <stdbool.h>
#include <stdint.h>

#include <netfeat/stream.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/ref.h"
#include "stream/arena.h"
#include "stream/store.h"

#define NF_NONE         UINT32_MAX
#define NF_PROTOCOL_TCP 6
#define NF_PROTOCOL_UDP 17
#define NF_ISNS         4  /* candidates for the initial sequence number of one side */
#define NF_URGENT_MARKS 64 /* urgent offsets waiting in one direction */
#define NF_HISTORY      32
#define NF_LIST_GRAIN   64 /* the lists of streams are in order up to this part of the time-out */
#define NF_MAX_SCALE    14 /* RFC 7323, section 2.3 */

#define COUNTER(suffix, name, help) NF_COUNT_##suffix,
enum {
#include "stream/counters.def"
    NF_COUNTERS
};
#undef COUNTER
#define NF_HOT_COUNTERS (NF_COUNT_BYTES + 1)
/* Counters behind NF_COUNT_DELIVERED_BYTES, which follows from others, are allocated when the first of them counts. */
#define NF_FIRST_RARE    (NF_COUNT_DELIVERED_BYTES + 1)
#define NF_RARE_COUNTERS (NF_COUNTERS - NF_FIRST_RARE)

#define TOTAL(suffix, name, help) NF_TOTAL_##suffix,
enum {
#include "stream/totals.def"
    NF_TOTALS
};
#undef TOTAL

typedef struct nf_stream nf_stream;

typedef struct {
    uint8_t ip[2][16]; /* which endpoint (address, port) is first does not depend on the direction */
    uint16_t port[2];
    uint8_t protocol;
    uint8_t zero;
} nf_stream_key;

/* One TCP segment or UDP datagram, as the steps see it. */
typedef struct {
    nf_stream_key key;
    bool swapped;     /* the sender is the key's second endpoint */
    int8_t scale;     /* TCP option 3, -1: none */
    uint64_t hash;    /* of the key ... */
    uint32_t seed;    /* ... and the number of the secret that it was made with */
    uint32_t len;     /* payload by the IP length */
    nf_stream *guess; /* where its stream was when it was fetched ahead, or NULL */
    const uint8_t *data;
    uint64_t packet;   /* its number */
    uint32_t captured; /* of len, how much is there */
    uint32_t seq, ack, tsval;
    uint16_t flags, window, urgent;
    bool bad_checksum;
    bool md5;       /* TCP option 19 */
    bool has_tsval; /* TCP option 8 */
} nf_segment;

/* Marks of urgent bytes, ascending. */
typedef struct {
    uint32_t n;
    int64_t at[NF_URGENT_MARKS];
} nf_urgent;

/* A SYN in an established stream, which counts once it is answered; or payload that came with a SYN. */
typedef struct nf_syn nf_syn;
struct nf_syn {
    nf_syn *next; /* in the list of spent ones */
    uint32_t len;
    uint32_t seq, tsval;
    uint16_t window;
    int8_t scale;
    bool has_tsval;
    uint8_t side;
    uint64_t packet;
    uint8_t data[];
};

/* The last bytes delivered: a ring of stream.recent_bytes. */
typedef struct {
    int64_t end;   /* offset behind the newest byte */
    uint64_t held; /* bytes before it that are there */
    uint8_t data[];
} nf_recent;

enum {                     /* bits of nf_dir.flags */
       NF_DIR_ISN = 1,     /* isn is known */
       NF_DIR_BASE = 2,    /* base is known */
       NF_DIR_LOCKED = 4,  /* ... and will not change */
       NF_DIR_SKIPPED = 8, /* the caller wants nothing from `next` on */
       NF_DIR_FIN = 0x10,  /* fin is known */
       NF_DIR_EOF = 0x20,
       NF_DIR_RIGHT = 0x40,   /* right is known */
       NF_DIR_WINDOW = 0x80,  /* window is known */
       NF_DIR_SYN = 0x100,    /* sent SYN or SYN|ACK */
       NF_DIR_TS_OPT = 0x200, /* ... with a timestamp */
       NF_DIR_TS = 0x400,     /* ts_recent is known */
       NF_DIR_MD5 = 0x800,    /* ... with an MD5 signature */
       NF_DIR_TRUNCATED = 0x1000,
       NF_DIR_CUT = 0x2000,      /* bytes beyond the depth came */
       NF_DIR_PURE_SYN = 0x4000, /* sent SYN without ACK */
       NF_DIR_SYN_ACK = 0x8000,
       NF_DIR_FIN_SEEN = 0x10000,
       NF_DIR_MIDSTREAM = 0x20000, /* counters that are 0 or 1, and too common for nf_conn.rare */
       NF_DIR_ASYNC = 0x40000,
       NF_DIR_WAITS = 0x80000, /* << NF_WAIT_*: waits for that ... */
       NF_DIR_LISTED =
           0x200000, /* << NF_WAIT_*: ... and is listed; else the gate must open before anything can happen */
};

enum {               /* what a direction can wait for */
       NF_WAIT_HOLE, /* a hole in front of held bytes */
       NF_WAIT_ACK,  /* bytes missing that the peer acknowledged */
       NF_WAITS
};

typedef struct {
    int64_t since;
    uint32_t prev, next; /* in the list of that kind, when listed */
} nf_wait;

/* What few directions need: something held, or kept beside the stream. */
typedef struct {
    nf_store store;
    nf_wait waits[NF_WAITS];
    nf_urgent *urgent; /* NULL until needed */
    nf_syn *syn_data;  /* payload of its SYN */
    nf_recent *recent;
} nf_hold;

/* Where the numbers of a direction begin and end. */
typedef struct {
    int64_t fin;
    uint32_t isn;
    uint32_t candidates[NF_ISNS];
    uint8_t n_candidates; /* 0 without NF_DIR_ISN */
} nf_ends;

/* One direction: the bytes that one endpoint sends. "dir" as a number is 2 * index of the stream + 0 or 1. Every segment
   needs both directions: each is one cache line. */
typedef struct {
    uint32_t flags;
    uint32_t base;
    uint32_t window;     /* in bytes, as its peer advertised it last */
    uint32_t max_window; /* the largest that it ever did */
    int64_t next;        /* first byte not delivered */
    int64_t acked;       /* first byte that the peer has not acknowledged */
    int64_t max_end;     /* behind the last byte seen */
    int64_t right;       /* behind the last byte that the peer ever allowed */
    uint64_t hot[NF_HOT_COUNTERS];
} nf_dir;

enum { NF_STATE_NEW, NF_STATE_SYN, NF_STATE_EST, NF_STATE_CLOSING, NF_STATE_CLOSED, NF_STATE_RESET };

/* A TCP connection of which more than a first SYN was seen. The first three cache lines are all that a segment in order
   touches; NF_CONN_HOT bytes. */
typedef struct {
    _Alignas(NF_ARENA_ALIGN) nf_dir dirs[2];
    nf_hold *holds; /* of both directions, or NULL */
    uint64_t *rare; /* counters that are seldom: 2 * NF_RARE_COUNTERS */
    nf_syn *resyn;  /* SYN in an established stream */
    int64_t ts_time[2];
    uint32_t ts_recent[2];
    uint16_t history_once[2];
    int8_t scale[2]; /* window scale of the SYN, -1: none */
    uint8_t state;
    bool est, lossy, async, gate;
    bool reset_by[2];
    uint8_t policy[2]; /* NETFEAT_OVERLAP_* */
    uint8_t history_n;
    nf_ends ends[2];
    uint32_t history_seq[2][4]; /* of the last s, h, f, r letter */
    char history[NF_HISTORY];
} nf_conn;
#define NF_CONN_HOT offsetof(nf_conn, ends)

enum { NF_ONCE_ACK = 1, NF_ONCE_DATA = 2 }; /* bits of nf_conn.history_once: letters a and d */

/* Lists of streams, the one that was idle longest first (nearly: see NF_LIST_GRAIN); all of a list have the same
   time-out. */
enum {
    NF_CLASS_HALF_OPEN,
    NF_CLASS_ASYNC,     /* one side, no answer seen, but data */
    NF_CLASS_ONE_SIDED, /* picked up in mid stream, one side seen */
    NF_CLASS_EST,
    NF_CLASS_CLOSED,
    NF_CLASS_RESET,
    NF_CLASS_UDP,
    NF_CLASSES
};

/* A stream. Until a second packet comes this is all there is of a TCP connection. The first cache line is all that a
   further segment of it touches. */
struct nf_stream {
    nf_stream_key key;
    uint8_t class_id;
    int8_t initiator : 2; /* 0, 1; -1 unknown */
    bool swapped : 1;     /* endpoint 0 is the key's second */
    bool midstream : 1, alive : 1, skip : 1;
    union {
        nf_conn *conn; /* TCP; NULL: the SYN is all that was seen */
        uint32_t udp_segs[2];
    };
    int64_t last;   /* segment */
    int64_t listed; /* when it was put at the end of its list */
    uint64_t id, first_packet;
    int64_t first_time;
    union {
        uint64_t udp_bytes[2];
        struct {
            uint32_t seq, tsval;
            uint16_t window;
            int8_t scale;
            bool has_tsval : 1, md5 : 1;
        } syn; /* while it is all that was seen */
    };
    uint32_t index; /* of this record */
    uint32_t prev,
        next; /* in the list of its class; NF_NONE at the ends. next also links free and spent ones */
    uint32_t older, newer; /* in the order of opening */
};

/* Records in one block; the first starts on a cache line. */
typedef struct {
    nf_stream *records;
    void *block;
} nf_record_chunk;

typedef struct {
    nf_stream *flow;
    const uint8_t *data;
    uint64_t size;
    uint64_t captured; /* DATAGRAM: bytes at data */
    int64_t offset, time;
    uint64_t packet;
    uint8_t type, dir, reason;
} nf_event;

typedef struct {
    int policy, deliver, urgent, checksum;
    bool midstream, strict, ack_strict, reset_gate, tcp, udp, fragments;
    int64_t depth; /* INT64_MAX: none */
    uint64_t max_buffered, max_segments, max_total, max_stream_bytes, async_bytes, recent_bytes;
    uint32_t max_streams, max_half_open;
    bool usual; /* the short way of usual.c may be taken */
    int64_t half_open_ns, half_open_pressure_ns, idle_ns, idle_pressure_ns, linger_ns, gap_timeout_ns,
        ack_grace_ns, udp_idle_ns;
} nf_stream_config;

typedef struct {
    uint32_t head, tail, count;
} nf_list;

typedef struct nf_stream_input nf_stream_input;

typedef struct {
    uint8_t address[16];
    uint8_t bits, policy;
} nf_prefix;

struct netfeat_streams {
    nf_ref refs;
    netfeat_ctx *ctx; /* counted reference */
    nf_stream_config config;
    /* streams: records in chunks that stay where they are, an index by key, lists by class */
    uint8_t secret[NF_SECRET_BYTES];
    nf_map map;
    nf_record_chunk *chunks;
    size_t n_chunks, chunks_cap;
    uint32_t free_flow;      /* list by next */
    uint32_t spent_flow;     /* ended; events still name them */
    uint32_t n_flows;        /* alive */
    uint32_t oldest, newest; /* by opening */
    uint64_t flow_bytes;     /* records, connections and what hangs on them */
    uint64_t packets_at_reseed;
    uint32_t seed; /* number of the secret */
    nf_list classes[NF_CLASSES];
    nf_list waiting[NF_WAITS]; /* dirs, the one that has waited longest first */
    nf_arena conns;
    nf_slab rares, holds;
    nf_pool pool;
    nf_syn *replay; /* a stream ended because this SYN started another one; then comes the SYN|ACK again */
    nf_syn *spent_syns; /* events may point into them */
    uint64_t ids;
    /* clock */
    int64_t now;
    int64_t quiet_until; /* nothing is due before */
    bool full, flooded;  /* seven eighths of the streams, of the half-open ones are in use */
    bool started;
    /* the packet being worked on */
    uint64_t packet;
    int64_t packet_time;
    int failure; /* first error while a packet was worked on; reported when its events are done */
    /* events */
    nf_event *events;
    size_t n_events, events_cap, at_event;
    size_t pledged; /* events set aside for the stream of the packet at work */
    bool current;   /* events[at_event] is the current one */
    bool busy;      /* inside the callback of run */
    /* the end */
    bool ending;
    nf_prefix *prefixes;
    size_t n_prefixes, prefixes_cap;
    nf_stream_input *input;
    uint64_t totals[NF_TOTALS];
};

/* ---- index.c ---- */
/* Who talks to whom in a segment. */
void nf_segment_key(const netfeat_streams *st, nf_segment *seg, int protocol, const uint8_t *src_ip,
                    const uint8_t *dst_ip, uint16_t src_port, uint16_t dst_port);
/* Its stream, or NULL; *ret_side is the endpoint that sent it. */
nf_stream *nf_stream_find(netfeat_streams *st, const nf_segment *seg, int *ret_side);
/* Room was made with nf_map_ready(). */
void nf_index_add(netfeat_streams *st, const nf_stream *flow);
void nf_index_remove(netfeat_streams *st, const nf_stream *flow);
/* Fetch ahead what finding its stream, and working on it, will touch; each after the one before. */
void nf_prefetch_slot(const netfeat_streams *st, const nf_segment *seg);
void nf_prefetch_record(const netfeat_streams *st, nf_segment *seg);
void nf_prefetch_conn(const nf_segment *seg);

/* ---- flow.c: the table ---- */
int nf_streams_open(netfeat_streams *st);
void nf_streams_close(netfeat_streams *st);
nf_stream *nf_stream_at(const netfeat_streams *st, uint32_t index);
/* A new stream, first packet seg: evicts where it must. NULL on failure (st->failure is set). */
nf_stream *nf_stream_add(netfeat_streams *st, const nf_segment *seg, int class_id);
/* Out of the table and the lists; the record lives until the events are gone. */
void nf_stream_remove(netfeat_streams *st, nf_stream *flow);
/* Seen now: to the end of the list of that class, unless it was put there shortly before. */
void nf_stream_touch(netfeat_streams *st, nf_stream *flow, int class_id);
int nf_stream_class(const nf_stream *flow);
/* The connection behind a half-open record; NULL on failure. */
nf_conn *nf_stream_promote(netfeat_streams *st, nf_stream *flow);
extern const nf_hold nf_holds_nothing;
/* To change what a direction holds; nf_reserve() made room. */
nf_hold *nf_hold_get(netfeat_streams *st, nf_conn *conn, int dir);
/* Give back the records that no event names any more. */
void nf_streams_collect(netfeat_streams *st);
/* Make room for one more stream of that class. */
int nf_streams_make_room(netfeat_streams *st, int class_id);
/* Evict one stream, never `keep`; false if there is none. */
bool nf_streams_evict(netfeat_streams *st, const nf_stream *keep);

/* ---- timer.c ---- */
/* What is due of all streams: at most 8 expiries. */
void nf_timers_expire(netfeat_streams *st);
/* Something will be due that long after `since`, unless it is touched. */
void nf_timers_note(netfeat_streams *st, int64_t since, int64_t time_out);
static inline void nf_timers_run(netfeat_streams *st)
{
    if (st->now >= st->quiet_until) {
        nf_timers_expire(st);
    }
}
/* What is due of this stream. */
void nf_timers_stream(netfeat_streams *st, nf_stream *flow);
/* The number of streams changed: are the short time-outs in force? */
void nf_timers_pressure(netfeat_streams *st);
int64_t nf_timeout_of(const netfeat_streams *st, int class_id);
/* Start to wait, unless it waits already; stop. */
void nf_wait_start(netfeat_streams *st, nf_stream *flow, int dir, int kind);
void nf_wait_end(netfeat_streams *st, nf_conn *conn, int dir, int kind);

/* ---- events.c ---- */
/* Room for the events and counters that working on this stream can need; NOMEM, LIMIT. flow may be NULL: a few. */
int nf_reserve(netfeat_streams *st, const nf_stream *flow);
/* The same for the stream of the packet at work, which brings so much payload: what is reserved for others until
   then comes on top. */
int nf_reserve_packet(netfeat_streams *st, const nf_stream *flow, uint32_t payload);
nf_event *nf_event_add(netfeat_streams *st, nf_stream *flow, int type, int dir, int64_t offset);
void nf_fail(netfeat_streams *st, int code);
void nf_count(netfeat_streams *st, nf_stream *flow, int dir, int which, uint64_t n);
uint64_t nf_counter(const nf_stream *flow, int dir, int which);

/* ---- deliver.c ---- */
void nf_pump_held(netfeat_streams *st, nf_stream *flow, int dir, bool force);
bool nf_gap(netfeat_streams *st, nf_stream *flow, int dir, int reason);
void nf_flush(netfeat_streams *st, nf_stream *flow, int dir, int reason);
/* Held bytes from offset on are of no use: give them up, with an event. */
void nf_drop_held(netfeat_streams *st, nf_stream *flow, int dir, int64_t offset);
void nf_truncate(netfeat_streams *st, nf_stream *flow, int dir);
/* Nothing more of this direction, from here on. */
void nf_skip_direction(netfeat_streams *st, nf_stream *flow, int dir);
/* In-order bytes on their way to the caller without a copy. */
void nf_deliver(netfeat_streams *st, nf_stream *flow, int dir, const uint8_t *data, size_t len);
bool nf_gated(const nf_stream *flow);

/* ---- data.c ---- */
void nf_data(netfeat_streams *st, nf_stream *flow, int dir, int64_t offset, const uint8_t *data, uint32_t len,
             uint32_t captured, int urgent);
void nf_fin(netfeat_streams *st, nf_stream *flow, int dir, int64_t offset);
/* stream.max_total_bytes */
void nf_enforce_total(netfeat_streams *st, nf_stream *flow, int dir);

/* ---- handshake.c ---- */
void nf_syn_step(netfeat_streams *st, nf_stream *flow, int side, const nf_segment *seg);
void nf_rst_step(netfeat_streams *st, nf_stream *flow, int side, const nf_segment *seg);
void nf_lock_isn(nf_conn *conn, int dir, uint32_t isn);
bool nf_is_candidate(const nf_conn *conn, int dir, uint32_t isn);
void nf_resolve_syn_data(netfeat_streams *st, nf_stream *flow, int dir, uint64_t taken);
void nf_drop_syn_data(netfeat_streams *st, nf_stream *flow, int dir);
void nf_syn_free(netfeat_streams *st, nf_syn **syn);
void nf_syns_collect(netfeat_streams *st);
/* The SYN to replay before its answer, as a segment. */
nf_segment nf_replayed_syn(const nf_syn *syn, const nf_segment *answer);

/* ---- segment.c: the steps of a TCP segment ---- */
void nf_tcp_segment(netfeat_streams *st, const nf_segment *seg);
void nf_acked(netfeat_streams *st, nf_stream *flow, int dir, int64_t offset);
/* End a stream: flush, report, remove. reason NETFEAT_END_CAPTURE becomes FIN or RESET for a closed one. */
void nf_stream_end(netfeat_streams *st, nf_stream *flow, int reason);

/* ---- usual.c: the short way ---- */
/* Work on a segment of that stream; false: it is not usual, and nothing was done. */
bool nf_usual_segment(netfeat_streams *st, nf_stream *flow, int side, const nf_segment *seg);

/* ---- udp.c ---- */
void nf_udp_datagram(netfeat_streams *st, const nf_segment *seg);

/* ---- record.c: state and history of a connection ---- */
const char *nf_conn_state(const nf_stream *flow);
void nf_history_segment(nf_stream *flow, int side, const nf_segment *seg);
void nf_history_count(nf_stream *flow, int side, char letter, uint64_t count);

/* ---- feed.c ---- */
int nf_feed_open(netfeat_streams *st, const netfeat_options *opts);
void nf_feed_close(netfeat_streams *st);
/* Work on the next packet: 1 = did one, 0 = none now, <0 error. The events of the one before are gone. */
int nf_feed_step(netfeat_streams *st);
bool nf_feed_pending(const netfeat_streams *st);

/* Time since then; never more than the type holds, though a hostile capture may jump over all of it. */
static inline int64_t nf_elapsed(int64_t now, int64_t since)
{
    int64_t elapsed;

    return __builtin_sub_overflow(now, since, &elapsed) ? INT64_MAX : elapsed;
}

/* Offset of a sequence number in a direction whose base is known. */
static inline int64_t nf_offset(const nf_dir *d, uint32_t seq)
{
    return d->next + (int32_t)(seq - (d->base + (uint32_t)(uint64_t)d->next));
}

static inline nf_conn *nf_conn_of(const nf_stream *flow)
{
    return flow->key.protocol == NF_PROTOCOL_TCP ? flow->conn : NULL;
}

static inline bool nf_has(const nf_dir *d, uint32_t flag)
{
    return (d->flags & flag) != 0;
}

static inline void nf_wait_stop(netfeat_streams *st, nf_conn *conn, int dir, int kind)
{
    if (nf_has(&conn->dirs[dir], (uint32_t)NF_DIR_WAITS << kind)) {
        nf_wait_end(st, conn, dir, kind);
    }
}

/* What a direction holds, to look at; the way to change it is nf_hold_get(). */
static inline const nf_hold *nf_hold_of(const nf_conn *conn, int dir)
{
    return conn->holds != NULL ? &conn->holds[dir] : &nf_holds_nothing;
}

/* Behind the last byte that the caller wants. */
static inline int64_t nf_depth(const netfeat_streams *st, const nf_dir *d)
{
    return nf_has(d, NF_DIR_SKIPPED) ? d->next : st->config.depth;
}

/* The peer of `side`, whose segment acknowledges its bytes up to `acked`, may send so much. */
static inline void nf_window_update(nf_stream *flow, int side, int64_t acked, uint16_t advertised)
{
    const int8_t *scales = flow->conn->scale;
    nf_dir *y = &flow->conn->dirs[!side];
    int scale = 0;
    uint32_t window;

    if (flow->midstream) {
        scale = NF_MAX_SCALE;
    } else if (scales[0] >= 0 && scales[1] >= 0) {
        scale = scales[side] < NF_MAX_SCALE ? scales[side] : NF_MAX_SCALE;
    }
    window = (uint32_t)advertised << scale;
    if (!nf_has(y, NF_DIR_RIGHT) || acked + window > y->right) {
        y->right = acked + window;
        y->flags |= NF_DIR_RIGHT;
    }
    y->max_window = window > y->max_window ? window : y->max_window;
    if (acked >= y->acked) {
        y->window = window;
        y->flags |= NF_DIR_WINDOW;
    }
}

/* Deliver what can be delivered, declare what is due, watch what is missing, see whether the end is reached. force:
   whatever holds it back. */
static inline void nf_pump(netfeat_streams *st, nf_stream *flow, int dir, bool force)
{
    const nf_conn *conn = flow->conn;
    const nf_dir *d = &conn->dirs[dir];

    if (nf_hold_of(conn, dir)->store.first != NULL || d->acked > d->next ||
        nf_has(d, NF_DIR_WAITS << NF_WAIT_HOLE | NF_DIR_WAITS << NF_WAIT_ACK | NF_DIR_FIN | NF_DIR_CUT)) {
        nf_pump_held(st, flow, dir, force);
    }
}

#endif
