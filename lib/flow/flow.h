/* flow.h - inside of a table of flows. A flow is one entry of a dense array: a head, the key, then the state of
   the groups that the chosen columns need, each at an offset fixed when the table is made. What belongs to a
   direction is kept by side: side 0 is the end of the key that compares lower, whoever opened the
   conversation, so that late evidence about the direction changes one bit and no state. */
#ifndef NF_FLOW_FLOW_H
#define NF_FLOW_FLOW_H

#include <stdbool.h>

#include <netfeat/field.h>
#include <netfeat/flow.h>

#include "base/map.h"
#include "base/ref.h"
#include "flow/key.h"
#include "table/table.h"

#define NF_FLOW_BATCH 64
#define NF_NEVER      INT64_MAX /* a time-out that does not exist */

enum { /* groups of state, in the order in which they lie in an entry */
       NF_G_COUNTS,
       NF_G_ORIGIN,
       NF_G_LIFE,
       NF_G_LAYERS,
       NF_G_SIZES,
       NF_G_SIZES_ALL,
       NF_G_GAPS,
       NF_G_GAPS_ALL,
       NF_G_SPANS,
       NF_G_FLAGS,
       NF_G_TTL,
       NF_G_FRAGMENTS,
       NF_G_HEADERS,
       NF_G_LINK,
       NF_G_HISTORY, /* before TCP, whose state it compares the packet with */
       NF_G_TCP,
       NF_G_PERIODS,
       NF_G_SUBFLOWS,
       NF_G_BULK,
       NF_G_CIC,
       NF_G_REPEATS,
       NF_G_CONTENT,
       NF_G_FIRST, /* the last one: only its head is cleared for a new flow */
       NF_GROUPS
};
#define NF_G(suffix) (UINT32_C(1) << NF_G_##suffix)

/* One row of a packet table, as the flows see it. Fields whose input column was not asked for are 0. */
typedef struct {
    nf_flow_key key; /* canonical */
    uint64_t hash;
    uint64_t position;
    int64_t time; /* by the clock of the profile */
    uint64_t length;
    const uint8_t *payload;
    const uint8_t *mac[2]; /* source, destination; NULL without */
    uint32_t payload_captured;
    uint32_t frame_length, ip_length, l4_length, payload_length;
    uint32_t seq, ack;
    uint32_t ip_id, fragment_offset, quality;
    uint16_t tcp_flags, window;
    uint16_t icmp_id;
    uint8_t tcp_header_length, ttl, ip_flags, icmp_type, icmp_code;
    uint32_t likely; /* entry that it most likely belongs to, or NF_MAP_NONE; only for fetching ahead */
    uint8_t side;    /* of the key: where the sender is */
    uint8_t book;    /* the side it is counted for: the same but for quirks of profiles */
    bool left_out;   /* belongs to no flow */
    bool timed, tcp, icmp, has_ttl;
    bool fragment; /* not the first one */
    bool fresh;    /* the first packet of its flow */
} nf_flow_packet;

typedef struct {
    int64_t first_time, last_time; /* lowest and highest; valid with NF_FLOW_TIMED */
    uint64_t first_position, last_position;
    uint32_t tag; /* upper half of the key's hash */
    uint8_t flags;
    uint8_t reason; /* NETFEAT_FLOW_END_*; 0 while open */
    uint8_t evidence;
    uint8_t reserved;
} nf_flow;

enum {
    NF_FLOW_TIMED = 1,
    NF_FLOW_SOURCE = 2 /* the side that is the source */,
    NF_FLOW_CONTINUED = 4,
    NF_FLOW_ARRIVAL = 8
};

typedef struct nf_flow_profile nf_flow_profile;
typedef struct nf_flow_column nf_flow_column;
typedef struct nf_fragments nf_fragments;

/* Set when the table is made, never changed. */
typedef struct {
    const nf_flow_profile *profile;
    uint32_t groups;   /* set of NF_G() */
    uint32_t inputs;   /* set of NF_IN(): columns a packet table must have */
    uint32_t optional; /* used when they are there */
    size_t sides;      /* 2, or 1 for one-way flows */
    size_t key_bytes;
    size_t offset[NF_GROUPS];
    size_t clear_bytes; /* of a new entry */
    size_t stride;
    bool close; /* FIN, RST and SYN end flows */
    bool key_vlan, key_tunnel, key_link;
    bool by_key; /* order of the rows */
    int64_t idle_tcp, idle_other, active, linger;
    int64_t activity, subflow;
    uint32_t first_packets;
    uint32_t max_open;
    uint32_t max_fragments;
    uint32_t groups_used;   /* length of update_order */
    uint32_t groups_always; /* those behind these take note of nothing but the first packet */
    uint8_t update_order[NF_GROUPS];
    char *length_column; /* owned */
    const nf_flow_column **columns;
    int width;
} nf_flow_config;

typedef struct {
    uint32_t prev, next;
} nf_flow_link;

struct netfeat_flows {
    nf_ref refs;
    netfeat_ctx *ctx; /* counted reference */
    nf_flow_config config;
    const void *secret;  /* of the context */
    uint8_t *entries;    /* cap * stride bytes */
    nf_flow_link *links; /* open: by last packet; ended: in order of ending; free: chained by next */
    size_t cap, links_cap;
    uint32_t used; /* entries that were ever in use */
    uint32_t free;
    uint32_t open_first, open_last;
    uint32_t ended_first, ended_last;
    nf_map map;              /* open flows by key */
    nf_fragments *fragments; /* NULL: not tracked */
    int64_t clock;           /* highest time seen; INT64_MIN before */
    uint64_t position;       /* of the last row */
    uint64_t count[NETFEAT_FLOWS_EVICTED + 1];
    bool ended;      /* netfeat_flows_end() was called */
    bool no_merging; /* flows were taken, evicted or expired: rows are missing */
    bool icmp;       /* a packet of the batch has a type of ICMP */
    bool pieces;     /* or is, or may be, part of a datagram in pieces */
    nf_flow_packet batch[NF_FLOW_BATCH];
};

static inline nf_flow *nf_flow_at(const netfeat_flows *fl, uint32_t index)
{
    return (nf_flow *)(void *)(fl->entries + (size_t)index * fl->config.stride);
}

/* key_bytes of it are there. */
static inline const nf_flow_key *nf_flow_key_of(const nf_flow *f)
{
    return (const nf_flow_key *)(const void *)(f + 1);
}

/* A size that the compiler knows makes all the difference here. */
static inline bool nf_flow_has_key(const nf_flow_config *config, const nf_flow *f, const nf_flow_key *key)
{
    return nf_key_equal(nf_flow_key_of(f), key, NF_KEY_BYTES_SHORT) &&
           (config->key_bytes == NF_KEY_BYTES_SHORT ||
            memcmp(nf_flow_key_of(f), key, config->key_bytes) == 0);
}

/* State of a group that the table has. */
static inline void *nf_flow_state(const nf_flow_config *config, nf_flow *f, int group)
{
    return (uint8_t *)f + config->offset[group];
}

static inline const void *nf_flow_read(const nf_flow_config *config, const nf_flow *f, int group)
{
    return (const uint8_t *)f + config->offset[group];
}

static inline bool nf_flow_has(const nf_flow_config *config, int group)
{
    return (config->groups >> group & 1) != 0;
}

static inline uint8_t nf_flow_source(const nf_flow *f)
{
    return (f->flags & NF_FLOW_SOURCE) != 0;
}

/* config.c: ret is zero-initialised; free it also on failure. profile NULL: it
   and the columns are as the options say. */
int nf_flow_configure(netfeat_ctx *ctx, const netfeat_options *opts, const nf_flow_profile *profile,
                      nf_flow_config *ret);
int nf_flow_config_copy(netfeat_ctx *ctx, const nf_flow_config *from, nf_flow_config *ret);
void nf_flow_config_free(netfeat_ctx *ctx, nf_flow_config *config);

/* slots.c: entries, the index and the order of the open ones */
void nf_flow_slots_free(netfeat_flows *fl);
/* Make sure that one more flow can be opened. */
int nf_flow_slots_ready(netfeat_flows *fl);
/* Entry of an open flow with this key, or NF_MAP_NONE. */
uint32_t nf_flow_find(const netfeat_flows *fl, const nf_flow_key *key, uint64_t hash);
/* A cleared entry for the key, indexed and last in order. Room was made ready. */
uint32_t nf_flow_slot_new(netfeat_flows *fl, const nf_flow_key *key, uint64_t hash);
/* The flow had a packet. */
void nf_flow_slot_touch(netfeat_flows *fl, uint32_t index);
/* From the open flows to those that wait. */
void nf_flow_slot_end(netfeat_flows *fl, uint32_t index);
/* The same for all open flows, in their order. */
void nf_flow_slots_end_all(netfeat_flows *fl);
/* All that wait are free again. */
void nf_flow_slots_recycle(netfeat_flows *fl);

/* engine.c */
void nf_flow_end(netfeat_flows *fl, uint32_t index, int reason);
/* NULL with the error set. */
netfeat_flows *nf_flows_alloc(netfeat_ctx *ctx, const netfeat_options *opts);
/* Empty table with the same configuration. */
netfeat_flows *nf_flows_alloc_like(const netfeat_flows *other);
/* The flows that wait (and, with open, the others), ascending by position of their first packet:
   *ret_n of them in a block of *ret_n + 1 elements; free it with nf_free(). */
int nf_flow_list(const netfeat_flows *fl, bool open, const nf_flow ***ret, size_t *ret_n);

/* state.c */
/* Setting in which two configurations differ so that their flows have nothing in common; NULL if none. */
const char *nf_flow_config_difference(const nf_flow_config *a, const nf_flow_config *b);
/* Bytes of an entry that mean something. */
size_t nf_flow_bytes_used(const nf_flow_config *config, const nf_flow *f);
/* Hash of a key whose unused parts are 0. */
uint64_t nf_flow_key_hash(const netfeat_flows *fl, const nf_flow_key *key);
/* Copy of a flow, open; its key has no open flow yet. */
int nf_flow_insert(netfeat_flows *fl, const nf_flow *from, uint32_t *ret);
/* Order the open flows by their last packets. */
int nf_flow_relink(netfeat_flows *fl);

#endif
