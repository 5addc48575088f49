/* stream.h - TCP payload put back in order, UDP conversations and IP datagrams put together, within fixed
   memory. Input comes from a source, from a table with payload, or packet by packet; events are pulled (step)
   or pushed (run).

   A stream has two directions: 0 carries the bytes of the endpoint that sent the stream's first packet, 1
   those of the other one. Offsets count payload bytes from the one behind the SYN (RFC 9293), or from the
   first one seen when the capture starts in mid stream; they are 64 bits wide and do not wrap. Per direction,
   DATA, URGENT and GAP tile [0, end) in order and without overlap; EOF comes at most once and after them;
   CLOSE comes exactly once per stream, last. All time-outs run on the clock of the packets. */
#ifndef NETFEAT_STREAM_H
#define NETFEAT_STREAM_H

#include <netfeat/base.h>

NETFEAT_BEGIN_DECLS

enum {                             /* events */
       NETFEAT_STREAM_OPEN = 1,    /* a new stream */
       NETFEAT_STREAM_DATA = 2,    /* the next bytes of a direction */
       NETFEAT_STREAM_GAP = 3,     /* size bytes are missing and will not come; reason says why */
       NETFEAT_STREAM_CLOSE = 4,   /* the stream is over; reason says why, its counters are complete */
       NETFEAT_STREAM_DROPPED = 5, /* size bytes held out of order are discarded (behind an RST or a FIN) */
       NETFEAT_STREAM_URGENT = 6,  /* one byte of urgent data, taken out of the line (RFC 6093) */
       NETFEAT_STREAM_EOF = 7,     /* the FIN was reached: the direction ends at offset */
       NETFEAT_STREAM_RESET = 8,   /* the endpoint of this direction reset the stream */
       NETFEAT_STREAM_RESET_IGNORED = 9, /* its peer went on: the RST was not obeyed */
       NETFEAT_STREAM_CONFLICT = 10,  /* size bytes from offset on came twice with different content; neither
                                        copy had been delivered, or stream.recent_bytes kept the first */
       NETFEAT_STREAM_TRUNCATED = 11, /* stream.depth_bytes reached: nothing of this direction follows */
       NETFEAT_STREAM_DATAGRAM = 12   /* UDP: one whole datagram's payload */
};

enum {                          /* why a gap was declared */
       NETFEAT_GAP_ACK = 1,     /* the peer acknowledged the missing bytes, stream.ack_grace_ns is over */
       NETFEAT_GAP_TIMEOUT = 2, /* stream.gap_timeout_ns is over */
       NETFEAT_GAP_LIMIT = 3,   /* stream.max_buffered_bytes or stream.max_segments */
       NETFEAT_GAP_MEMORY = 4,  /* stream.max_total_bytes, and this hole was the oldest */
       NETFEAT_GAP_RESET = 5,   /* the stream was reset */
       NETFEAT_GAP_END = 6      /* the stream ended */
};

enum {                          /* why a stream ended */
       NETFEAT_END_FIN = 1,     /* both directions ended */
       NETFEAT_END_RESET = 2,   /* an RST was accepted */
       NETFEAT_END_TIMEOUT = 3, /* idle for too long */
       NETFEAT_END_REUSED = 4,  /* a new stream between the same endpoints took its place */
       NETFEAT_END_EVICTED = 5, /* room was needed: see the limits on streams */
       NETFEAT_END_CAPTURE = 6  /* the input ended first */
};

enum { /* values of stream.policy: who owns bytes that two stored segments claim */
       NETFEAT_OVERLAP_FIRST = 1,
       NETFEAT_OVERLAP_LAST = 2,
       NETFEAT_OVERLAP_BSD = 3,
       NETFEAT_OVERLAP_LINUX = 4,
       NETFEAT_OVERLAP_OLD_LINUX = 5,
       NETFEAT_OVERLAP_SOLARIS = 6,
       NETFEAT_OVERLAP_WINDOWS = 7
};

/* values of the other numbered options */
enum { NETFEAT_DELIVER_CONTIGUOUS = 1, NETFEAT_DELIVER_ON_ACK = 2 };
enum { NETFEAT_URGENT_OUT_OF_BAND = 1, NETFEAT_URGENT_INLINE = 2 };
enum { NETFEAT_CHECKSUM_OFF = 0, NETFEAT_CHECKSUM_ON = 1, NETFEAT_CHECKSUM_AUTO = 2 };
enum {
    NETFEAT_FRAGMENT_DROP = 0,
    NETFEAT_FRAGMENT_FIRST = 1,
    NETFEAT_FRAGMENT_LAST = 2,
    NETFEAT_FRAGMENT_BSD = 3
};

typedef struct netfeat_streams netfeat_streams; /* one thread at a time */

/* Nonzero stops netfeat_streams_run() with NETFEAT_ERR_CANCELLED. data is valid during the call only. From
   here st may be asked about the current event, and netfeat_streams_skip() may be called; everything else on
   it is STATE. */
typedef int (*netfeat_stream_fn)(void *user, netfeat_streams *st, int event);

/* Empty reassembler. Options stream.* bound memory per direction and in total. opts may be NULL. NOMEM. */
NETFEAT_API int netfeat_streams_new(netfeat_ctx *ctx, const netfeat_options *opts,
                                    netfeat_streams **ret) NETFEAT_MUST_CHECK;
/* Segments to this address (16 bytes as in the packet table), and to all that share its first prefix_bits
   (0 .. 128), are put together by this policy instead of stream.policy; the longest prefix wins. Only streams
   that open later are concerned. RANGE, LIMIT (1,024 prefixes), NOMEM. */
NETFEAT_API int netfeat_streams_set_policy(netfeat_streams *st, const void *address, int prefix_bits,
                                           int policy);
/* Next input: a sealed table with payload (table.keep_payload) and the columns that TCP needs; held until it
   is used up. NOTFOUND (a column is missing), TYPE, STATE (earlier input is not used up, or after the end).
   IP fragments have no payload in a table: they count as fragments_skipped. Checksums are as the table's
   column quality says. */
NETFEAT_API int netfeat_streams_feed_table(netfeat_streams *st, netfeat_table *packets);
/* Next input: a source, read as needed; held until its end. A source that says "none now" may go on later:
   step asks it again. STATE, ARGUMENT. */
NETFEAT_API int netfeat_streams_feed_source(netfeat_streams *st, netfeat_source *src);
/* Next input: one packet. The bytes are not copied: they must stay where they are until step has returned 0.
   link_type is a LINKTYPE_ number, time_ns since 1970 UTC. RANGE, STATE, ARGUMENT. */
NETFEAT_API int netfeat_streams_feed_packet(netfeat_streams *st, int link_type, int64_t time_ns,
                                            uint32_t wire_length, const void *data, uint32_t captured_length);
/* No more input: once what was fed is used up, step closes the streams in the order in which they opened. */
NETFEAT_API int netfeat_streams_end(netfeat_streams *st);
/* Advance to the next event: 1 = there is one, 0 = needs input (or finished), <0 error. After NOMEM or LIMIT
   the payload of the packet named in the error counts as lost, as if it had not been captured; everything
   else goes on, and step may be called again. Errors of a source come as the source gives them, once: it is used
   up then (not after CANCELLED), and the end may be announced for what came before. */
NETFEAT_API int netfeat_streams_step(netfeat_streams *st);
/* step in a loop, with a call of fn for each event; returns like step: 0, or <0. fn may be NULL (counting).
 */
NETFEAT_API int netfeat_streams_run(netfeat_streams *st, netfeat_stream_fn fn, void *user);
/* Nothing more of the current event's stream: both directions end as if stream.depth_bytes were here. Events
   already under way still come. STATE when there is no current event. */
NETFEAT_API int netfeat_streams_skip(netfeat_streams *st);

/* Parts of the current event; 0 or NULL when there is none. NETFEAT_STREAM_* */
NETFEAT_API int netfeat_streams_event(const netfeat_streams *st);
/* Streams are numbered from 1 in the order they open. */
NETFEAT_API uint64_t netfeat_streams_id(const netfeat_streams *st);
/* 1-based number of the packet that opened the stream: the link to a table's row and its flow. */
NETFEAT_API int64_t netfeat_streams_first_packet(const netfeat_streams *st);
/* 1-based number of the packet that caused the event; 0 at the end of input. */
NETFEAT_API int64_t netfeat_streams_packet(const netfeat_streams *st);
/* 0 or 1: whose bytes (OPEN, CLOSE: 0). */
NETFEAT_API int netfeat_streams_direction(const netfeat_streams *st);
/* Position of the event in its direction, in bytes. */
NETFEAT_API uint64_t netfeat_streams_offset(const netfeat_streams *st);
/* Length in bytes: of the data, the gap, the conflict, what was dropped; DATAGRAM: the payload on the wire,
   of which data may hold less. */
NETFEAT_API uint64_t netfeat_streams_size(const netfeat_streams *st);
/* Capture time of the packet that caused the event; events caused by a time-out have the clock's time. */
NETFEAT_API int64_t netfeat_streams_time_ns(const netfeat_streams *st);
/* The bytes of DATA, URGENT, DATAGRAM: valid until the next step. ret_size may be NULL. */
NETFEAT_API const void *netfeat_streams_data(const netfeat_streams *st, size_t *ret_size);
/* NETFEAT_GAP_* or NETFEAT_END_*, else 0. */
NETFEAT_API int netfeat_streams_reason(const netfeat_streams *st);
/* IP protocol of the stream: 6 or 17. */
NETFEAT_API int netfeat_streams_protocol(const netfeat_streams *st);
/* Address (16 bytes, IPv4 as ::ffff:a.b.c.d) and port of endpoint 0 or 1. */
NETFEAT_API int netfeat_streams_endpoint(const netfeat_streams *st, int endpoint, void *ret_address16,
                                         int *ret_port);
/* Which endpoint opened the connection: 0 or 1; NOTFOUND when no SYN was seen. */
NETFEAT_API int netfeat_streams_initiator(const netfeat_streams *st);
/* Time of the stream's first packet. */
NETFEAT_API int64_t netfeat_streams_first_time_ns(const netfeat_streams *st);
/* The clock's time at the stream's last packet so far. */
NETFEAT_API int64_t netfeat_streams_last_time_ns(const netfeat_streams *st);
/* How the stream went so far, in one word: S0 SYN without answer; S1 established; SF both FINs; REJ SYN
   answered by RST; S2, S3 established, FIN of the initiator, of the responder only; RSTO, RSTR established,
   RST of the initiator, of the responder; RSTOS0 SYN, then RST of the initiator; RSTRH SYN|ACK, then RST of
   the responder; SH SYN, then FIN, no SYN|ACK; SHR SYN|ACK, then FIN, no SYN; OTH no SYN at all. "" for UDP.
   Static string. */
NETFEAT_API const char *netfeat_streams_state(const netfeat_streams *st);
/* What came, one letter per kind in order of appearance, upper case from the initiator: s SYN, h SYN|ACK, a
   bare ACK, d data, f FIN, r RST, c bad checksum, g gap, t retransmission, w window 0, i FIN and RST, q other
   odd flags. s, h, f, r again when their sequence number changed; c, g, t, w again the 10th, 100th, ... time.
   At most 31 letters. Valid until the next step. */
NETFEAT_API const char *netfeat_streams_history(const netfeat_streams *st);

/* Counter number which (from 1) of one direction of the current event's stream, so far; 0 if there is none. */
NETFEAT_API uint64_t netfeat_streams_counter(const netfeat_streams *st, int direction, int which);
/* "retx_bytes" and so on; NULL past the last. Static string. */
NETFEAT_API const char *netfeat_stream_counter_name(int which);
/* One line of help for it, or NULL. Static string. */
NETFEAT_API const char *netfeat_stream_counter_help(int which);
/* Number of the counter with this name; NOTFOUND, ARGUMENT. */
NETFEAT_API int netfeat_stream_counter_by_name(const char *name);
/* The same for the counters and high-water marks of the whole handle. */
NETFEAT_API uint64_t netfeat_streams_total(const netfeat_streams *st, int which);
NETFEAT_API const char *netfeat_stream_total_name(int which);
NETFEAT_API const char *netfeat_stream_total_help(int which);
NETFEAT_API int netfeat_stream_total_by_name(const char *name);

/* One row per stream of a source, in the order in which they opened: stream_id, first_packet (the key to the
   packet and flow tables), endpoints, times, end_reason, state, history, and per direction bytes, gaps,
   conflicts, retransmissions, the first stream.head_bytes payload bytes and their entropy. NOMEM, LIMIT, and
   what the source gives. */
NETFEAT_API int netfeat_stream_table(netfeat_ctx *ctx, netfeat_source *src, const netfeat_options *opts,
                                     netfeat_table **ret) NETFEAT_MUST_CHECK;
/* Like netfeat_table_append_source(), with IP datagrams put together first (options stream.fragment_* of
   opts): a whole datagram becomes one row, with number and time of the fragment that completed it, in place
   of the rows of its fragments; fragments that stay alone become no row. A call reads at most max_packets
   records (negative: all there are now): how many, or <0. The streams handle keeps the fragments between
   calls; it must have no other input. */
NETFEAT_API int64_t netfeat_streams_append_whole(netfeat_streams *st, netfeat_source *src,
                                                 int64_t max_packets, netfeat_table *tab);

NETFEAT_API netfeat_streams *netfeat_streams_ref(netfeat_streams *st);
NETFEAT_API netfeat_streams *netfeat_streams_unref(netfeat_streams *st);

NETFEAT_END_DECLS

#endif
