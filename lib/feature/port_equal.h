/* port_equal.h - which of many ports are one value, as bits: a kernel for each kind of processor that has one. */
#ifndef NF_FEATURE_PORT_EQUAL_H
#define NF_FEATURE_PORT_EQUAL_H

#include <stdint.h>

#if defined(__SSE2__)
#define NF_PORT_EQUAL

/* n, a multiple of 32; bit i of bits says whether ports[i] is value. */
typedef void nf_port_equal_fn(const uint16_t *restrict ports, uint16_t value, int64_t n,
                              uint8_t *restrict bits);
nf_port_equal_fn nf_port_equal_sse2;
/* Only where the processor has it. */
nf_port_equal_fn nf_port_equal_avx2;
/* The best that this processor has. */
nf_port_equal_fn *nf_port_equal(void);
#endif

#endif
