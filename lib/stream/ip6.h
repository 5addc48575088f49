/* ip6.h - the extension headers between the IPv6 header and the transport (RFC 8200, section 4). */
#ifndef NF_STREAM_IP6_H
#define NF_STREAM_IP6_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where in the `size` bytes of headers from ip on the fragment header is; 0 if there is none. *ret_next is
   the offset of the byte that announces it. */
size_t nf_ip6_find_fragment(const uint8_t *ip, size_t size, size_t *ret_next);
/* Is there a routing header with stations left? */
bool nf_ip6_is_routed(const uint8_t *ip, size_t size);

#endif
