/* filter.h - pcap-filter expressions on records, by libpcap: compiled once per link type that occurs. */
#ifndef NF_CAPTURE_FILTER_H
#define NF_CAPTURE_FILTER_H

#include "capture/record.h"
#include "base/context.h"

typedef struct nf_program nf_program;

/* Zero-initialised is a filter that is not set. */
typedef struct {
    char *text; /* owned; NULL: everything matches */
    nf_program *programs;
    size_t count, cap;
    size_t last; /* the program used last */
} nf_filter;

/* Copy the text. Empty or NULL: no filter. ARGUMENT if it is no expression for any common link type, NOMEM,
 * LIMIT. */
int nf_filter_open(netfeat_ctx *ctx, nf_filter *f, const char *text, int64_t most);
void nf_filter_close(netfeat_ctx *ctx, nf_filter *f);
/* Make ready for records of a link type. UNSUPPORTED if it does not work on that, NOMEM, LIMIT. */
int nf_filter_prepare(netfeat_ctx *ctx, nf_filter *f, uint16_t link_type);
/* 1 it matches, 0 it does not, <0 as nf_filter_prepare. */
int nf_filter_match(netfeat_ctx *ctx, nf_filter *f, const nf_record *rec);
/* libpcap's DLT_ number of a LINKTYPE_: the two differ where systems never agreed on a number. */
int nf_filter_dlt(uint16_t link_type);
/* The other way round. */
uint16_t nf_filter_link_type(int dlt);

#endif
