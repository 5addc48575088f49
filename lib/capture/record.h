/* record.h - one packet record of a source, as the layers above see it. */
#ifndef NF_CAPTURE_RECORD_H
#define NF_CAPTURE_RECORD_H

#include <stdint.h>

#include <netfeat/source.h>

#define NF_BATCH 64 /* records per call: one word of a validity bitmap */

enum { NF_RECORD_NO_TIME = 1, NF_RECORD_TIME_BACKWARDS = 2 };

typedef struct {
    const uint8_t *data; /* captured bytes, borrowed until the next call on the source */
    uint64_t number;     /* 1-based in its file */
    int64_t time_ns;     /* 0 with NF_RECORD_NO_TIME */
    uint32_t captured_length, wire_length;
    uint32_t interface_id;
    uint16_t link_type;
    uint16_t flags;      /* NF_RECORD_* */
    uint32_t file_index; /* option source.file_index, and on from there for the files of one source */
} nf_record;

/* Up to max (1 .. NF_BATCH) further records that match the filter: how many; 0 = none now (see
   netfeat_source_ended); <0 error. All records before an error are delivered first, the error comes alone in
   the next call and, CANCELLED apart, in every later one. */
int nf_source_next(netfeat_source *src, nf_record *ret_records, int max);
/* Give the last batch, n records, back unused: the next call delivers them again. Only after a
   nf_source_next() that returned n, with nothing called on the source in between. */
void nf_source_unread(netfeat_source *src, const nf_record *records, int n);
/* The context it was opened with. Borrowed. */
netfeat_ctx *nf_source_ctx(const netfeat_source *src);
/* An estimate of how many records are still to come, -1 if unknown: for sizing, never for correctness. */
int64_t nf_source_estimate(const netfeat_source *src);

#endif
