/* reader.h - a source from the inside: the window on its input, and one reader for its format. */
#ifndef NF_CAPTURE_READER_H
#define NF_CAPTURE_READER_H

#include "base/cursor.h"
#include "base/ref.h"
#include "capture/filter.h"
#include "capture/interface.h"
#include "capture/record.h"
#include "capture/unpack.h"
#include "capture/window.h"

/* Up to max (>= 1) further records, not filtered: how many, 0 = the input is at its end, <0 error with the
   context's error set. Pointers of the records before are dead. A reader never meets an error with records in
   hand: it gives what it has, and finds the error again in the next call. */
typedef int (*nf_reader_fn)(netfeat_source *src, nf_record *recs, int max);

typedef struct {
    bool big;            /* byte order of the file */
    bool always_swapped; /* the two lengths are the other way round */
    bool maybe_swapped;  /* they are when captured > wire */
    uint16_t link_type;
    uint32_t header; /* bytes of a record header */
    uint32_t unit;   /* ns in a unit of the fraction */
} nf_pcap;

typedef struct {
    uint64_t multiplier; /* ns = units * multiplier + offset_ns where units <= limit; 0: see to_ns() */
    uint64_t limit;
    int64_t offset_ns;
    int64_t offset_s; /* if_tsoffset */
    uint32_t snaplen; /* 0: none */
    uint16_t link_type;
    uint8_t resolution; /* if_tsresol */
} nf_interface;

typedef struct {
    bool big;           /* byte order of the section */
    nf_interface *list; /* interfaces of the section */
    size_t count, cap;  /* of list */
    uint32_t base;      /* number of its first interface */
    uint32_t max_interfaces;
    uint64_t skip;        /* bytes of a block still to pass over, its last length not among them */
    bool skipping;        /* inside a block that is passed over */
    uint32_t skip_length; /* what that block said about its length */
    int64_t skip_start;   /* offset of that block */
    uint32_t quiet;       /* blocks without a packet since the last look at the interrupt flag */
} nf_pcapng;

typedef struct nf_push nf_push;
typedef struct nf_live nf_live;
typedef struct nf_many nf_many;

struct netfeat_source {
    nf_ref refs;
    netfeat_ctx *ctx; /* one reference */
    nf_window window;
    nf_reader_fn next;
    nf_pcap pcap;
    nf_pcapng pcapng;
    nf_filter filter;
    nf_unpack_limits unpack;
    nf_interfaces interfaces; /* of all sections */
    nf_notes notes;
    uint32_t file_index;
    uint32_t max_packet_bytes;
    int64_t last_time;                      /* of the latest record that had one; INT64_MIN before that */
    int64_t checked;                        /* records at the latest nf_checkpoint() */
    int64_t batch_snapped, batch_backwards; /* of the records that the reader gave last */
    nf_push *push;                          /* of a push source, else NULL */
    nf_live *live;                          /* of a live source, else NULL */
    nf_many *many;                          /* of a source of several files, else NULL */
    netfeat_source *outer;                  /* the source of several files that reads this one; borrowed */
    int64_t queued_bytes;                   /* captured bytes that came out of a queue (push, live) */
    bool more;                              /* no records now do not mean the end: push, live */
    bool ended;
    bool has_current;
    nf_record current;          /* of netfeat_source_step() */
    nf_record unread[NF_BATCH]; /* given back by nf_source_unread(), still in the window */
    int unread_at, unread_end;
    int64_t counts[NETFEAT_COUNT_NOTES_DROPPED + 1];
    struct {
        int code; /* 0: none */
        int error_number;
        int64_t packet, offset;
        char message[512];
    } failure; /* given again by every call */
};

/* A function that is copied into every call, so that each set of constants has a loop of its own. */
#define NF_COPIED static inline __attribute__((always_inline))

/* A source without input yet: options and filter in force. ARGUMENT (the filter), NOMEM, LIMIT. */
int nf_source_new(netfeat_ctx *ctx, const netfeat_options *opts, netfeat_source **ret);
/* Source on an input, which is taken over, also on failure. */
int nf_source_open(netfeat_ctx *ctx, nf_input *in, const netfeat_options *opts, netfeat_source **ret);
/* NULL is fine in each: nothing to close. */
void nf_push_close(netfeat_ctx *ctx, nf_push *p);
void nf_live_close(netfeat_ctx *ctx, nf_live *l);
void nf_many_close(netfeat_ctx *ctx, nf_many *m);
/* A counter of a source of several files; own: what was handed out. */
int64_t nf_many_count(const nf_many *m, int which, const int64_t *own);
int64_t nf_many_total(const nf_many *m);
/* A counter that the kernel keeps. */
int64_t nf_live_count(nf_live *l, int which);
/* Bytes of the origin consumed so far, and in all (-1: unknown). */
int64_t nf_source_bytes(const netfeat_source *src);
int64_t nf_source_total(const netfeat_source *src);

/* Look at the first bytes, choose the reader, read the file header. FORMAT, TRUNCATED, UNSUPPORTED, IO, ...
 */
int nf_format_open(netfeat_source *src);
/* Header read and reader set by these; the magic number is known to be there. */
int nf_pcap_open(netfeat_source *src, uint32_t magic, bool big);
int nf_pcapng_open(netfeat_source *src);
void nf_pcapng_close(netfeat_source *src);
/* Names, comments and statistics out of blocks: the cursor is on what stands behind the block's fixed part (of the
   statistics: behind type and length). NOMEM, LIMIT. */
int nf_pcapng_section_notes(netfeat_source *src, nf_cursor c, bool big);
int nf_pcapng_interface_notes(netfeat_source *src, nf_cursor c, bool big); /* of the latest interface */
int nf_pcapng_packet_notes(netfeat_source *src, nf_cursor c, bool big, const nf_record *rec);
void nf_pcapng_statistics(netfeat_source *src, nf_cursor c, bool big);
int nf_pcapng_names(netfeat_source *src, nf_cursor c, bool big);
/* nf_window_need() with the failure located and interrupts answered. */
int nf_source_need(netfeat_source *src, size_t n);
/* What ends a call after CANCELLED from the input: nf_checkpoint() with this source's totals. */
int nf_source_checkpoint(netfeat_source *src);

static inline int64_t nf_source_records(const netfeat_source *src)
{
    return src->counts[NETFEAT_COUNT_RECORDS];
}

/* FORMAT or another code at the record being read, which starts at this offset. */
#define nf_source_fail(src, code, offset, ...)                                                               \
    nf_error_at((src)->ctx, (code), nf_source_records(src) + 1, (offset), __VA_ARGS__)

/* The input ends inside a record or block. */
static inline int nf_source_cut(netfeat_source *src, int64_t offset)
{
    return nf_source_fail(src, NETFEAT_ERR_TRUNCATED, offset, "the capture ends in the middle of packet %lld",
                          (long long)(nf_source_records(src) + 1));
}

static inline uint16_t nf_load16(const uint8_t *p, bool big)
{
    return big ? nf_load_be16(p) : nf_load_le16(p);
}

static inline uint32_t nf_load32(const uint8_t *p, bool big)
{
    return big ? nf_load_be32(p) : nf_load_le32(p);
}

static inline uint64_t nf_load64(const uint8_t *p, bool big)
{
    return big ? nf_load_be64(p) : nf_load_le64(p);
}

#endif
