/* flow.h - packets grouped into flows, one way or both ways, with time-outs on the packet clock. A table of
   flows takes sealed packet tables, in the order of capture, and gives sealed tables of flows back. Which
   columns those have is chosen by flow.profile and flow.columns; state is kept only for the columns chosen.
   Results never depend on how the input was cut into tables, nor on the secret of the hash. */
#ifndef NETFEAT_FLOW_H
#define NETFEAT_FLOW_H

#include <netfeat/base.h>

NETFEAT_BEGIN_DECLS

typedef struct netfeat_flows netfeat_flows; /* a table of flows; one thread at a time */

enum {                              /* why a flow ended: column end_reason */
       NETFEAT_FLOW_END_INPUT = 1,  /* the input ended */
       NETFEAT_FLOW_END_IDLE = 2,   /* no packet for flow.idle_ns */
       NETFEAT_FLOW_END_ACTIVE = 3, /* older than flow.active_ns; the next flow of its key has it as parent */
       NETFEAT_FLOW_END_FIN = 4,    /* both sides sent FIN and had it acknowledged */
       NETFEAT_FLOW_END_RST = 5,    /* one side sent RST */
       NETFEAT_FLOW_END_REUSE = 6,  /* a SYN with another sequence number opened a new connection */
       NETFEAT_FLOW_END_EVICTED = 7 /* longest without a packet when the table was full */
};

enum {                                   /* what says who is the source: column direction_evidence */
       NETFEAT_FLOW_BY_FIRST_PACKET = 1, /* the sender of the first packet */
       NETFEAT_FLOW_BY_SYN_ACK = 2,      /* the receiver of a SYN-ACK */
       NETFEAT_FLOW_BY_SYN = 3           /* the sender of a SYN */
};

enum {                                       /* counters of a table of flows */
       NETFEAT_FLOWS_PACKETS = 1,            /* rows fed; = in flows + left out */
       NETFEAT_FLOWS_ACCOUNTED = 2,          /* of them: counted in a flow */
       NETFEAT_FLOWS_LEFT_OUT = 3,           /* of them: no IP header, or refused by the profile */
       NETFEAT_FLOWS_FRAGMENTS_ASSIGNED = 4, /* non-first fragments counted to the flow of their first one */
       NETFEAT_FLOWS_FRAGMENTS_ALONE = 5,    /* non-first fragments whose first one is not known */
       NETFEAT_FLOWS_OPEN = 6,               /* flows open now */
       NETFEAT_FLOWS_WAITING = 7,            /* flows that ended and were not taken yet */
       NETFEAT_FLOWS_ENDED = 8,              /* flows that ended so far */
       NETFEAT_FLOWS_EVICTED = 9             /* of them: evicted */
};

/* Empty table of flows, set up by the flow.* options (NULL: all defaults). NOTFOUND (no such profile or
   column), ARGUMENT (a column twice, or one that needs both directions in a one-way table), NOMEM. */
NETFEAT_API int netfeat_flows_new(netfeat_ctx *ctx, const netfeat_options *opts,
                                  netfeat_flows **ret) NETFEAT_MUST_CHECK;
/* Account for every row of a sealed packet table. *ret_flow_ids (the pointer may be NULL) gets a U64 column
   with the flow_id of each row, NULL where the row belongs to no flow. A flow's id is the position of its
   first packet: file_index * 2^40 + packet_number, or the number of the row, counted from 1 over all feeds, in
   tables without the column packet_number. NOTFOUND (a column that the chosen flow columns need is missing:
   the message names it), TYPE (it has another type), RANGE (positions do not rise, or a length is negative),
   STATE (not sealed; or after netfeat_flows_end), LIMIT, NOMEM, CANCELLED. After a failure the table of flows
   holds the rows before it, as NETFEAT_FLOWS_PACKETS says. */
NETFEAT_API int netfeat_flows_feed(netfeat_flows *flows, const netfeat_table *packets,
                                   netfeat_column **ret_flow_ids);
/* Packet columns that netfeat_flows_feed() uses, from index 0 on, so that a packet table with no others can be
   made; NULL past the last, or if flows is NULL. Borrowed from flows. */
NETFEAT_API const char *netfeat_flows_input_name(const netfeat_flows *flows, int index);
/* End every flow whose time-out has passed at now_ns: for live sources without traffic. How many ended;
   ARGUMENT. */
NETFEAT_API int64_t netfeat_flows_expire(netfeat_flows *flows, int64_t now_ns);
/* End all flows: the capture is over. Nothing can be fed afterwards; calling it twice is harmless. */
NETFEAT_API int netfeat_flows_end(netfeat_flows *flows);
/* Sealed table of the flows that ended since the last take, in the order of flow.order: 1 got some, 0 there
   are none (*ret untouched), NOMEM, LIMIT. After a failure they still wait. Ended flows keep their memory
   until they are taken: flow.max_bytes bounds the open ones. */
NETFEAT_API int netfeat_flows_take(netfeat_flows *flows, netfeat_table **ret);
/* As netfeat_flows_take, but a table without rows when there are none; 0 or an error. */
NETFEAT_API int netfeat_flows_take_all(netfeat_flows *flows, netfeat_table **ret) NETFEAT_MUST_CHECK;
/* A NETFEAT_FLOWS_* counter; NOTFOUND, ARGUMENT. */
NETFEAT_API int64_t netfeat_flows_count(const netfeat_flows *flows, int which);
/* "packets" for NETFEAT_FLOWS_PACKETS and so on; NULL past the last. Static string. */
NETFEAT_API const char *netfeat_flows_count_name(int which);

/* The state as a sealed table with the columns flow_id (U64) and state (BYTES): row 0 describes the layout and
   the settings, each further row is one flow, open ones and those that wait, in the order of their ids. */
NETFEAT_API int netfeat_flows_to_table(const netfeat_flows *flows, netfeat_table **ret) NETFEAT_MUST_CHECK;
/* Table of flows in the state that was saved; feeding it goes on as if it had never been saved. Every byte is
   checked: a state from a stranger may be wrong, not harmful. opts must be those of the saved one: STATE
   (the message names the difference), FORMAT (not such a table; or of a machine of other byte order, or a version of
   the library with other state), NOTFOUND, TYPE, NOMEM. */
NETFEAT_API int netfeat_flows_from_table(netfeat_ctx *ctx, const netfeat_options *opts,
                                         const netfeat_table *state, netfeat_flows **ret) NETFEAT_MUST_CHECK;
/* Add the flows of other, which is unchanged, to flows: the exact result of one pass over both inputs. The
   inputs are shards of one capture: by key (every packet of a key in one shard; merge in any order), or
   neighbours in time or files of a rotation (merge neighbours, in any order). Positions say which came first.
   Flows that netfeat_flows_end() ended in a shard go on in the next. Several threads make the flows of one
   capture so: each counts a shard by key in a context of its own, then one merges their states.
   UNSUPPORTED when the result could not be exact; the message names the flow and the reason: packets of a key
   interleave, a time-out or the end of a connection falls into the later shard, fragments cross the cut or may
   have displaced those of the other shard (flow.max_fragments), acknowledgements jump by a quarter of their
   numbers, a flow goes over a cut in time and a chosen column cannot (in the profile "flows" those about sequence
   numbers, handshake, state and history of TCP, active and idle periods, and bulks; the profiles "cic", "cic2018"
   and, for TCP, "zeek"), or shards by key of the profile "nfstream", where packets of all flows share one clock.
   STATE: other settings, or flows were taken, evicted or expired. After a failure flows is unchanged. NOMEM,
   ARGUMENT (the same table twice). */
NETFEAT_API int netfeat_flows_merge(netfeat_flows *flows, const netfeat_flows *other);

/* One-way flows of a sealed packet table, in one go: what a table of flows with the profile "notebook" gives
   after feed, end and take, in about half of the time. Uses flow.length_column, flow.order and flow.threads: so many
   threads work on it until it returns (the allocator of ctx is then called from them, by one at a time; progress is
   told by the caller's), and the result is the same for any number. NOTFOUND, TYPE, RANGE, STATE, LIMIT (2^32 - 2
   rows or more), NOMEM, CANCELLED. */
NETFEAT_API int netfeat_flows_one_way(netfeat_ctx *ctx, const netfeat_table *packets,
                                      const netfeat_options *opts, netfeat_table **ret) NETFEAT_MUST_CHECK;

NETFEAT_API netfeat_flows *netfeat_flows_ref(netfeat_flows *flows);
NETFEAT_API netfeat_flows *netfeat_flows_unref(netfeat_flows *flows);

/* "idle" for NETFEAT_FLOW_END_IDLE and so on; NULL if unknown. Static string. */
NETFEAT_API const char *netfeat_flow_end_name(int end_reason);
/* "syn" for NETFEAT_FLOW_BY_SYN and so on; NULL if unknown. Static string. */
NETFEAT_API const char *netfeat_flow_evidence_name(int direction_evidence);
/* Catalogue. Names of the profiles: index 0 is the default one; NULL past the last. Static string. */
NETFEAT_API const char *netfeat_flow_profile_name(int index);
/* Columns that a profile offers, from index 0 on; the name is NULL, the others NULL or NOTFOUND, past the last
   or for an unknown profile. Static strings. */
NETFEAT_API const char *netfeat_flow_column_name(const char *profile, int index);
NETFEAT_API int netfeat_flow_column_type(const char *profile, int index);
NETFEAT_API const char *netfeat_flow_column_unit(const char *profile, int index);
NETFEAT_API const char *netfeat_flow_column_null_rule(const char *profile, int index);
NETFEAT_API const char *netfeat_flow_column_help(const char *profile, int index);

NETFEAT_END_DECLS

#endif
