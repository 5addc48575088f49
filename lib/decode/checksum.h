/* checksum.h - verdicts on checksums, for table.verify_checksums. */
#ifndef NF_DECODE_CHECKSUM_H
#define NF_DECODE_CHECKSUM_H

#include "decode/layer.h"

/* The IPv4 header of `length` bytes at p, all of them there. */
void nf_check_ipv4(nf_walk *w, const uint8_t *p, size_t length);
/* The innermost transport of a packet that was walked. No verdict where not all of it is there: snapped,
   fragments, lengths that contradict each other. */
void nf_check_transport(nf_walk *w, const nf_packet *pkt, uint32_t captured);

#endif
