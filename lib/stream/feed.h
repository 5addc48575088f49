/* feed.h - where the packets of a reassembler come from. */
#ifndef NF_STREAM_FEED_H
#define NF_STREAM_FEED_H

#include "capture/record.h"
#include "decode/packet.h"
#include "stream/checksum.h"
#include "stream/frag.h"
#include "stream/offload.h"
#include "stream/streams.h"
#include "stream/table_input.h"

#define NF_LINK_RAW 101 /* LINKTYPE_RAW: starts with the IP header */

/* What a record turned out to be. */
typedef struct {
    uint8_t kind;     /* NF_RECORD_* below */
    uint8_t checksum; /* NF_CHECKSUM_* */
    nf_segment segment;
} nf_prepared;

enum { NF_RECORD_OTHER, NF_RECORD_SEGMENT, NF_RECORD_FRAGMENT };

struct nf_stream_input {
    nf_decode_config decode;
    nf_packet packet;
    nf_record records[NF_BATCH];
    nf_prepared prepared[NF_BATCH]; /* of the records */
    int n_records, at_record;
    netfeat_source *source; /* counted reference; NULL: none */
    nf_table_input table;
    bool pushed; /* records[0] is a packet of feed_packet */
    uint64_t n_pushed;
    nf_frags *frags;
    nf_offload *offload;
};

/* The packet's clock, number and time are the handle's from here on. */
void nf_feed_clock(netfeat_streams *st, uint64_t number, bool has_time, int64_t time);
/* Decode a record into in->packet: down to the innermost header, but no further than to a fragment. */
void nf_feed_decode(nf_stream_input *in, const nf_record *r);
/* Work on a segment of which everything but bad_checksum is known; checksum is NF_CHECKSUM_*. */
void nf_feed_segment(netfeat_streams *st, nf_segment *seg, int checksum);

#endif
