/* checksum.h - the Internet checksum of transport headers (RFC 1071), and hosts that leave it to their cards.
 */
#ifndef NF_STREAM_CHECKSUM_H
#define NF_STREAM_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/packet.h"

enum {
    NF_CHECKSUM_GOOD, /* or cannot be told: not captured whole, no checksum, source routing still to do */
    NF_CHECKSUM_BAD,
    NF_CHECKSUM_PARTIAL /* bad, but what a host leaves there whose network card is to compute it */
};

/* NF_CHECKSUM_* of this TCP segment or UDP datagram; data is the packet from its first captured byte. */
int nf_transport_checksum(const nf_packet *pkt, const uint8_t *data);
/* One's complement sum of `size` bytes in network order, folded to 16 bits. */
uint16_t nf_checksum(const uint8_t *data, size_t size, uint32_t start);

#endif
