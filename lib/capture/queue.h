/* queue.h - packets kept in memory in the order they came, copied in, read in place: what push and live sources hand
   out. */
#ifndef NF_CAPTURE_QUEUE_H
#define NF_CAPTURE_QUEUE_H

#include "capture/reader.h"

typedef struct nf_chunk nf_chunk;

/* Zero-initialised, then the bounds set. */
typedef struct {
    nf_chunk *first, *last; /* first may be read already: its packets are borrowed until the next call */
    nf_chunk *reading;
    size_t at; /* of the next packet in reading */
    int64_t packets, max_packets;
    uint64_t bytes, max_bytes; /* waiting, with what is kept for each packet */
} nf_queue;

/* Copy a packet to the end: 1; 0 a bound is in the way; NOMEM, LIMIT (the context's memory). */
int nf_queue_put(netfeat_ctx *ctx, nf_queue *q, int64_t time_ns, uint32_t wire_length, const void *data,
                 uint32_t captured_length);
/* An nf_reader_fn on a queue: as many packets as there are, up to max. Their bytes stay where they are until the next
   call, whatever is put in meanwhile. */
int nf_queue_next(netfeat_source *src, nf_queue *q, uint16_t link_type, nf_record *recs, int max);
void nf_queue_close(netfeat_ctx *ctx, nf_queue *q);

#endif
