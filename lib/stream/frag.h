/* frag.h - IP datagrams out of their fragments (RFC 791, 815; RFC 8200 section 4.5, RFC 5722, 6946). */
#ifndef NF_STREAM_FRAG_H
#define NF_STREAM_FRAG_H

#include <stdbool.h>
#include <stdint.h>

#include <netfeat/options.h>

#include "decode/packet.h"

#define NF_FRAG_LEVELS 2 /* datagrams inside each other that are put together */

typedef struct nf_frags nf_frags;

/* totals is an array by NF_TOTAL_*, which the table counts in. */
int nf_frags_new(netfeat_ctx *ctx, const netfeat_options *opts, uint64_t *totals, nf_frags **ret);
void nf_frags_free(nf_frags *frags);
/* Take in a fragment: pkt was decoded from data. now: the clock. 1 = it completed its datagram, which is
   *ret_data, a raw IP packet, until the next call of that level (0 .. NF_FRAG_LEVELS - 1); 0 = it did not; <0
   NOMEM, LIMIT: the fragment is lost. */
int nf_frags_add(nf_frags *frags, const nf_packet *pkt, const uint8_t *data, int64_t now, int level,
                 const uint8_t **ret_data, uint32_t *ret_size);

static inline bool nf_is_fragment(const nf_packet *pkt)
{
    return (pkt->present & NF_BIT(FRAGMENT_OFFSET)) &&
           (pkt->fragment_offset != 0 || (pkt->ip_flags & NETFEAT_IP_MORE_FRAGMENTS));
}

#endif
