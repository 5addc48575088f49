/* Pseudonyms against the vectors published with Crypto-PAn, and netfeat_table_anonymize. */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <netfeat/netfeat.h>

#include "table/builder.h"
#include "table/pseudonym.h"

/* The key of Crypto-PAn's sample. */
static const uint8_t sample_key[NF_PSEUDONYM_KEY] = {21,  34, 23,  141, 51, 164, 207, 128, 19,  10,  91,
                                                     22,  73, 144, 125, 16, 216, 152, 143, 131, 121, 121,
                                                     101, 39, 98,  87,  76, 45,  42,  132, 34,  2};

static const struct {
    const char *address, *pseudonym;
} vectors[] = {
    /* sample_trace_raw.dat and sample_trace_sanitized.dat, which come with Crypto-PAn */
    {"128.11.68.132", "135.242.180.132"},
    {"129.118.74.4", "134.136.186.123"},
    {"130.132.252.244", "133.68.164.234"},
    {"141.223.7.43", "141.167.8.160"},
    {"141.233.145.108", "141.129.237.235"},
    {"152.163.225.39", "151.140.114.167"},
    {"156.29.3.236", "147.225.12.42"},
    {"165.247.96.84", "162.9.99.234"},
    {"166.107.77.190", "160.132.178.185"},
    {"192.102.249.13", "252.138.62.131"},
    {"192.215.32.125", "252.43.47.189"},
    {"192.233.80.103", "252.25.108.8"},
    {"192.41.57.43", "252.222.221.184"},
    {"193.150.244.223", "253.169.52.216"},
    {"195.205.63.100", "255.186.223.5"},
    {"198.200.171.101", "249.199.68.213"},
    {"198.26.132.101", "249.36.123.202"},
    {"198.36.213.5", "249.7.21.132"},
    {"198.51.77.238", "249.18.186.254"},
    {"199.217.79.101", "248.38.184.213"},
    {"202.49.198.20", "245.206.7.234"},
    {"203.12.160.252", "244.248.163.4"},
    {"204.184.162.189", "243.192.77.90"},
    {"204.202.136.230", "243.178.4.198"},
    {"204.29.20.4", "243.33.20.123"},
    {"205.178.38.67", "242.108.198.51"},
    {"205.188.147.153", "242.96.16.101"},
    {"205.188.248.25", "242.96.88.27"},
    {"205.245.121.43", "242.21.121.163"},
    {"207.105.49.5", "241.118.205.138"},
    {"207.135.65.238", "241.202.129.222"},
    {"207.155.9.214", "241.220.250.22"},
    {"207.188.7.45", "241.255.249.220"},
    {"207.25.71.27", "241.33.119.156"},
    {"207.33.151.131", "241.1.233.131"},
    {"208.147.89.59", "227.237.98.191"},
    {"208.234.120.210", "227.154.67.17"},
    {"208.28.185.184", "227.39.94.90"},
    {"208.52.56.122", "227.8.63.165"},
    {"209.12.231.7", "226.243.167.8"},
    {"209.238.72.3", "226.6.119.243"},
    {"209.246.74.109", "226.22.124.76"},
    {"209.68.60.238", "226.184.220.233"},
    {"209.85.249.6", "226.170.70.6"},
    {"212.120.124.31", "228.135.163.231"},
    {"212.146.8.236", "228.19.4.234"},
    {"212.186.227.154", "228.59.98.98"},
    {"212.204.172.118", "228.71.195.169"},
    {"212.206.130.201", "228.69.242.193"},
    {"216.148.237.145", "235.84.194.111"},
    {"216.157.30.252", "235.89.31.26"},
    {"216.184.159.48", "235.96.225.78"},
    {"216.227.10.221", "235.28.253.36"},
    {"216.254.18.172", "235.7.16.162"},
    {"216.32.132.250", "235.192.139.38"},
    {"216.35.217.178", "235.195.157.81"},
    {"24.0.250.221", "100.15.198.226"},
    {"24.13.62.231", "100.2.192.247"},
    {"24.14.213.138", "100.1.42.141"},
    {"24.5.0.80", "100.9.15.210"},
    {"24.7.198.88", "100.10.6.25"},
    {"24.94.26.44", "100.88.228.35"},
    {"38.15.67.68", "64.3.66.187"},
    {"4.3.88.225", "124.60.155.63"},
    {"63.14.55.111", "95.9.215.7"},
    {"63.195.241.44", "95.179.238.44"},
    {"63.97.7.140", "95.97.9.123"},
    {"64.14.118.196", "0.255.183.58"},
    {"64.34.154.117", "0.221.154.117"},
    {"64.39.15.238", "0.219.7.41"},
    {"10.185.25.118", "117.161.29.118"},
    /* IPv6, which Crypto-PAn has not: what its implementations agree upon */
    {"::1", "78ff:f001:9fc0:20df:8380:b1f1:704:ed"},
    {"::2", "78ff:f001:9fc0:20df:8380:b1f1:704:ef"},
    {"::ffff", "78ff:f001:9fc0:20df:8380:b1f1:704:f838"},
    {"2001:db8::1", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e"},
    {"2001:db8::2", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c"},
};

static netfeat_ctx *new_ctx(void)
{
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    return ctx;
}

Test(anonymize, published_vectors)
{
    netfeat_ctx *ctx = new_ctx();
    nf_pseudonyms *ps = NULL;

    if (!netfeat_build_has("anonymize")) {
        cr_expect_eq(nf_pseudonyms_new(ctx, sample_key, &ps), NETFEAT_ERR_UNSUPPORTED);
        netfeat_ctx_unref(ctx);
        return;
    }
    cr_assert_eq(nf_pseudonyms_new(ctx, sample_key, &ps), 0);
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        int family = strchr(vectors[i].address, ':') != NULL ? AF_INET6 : AF_INET;
        uint8_t bytes[16];
        char text[64];
        cr_assert_eq(inet_pton(family, vectors[i].address, bytes), 1);
        nf_pseudonym_address(ps, bytes, family == AF_INET ? 4 : 16);
        cr_expect_str_eq(inet_ntop(family, bytes, text, sizeof text), vectors[i].pseudonym, "%s: %s",
                         vectors[i].address, text);
    }
    nf_pseudonyms_free(ctx, ps);
    netfeat_ctx_unref(ctx);
}

static unsigned common_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned n = 0;

    while (n < bits && ((a[n / 8] ^ b[n / 8]) >> (7 - n % 8) & 1) == 0) {
        n++;
    }
    return n;
}

/* Any two addresses share as many leading bits as their pseudonyms. */
Test(anonymize, prefixes_are_kept)
{
    netfeat_ctx *ctx = new_ctx();
    nf_pseudonyms *ps = NULL;
    uint8_t addresses[64][16], pseudonyms[64][16];
    uint32_t state = 1;

    if (nf_pseudonyms_new(ctx, sample_key, &ps) == 0) {
        for (size_t i = 0; i < 64; i++) {
            for (size_t j = 0; j < 16; j++) {
                state = state * 1664525 + 1013904223;
                addresses[i][j] = j < i / 4 ? 0x20 : (uint8_t)(state >> 24);
            }
            memcpy(pseudonyms[i], addresses[i], 16);
            nf_pseudonym_address(ps, pseudonyms[i], 16);
            for (size_t j = 0; j < i; j++) {
                cr_assert_eq(common_bits(addresses[i], addresses[j], 128),
                             common_bits(pseudonyms[i], pseudonyms[j], 128));
            }
        }
    }
    nf_pseudonyms_free(ctx, ps);
    netfeat_ctx_unref(ctx);
}

static int compare_macs(const void *a, const void *b)
{
    return memcmp(a, b, 6);
}

Test(anonymize, macs)
{
    enum { N = 4096 };
    static uint8_t macs[N][6];
    netfeat_ctx *ctx = new_ctx();
    nf_pseudonyms *ps = NULL;
    size_t same = 0;

    if (nf_pseudonyms_new(ctx, sample_key, &ps) == 0) {
        for (size_t i = 0; i < N; i++) {
            uint8_t before[6] = {(uint8_t)(i & 3), 0x50, 0x56, 0, (uint8_t)(i >> 8), (uint8_t)i}, again[6];
            memcpy(macs[i], before, 6);
            memcpy(again, before, 6);
            nf_pseudonym_mac(ps, macs[i]);
            nf_pseudonym_mac(ps, again);
            cr_assert_eq(memcmp(again, macs[i], 6), 0);
            cr_assert_eq(macs[i][0] & 1, before[0] & 1, "a group stays one");
            same += memcmp(before, macs[i], 3) == 0;
        }
        cr_expect_lt(same, 3, "vendors do not show");
        qsort(macs, N, 6, compare_macs);
        for (size_t i = 1; i < N; i++) {
            cr_assert_neq(memcmp(macs[i - 1], macs[i], 6), 0, "two addresses, one pseudonym");
        }
        memset(macs[0], 0xff, 6);
        nf_pseudonym_mac(ps, macs[0]);
        cr_expect_eq(memcmp(macs[0], "\xff\xff\xff\xff\xff\xff", 6), 0);
    }
    nf_pseudonyms_free(ctx, ps);
    netfeat_ctx_unref(ctx);
}

/* ---- tables ---- */

static netfeat_column *column_of(netfeat_ctx *ctx, int type, const void *const *values, size_t size, int n)
{
    netfeat_column *col = NULL;
    nf_builder b;

    nf_builder_init(&b, ctx, type);
    for (int i = 0; i < n; i++) {
        int code = values[i] == NULL          ? nf_builder_add_null(&b)
                   : type == NETFEAT_TYPE_U16 ? nf_builder_add_u64(&b, *(const uint8_t *)values[i])
                                              : nf_builder_add_bytes(&b, values[i], size);
        cr_assert_eq(code, 0);
    }
    cr_assert_eq(nf_builder_finish(&b, "", "test.column@1", "sometimes", &col), 0);
    return col;
}

/* src_ip, mac, port, payload, text of five rows */
static netfeat_table *sample_table(netfeat_ctx *ctx)
{
    static const uint8_t v4[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 128, 11, 68, 132};
    static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    static const uint8_t mac[6] = {0, 0x50, 0x56, 1, 2, 3};
    static const char *const names[] = {"src_ip", "mac", "port", "payload", "text"};
    const void *ips[] = {v4, NULL, v6, v4, v6}, *macs[] = {mac, mac, NULL, NULL, mac};
    const void *ports[] = {v6, v6, NULL, v6, v6}, *texts[] = {"abc", NULL, "abc", "abc", "abc"};
    netfeat_column *cols[] = {
        column_of(ctx, NETFEAT_TYPE_BYTES16, ips, 16, 5), column_of(ctx, NETFEAT_TYPE_BYTES6, macs, 6, 5),
        column_of(ctx, NETFEAT_TYPE_U16, ports, 0, 5), column_of(ctx, NETFEAT_TYPE_BYTES, texts, 3, 5),
        column_of(ctx, NETFEAT_TYPE_TEXT, texts, 3, 5)};
    netfeat_table *tab = NULL;

    cr_assert_eq(netfeat_table_from_columns(ctx, names, cols, 5, &tab), 0);
    for (size_t i = 0; i < 5; i++) {
        netfeat_column_unref(cols[i]);
    }
    return tab;
}

static void expect_text(netfeat_table *tab, int column, int64_t row, const char *expected)
{
    char text[64];
    int there = netfeat_column_get_text(netfeat_table_column(tab, column), row, text, sizeof text, NULL);

    cr_expect_eq(there, expected != NULL);
    cr_expect(expected == NULL || strcmp(text, expected) == 0, "column %d, row %lld: %s", column,
              (long long)row, text);
}

Test(anonymize, table)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_table *tab = sample_table(ctx), *out = NULL;
    netfeat_options *opts = NULL;
    const char *v4 = "135.242.180.132", *v6 = "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e";
    int code = netfeat_table_anonymize(ctx, tab, sample_key, sizeof sample_key, NULL, &out);

    if (!netfeat_build_has("anonymize")) {
        cr_expect_eq(code, NETFEAT_ERR_UNSUPPORTED);
        cr_expect_null(out);
    } else {
        char first[64], other[64];
        cr_assert_eq(code, 0);
        cr_expect_eq(netfeat_table_width(out), 3);
        cr_expect_eq(netfeat_table_rows(out), 5);
        cr_expect_str_eq(netfeat_table_name(out, 1), "mac");
        expect_text(out, 0, 0, v4);
        expect_text(out, 0, 1, NULL);
        expect_text(out, 0, 2, v6);
        expect_text(out, 0, 3, v4);
        expect_text(out, 0, 4, v6);
        expect_text(out, 1, 2, NULL);
        cr_expect_eq(netfeat_column_nulls(netfeat_table_column(out, 0)), 1);
        cr_expect_str_eq(netfeat_column_definition(netfeat_table_column(out, 0)), "test.column@1");
        cr_expect_str_eq(netfeat_column_null_rule(netfeat_table_column(out, 0)), "sometimes");
        netfeat_column_get_text(netfeat_table_column(out, 1), 0, first, sizeof first, NULL);
        netfeat_column_get_text(netfeat_table_column(out, 1), 4, other, sizeof other, NULL);
        cr_expect_str_eq(first, other);
        cr_expect_str_neq(first, "00:50:56:01:02:03");
        cr_expect_eq(netfeat_table_column(out, 2), netfeat_table_column(tab, 2), "shared");
        expect_text(tab, 0, 0, "128.11.68.132");
        netfeat_table_unref(out);
        cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
        cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_TABLE_KEEP_PAYLOAD, 1), 0);
        cr_assert_eq(netfeat_table_anonymize(ctx, tab, sample_key, sizeof sample_key, opts, &out), 0);
        cr_expect_eq(netfeat_table_width(out), 5);
        cr_expect_eq(netfeat_table_column(out, 3), netfeat_table_column(tab, 3));
        netfeat_table_unref(out);
        netfeat_options_unref(opts);
    }
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
}

Test(anonymize, refusals)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_table *tab = sample_table(ctx), *out = NULL, *growing = NULL, *none = NULL;
    const size_t size = sizeof sample_key;

    cr_assert_eq(netfeat_table_new(ctx, NULL, &growing), 0);
    cr_expect_eq(netfeat_table_anonymize(NULL, tab, sample_key, size, NULL, &out), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_anonymize(ctx, NULL, sample_key, size, NULL, &out), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_anonymize(ctx, tab, NULL, size, NULL, &out), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_anonymize(ctx, tab, sample_key, size, NULL, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_anonymize(ctx, tab, sample_key, 16, NULL, &out), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_anonymize(ctx, growing, sample_key, size, NULL, &out), NETFEAT_ERR_STATE);
    cr_expect_null(out);
    netfeat_table_unref(growing);
    cr_assert_eq(netfeat_table_from_columns(ctx, NULL, NULL, 0, &none), 0);
    if (netfeat_build_has("anonymize")) {
        cr_assert_eq(netfeat_table_anonymize(ctx, none, sample_key, size, NULL, &out), 0);
        cr_expect_eq(netfeat_table_width(out), 0);
        netfeat_table_unref(out);
    }
    netfeat_table_unref(none);
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
}
