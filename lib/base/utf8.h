/* utf8.h - is this text well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF)? */
#ifndef NF_BASE_UTF8_H
#define NF_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

bool nf_utf8_valid(const void *text, size_t size);

#endif
