/* feature_random.h - for tests of features: a random packet table, and random cuts of it. */
#ifndef TESTS_FEATURE_RANDOM_H
#define TESTS_FEATURE_RANDOM_H

#include "feature_build.h"

static inline uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* Columns that every feature finds its inputs in; about one value in `null_every` is NULL (0: none). */
static inline netfeat_table *random_packets(netfeat_ctx *ctx, uint64_t seed, int rows, uint32_t null_every)
{
    static const char *const names[] = {"timestamp", "frame_length", "src_mac",  "dst_mac",     "src_ip",
                                        "dst_ip",    "src_port",     "dst_port", "ip_protocol", "tcp_flags",
                                        "tcp_seq",   "payload",      "signed",   "real",        "word"};
    static const int types[] = {NETFEAT_TYPE_TIME_NS, NETFEAT_TYPE_U32,     NETFEAT_TYPE_BYTES6,
                                NETFEAT_TYPE_BYTES6,  NETFEAT_TYPE_BYTES16, NETFEAT_TYPE_BYTES16,
                                NETFEAT_TYPE_U16,     NETFEAT_TYPE_U16,     NETFEAT_TYPE_U8,
                                NETFEAT_TYPE_U16,     NETFEAT_TYPE_U32,     NETFEAT_TYPE_BYTES,
                                NETFEAT_TYPE_I64,     NETFEAT_TYPE_F64,     NETFEAT_TYPE_TEXT};
    enum { N = sizeof types / sizeof types[0] };
    netfeat_column *cols[N];
    uint64_t state = seed;
    int64_t now = INT64_C(1600000000000000000);

    for (int k = 0; k < N; k++) {
        nf_builder b;
        nf_builder_init(&b, ctx, types[k]);
        for (int i = 0; i < rows; i++) {
            uint32_t r = next_random(&state);
            uint8_t bytes[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 0};
            int code;
            if (null_every != 0 && next_random(&state) % null_every == 0) {
                cr_assert_eq(nf_builder_add_null(&b), 0);
                continue;
            }
            switch (types[k]) {
            case NETFEAT_TYPE_TIME_NS:
                now += (int64_t)(r % 40000000) - 1000000;
                code = nf_builder_add_i64(&b, now);
                break;
            case NETFEAT_TYPE_I64:
                code = nf_builder_add_i64(&b, (int64_t)(r % 1000) - 500);
                break;
            case NETFEAT_TYPE_F64:
                code = nf_builder_add_f64(&b, ldexp((double)r - 1e9, (int)(next_random(&state) % 60) - 30));
                break;
            case NETFEAT_TYPE_BYTES16:
                bytes[15] = (uint8_t)(r % 23);
                bytes[14] = (uint8_t)(r % 3);
                code = nf_builder_add_bytes(&b, bytes, 16);
                break;
            case NETFEAT_TYPE_BYTES6:
                bytes[5] = (uint8_t)(r % 5);
                code = nf_builder_add_bytes(&b, bytes, 6);
                break;
            case NETFEAT_TYPE_TEXT:
            case NETFEAT_TYPE_BYTES:
                for (int j = 0; j < 16; j++) {
                    bytes[j] = (uint8_t)('a' + (r >> j) % 3);
                }
                code = nf_builder_add_bytes(&b, bytes, r % (types[k] == NETFEAT_TYPE_TEXT ? 4 : 16));
                break;
            case NETFEAT_TYPE_U8:
                code = nf_builder_add_u64(&b, r % 2 != 0 ? 6 : 17);
                break;
            case NETFEAT_TYPE_U16:
                code = nf_builder_add_u64(&b, r % 7 == 0 ? r % 65536 : 50 + r % 90);
                break;
            default:
                code = nf_builder_add_u64(&b, 40 + r % 1460);
            }
            cr_assert_eq(code, 0);
        }
        cols[k] = finish(&b);
    }
    return make_table(ctx, N, names, cols);
}

/* Tables one below the other. */
static inline netfeat_table *stack(netfeat_ctx *ctx, netfeat_table *const *tabs, size_t n)
{
    netfeat_table *out = NULL;
    cr_assert_eq(netfeat_table_concat(ctx, (const netfeat_table *const *)tabs, n, &out), 0, "%s",
                 netfeat_ctx_error_message(ctx));
    for (size_t i = 0; i < n; i++) {
        netfeat_table_unref(tabs[i]);
    }
    return out;
}

#endif
