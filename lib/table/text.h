/* text.h - values as text: the one place that prints addresses, times and numbers. Independent of the locale.
 */
#ifndef NF_TABLE_TEXT_H
#define NF_TABLE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "table/column.h"

/* Room for any value but TEXT, BYTES and LIST, with NUL. */
#define NF_TEXT_MAX 48

/* Each writes the text and a NUL to buf (at least NF_TEXT_MAX bytes) and returns its length. */
size_t nf_text_ip(char *buf, const uint8_t ip[16]);
size_t nf_text_mac(char *buf, const uint8_t mac[6]);
size_t nf_text_time(char *buf, int64_t time_ns);
size_t nf_text_u64(char *buf, uint64_t value);
size_t nf_text_i64(char *buf, int64_t value);
size_t nf_text_f64(char *buf, double value);
/* Value of a present row of any type but TEXT, BYTES and LIST. */
size_t nf_text_value(char *buf, const netfeat_column *col, int64_t row);

#endif
