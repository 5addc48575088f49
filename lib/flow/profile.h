/* profile.h - a set of rules (what is a flow, when does it end) and the columns offered with it. */
#ifndef NF_FLOW_PROFILE_H
#define NF_FLOW_PROFILE_H

#include "flow/flow.h"

enum {                      /* keys */
       NF_KEYS_TYPED = 1,   /* ports, ICMP by type, fragments to their flow */
       NF_KEYS_PLAIN = 2,   /* TCP and UDP ports; everything else between two hosts is one flow */
       NF_KEYS_UNTYPED = 3, /* as PLAIN, with protocol 0 for everything else */
       NF_KEYS_COMPLETE = 4 /* only rows where the five keys are present */
};
enum {                         /* who is the source */
       NF_SOURCE_EVIDENCE = 1, /* SYN before SYN-ACK before first packet, whenever they come */
       NF_SOURCE_FIRST = 2,    /* sender of the first packet */
       NF_SOURCE_SYN_ACK = 3   /* the same, or its receiver if it is a SYN-ACK */
};
enum { /* when a TCP connection is over */
       NF_CLOSE_NEVER = 0,
       NF_CLOSE_LINGER = 1,   /* RST, or both FIN acknowledged, then flow.linger_ns; or another SYN */
       NF_CLOSE_NEXT_SYN = 2, /* RST, or both FIN and an ACK after them, at the next SYN */
       NF_CLOSE_FIRST_FIN = 3 /* any FIN, at the next packet */
};

struct nf_flow_profile {
    const char *name;
    const nf_flow_column *columns; /* ended by one without a name */
    const char *length_column;     /* NULL: flow.length_column */
    uint32_t inputs;               /* NF_IN() that the rules need, whatever the columns */
    uint32_t groups;               /* NF_G() likewise */
    int64_t clock_unit;            /* ns; times are cut to it */
    int64_t idle_tcp, idle_other, active;
    uint64_t least_packets; /* flows with fewer are dropped when taken */
    uint8_t keys, source, close;
    bool by_options; /* flow.bidirectional, flow.end_on_fin_rst and flow.linger_ns apply */
    bool one_way;
    bool by_key;           /* usual order of the rows */
    bool forced_order;     /* a packet with an earlier time gets the latest one */
    bool active_strict;    /* cut above, not at, the active time-out */
    bool keep_source;      /* what goes on after the active time-out keeps its direction */
    bool keep_unless_idle; /* but UDP that was silent for longer than that */
    /* Change what counts of a packet, or refuse it (false); NULL: nothing to do. */
    bool (*adapt)(const netfeat_flows *fl, nf_flow_packet *p);
    /* Side that a packet is counted for; NULL: that of its sender. */
    uint8_t (*book)(const netfeat_flows *fl, const nf_flow *f, const nf_flow_packet *p);
};

/* Profiles by index, NULL past the last; by name, NULL if there is none. */
const nf_flow_profile *nf_flow_profile_at(int index);
const nf_flow_profile *nf_flow_profile_by_name(const char *name);

extern const nf_flow_profile nf_profile_flows, nf_profile_notebook, nf_profile_nfstream, nf_profile_cic,
    nf_profile_cic2018, nf_profile_zeek;

/* ---- columns ---- */

/* What a getter sees. */
typedef struct {
    const nf_flow_config *config;
    const nf_flow *flow;
    const nf_flow_key *key;
    uint8_t forward;  /* side of the source */
    uint32_t element; /* lists: which element */
    char text[160];   /* room for a TEXT value */
} nf_flow_view;

typedef struct {
    union {
        uint64_t u;
        int64_t i;
        double f;
        const void *bytes;
    };
    size_t size; /* of bytes */
} nf_flow_value;

/* The member of *ret that the column's type asks for; false: NULL. Lists: the value of view->element. */
typedef bool (*nf_flow_getter)(nf_flow_view *view, int argument, nf_flow_value *ret);
/* Number of elements of a list. */
typedef uint32_t (*nf_flow_counter)(const nf_flow_view *view);

enum {                    /* flags of a column */
       NF_COL_USUAL = 1,  /* taken when no column is chosen */
       NF_COL_TWO_WAY = 2 /* needs both directions */
};

struct nf_flow_column {
    const char *name;
    int type; /* of a list: that of its elements */
    const char *unit;
    uint32_t groups;
    uint8_t flags;
    nf_flow_getter get;
    int argument;
    nf_flow_counter count; /* lists only */
    const char *null_rule, *help, *definition;
};

/* Argument of most getters: a direction and a statistic. */
enum { NF_BOTH = 0, NF_FORWARD = 1, NF_BACKWARD = 2, NF_DIRECTION = 3 };
enum {
    NF_MIN = 0,
    NF_MAX = 4,
    NF_MEAN = 8,
    NF_STD = 12,
    NF_SUM = 16,
    NF_COUNT = 20,
    NF_VARIANCE = 24,
    NF_STATISTIC = 28
};

#endif
