/* sha256.h - SHA-256 (FIPS 180-4) of a block of memory, as 64 hexadecimal digits. */
#ifndef EXAMPLES_SHA256_H
#define EXAMPLES_SHA256_H

#include <stddef.h>

void example_sha256(const void *data, size_t size, char hex[65]);

#endif
