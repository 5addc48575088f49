/* Compressed captures: the same records as plain ones however the bytes come, and all records before any damage. */
#include <criterion/criterion.h>

#include <signal.h>
#include <sys/time.h>

#include "../support/compress.h"
#include "../support/torture.h"

static netfeat_ctx *new_ctx(void)
{
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    return ctx;
}

static bytes pcap_of(uint32_t n)
{
    bytes b = {0};

    put_pcap(&b, 0xa1b23c4d, 2, 4, 1);
    for (uint32_t i = 0; i < n; i++) {
        put_record(&b, i, i * 7, i * 37 % 300 + (i == 500 ? 20000 : 0), 400);
    }
    return b;
}

static bytes pcapng_of(uint32_t n)
{
    bytes b = {.big = true};

    put_section(&b);
    put_interface(&b, 1, 0, 9, 0);
    for (uint32_t i = 0; i < n; i++) {
        put_enhanced(&b, 0, i * 1000, i * 53 % 200, 400);
        if (i % 50 == 0) {
            put_other(&b, 0xbad, 300);
        }
    }
    return b;
}

static void expect_like(const outcome *got, outcome want, size_t bytes_read, const char *name,
                        const char *how)
{
    want.bytes = (int64_t)bytes_read; /* of a compressed capture: compressed ones */
    cr_expect(same(got, &want), "%s, %s: code %d, %lld records", name, how, got->code,
              (long long)got->records);
}

Test(capture_compressed, records_are_those_of_the_plain_capture)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = NULL;

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    for (int kind = 0; kind < 2; kind++) {
        bytes plain = kind == 0 ? pcap_of(1500) : pcapng_of(1500);
        outcome want = read_memory(ctx, NULL, plain.p, plain.n, NF_BATCH);

        cr_assert_eq(want.records, 1500);
        for (size_t i = 0; compressors[i].name != NULL; i++) {
            const char *name = compressors[i].name;
            bytes z = {0};
            bytes parts = {0};
            outcome o;

            compressors[i].compress(&z, plain.p, plain.n, 0);
            cr_expect_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_BUFFER_BYTES, 4096 + 700 * kind),
                         0);
            o = read_memory(ctx, NULL, z.p, z.n, NF_BATCH);
            expect_like(&o, want, z.n, name, "memory");
            o = read_memory(ctx, opts, z.p, z.n, 7);
            expect_like(&o, want, z.n, name, "memory, small buffer");
            o = read_file(ctx, opts, z.p, z.n);
            expect_like(&o, want, z.n, name, "file");
            o = read_pieces(ctx, NULL, z.p, z.n, 333);
            expect_like(&o, want, z.n, name, "pieces");
            o = read_pieces(ctx, opts, z.p, z.n < 3000 ? z.n : 3000, 1);
            cr_expect_eq(o.code, z.n <= 3000 ? 0 : NETFEAT_ERR_TRUNCATED, "%s by the byte", name);
            for (size_t at = 0; at < plain.n; at += 11111) { /* members of their own, one of them empty */
                size_t n = plain.n - at < 11111 ? plain.n - at : 11111;
                compressors[i].compress(&parts, plain.p + at, n, 0);
                compressors[i].compress(&parts, "", 0, 0);
            }
            o = read_file(ctx, opts, parts.p, parts.n);
            expect_like(&o, want, parts.n, name, "members");
            for (int k = 0; k < 1000; k++) { /* padded to a block of the tape */
                put_number(&parts, 0, 1);
            }
            o = read_memory(ctx, NULL, parts.p, parts.n, NF_BATCH);
            expect_like(&o, want, parts.n, name, "padding");
            put_bytes(&parts, "x", 1);
            o = read_file(ctx, NULL, parts.p, parts.n);
            cr_expect_eq(o.code, NETFEAT_ERR_FORMAT, "%s with something behind the padding", name);
            cr_expect_eq(o.records, want.records);
            cr_expect_eq(o.packet, want.records + 1);
            cr_expect_eq(o.offset, (int64_t)plain.n, "offsets count decompressed bytes");
            put_bytes(&z, "garbage behind the last member", 30);
            o = read_file(ctx, NULL, z.p, z.n);
            cr_expect_eq(o.code, NETFEAT_ERR_FORMAT, "%s with garbage behind", name);
            cr_expect_eq(o.records, want.records);
            free(z.p);
            free(parts.p);
        }
        free(plain.p);
    }
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}

enum { SMALL = 40 };

/* What the records up to the k-th come to. */
static void prefix_digests(netfeat_ctx *ctx, const bytes *plain, uint64_t digests[SMALL + 1])
{
    netfeat_source *src = NULL;
    nf_record r;

    digests[0] = 0xcbf29ce484222325;
    cr_assert_eq(netfeat_source_open_memory(ctx, plain->p, plain->n, NULL, &src), 0);
    for (int k = 1; k <= SMALL; k++) {
        cr_assert_eq(nf_source_next(src, &r, 1), 1);
        digests[k] = digests[k - 1];
        mix_record(&digests[k], &r);
    }
    cr_assert_eq(nf_source_next(src, &r, 1), 0);
    netfeat_source_unref(src);
}

Test(capture_compressed, every_cut_and_every_flip)
{
    netfeat_ctx *ctx = new_ctx();
    bytes plain = pcap_of(SMALL);
    uint64_t digests[SMALL + 1];
    uint64_t before;

    prefix_digests(ctx, &plain, digests);
    before = netfeat_ctx_memory_used(ctx);
    for (size_t i = 0; compressors[i].name != NULL; i++) {
        const char *name = compressors[i].name;
        int64_t most = 0;
        bytes z = {0};

        compressors[i].compress(&z, plain.p, plain.n / 2, 0);
        compressors[i].compress(&z, plain.p + plain.n / 2, plain.n - plain.n / 2, 0);
        for (size_t n = 6; n < z.n; n++) {
            outcome o = read_memory(ctx, NULL, z.p, n, NF_BATCH);
            cr_expect(o.code == NETFEAT_ERR_TRUNCATED, "%s cut at %zu: %d", name, n, o.code);
            cr_assert_leq(o.records, SMALL);
            cr_expect(o.digest == digests[o.records], "%s cut at %zu: other records", name, n);
            cr_expect_geq(o.records, most);
            most = o.records > most ? o.records : most;
            cr_expect(o.open_code != 0 || o.packet == o.records + 1);
        }
        cr_expect_geq(most, SMALL / 2 - 10, "%s: what came before the cut was delivered", name);
        for (size_t at = 0; at < z.n; at++) {
            for (unsigned bit = 0; bit < 8; bit += 1 + (unsigned)(at % 3)) {
                outcome o;
                z.p[at] ^= (uint8_t)(1U << bit);
                o = read_memory(ctx, NULL, z.p, z.n, NF_BATCH);
                cr_expect(o.code == 0 || o.code == NETFEAT_ERR_FORMAT || o.code == NETFEAT_ERR_TRUNCATED ||
                              o.code == NETFEAT_ERR_LIMIT || o.code == NETFEAT_ERR_UNSUPPORTED,
                          "%s, bit %u of byte %zu: %d", name, bit, at, o.code);
                z.p[at] ^= (uint8_t)(1U << bit);
            }
        }
        cr_expect_eq(netfeat_ctx_memory_used(ctx), before, "%s", name);
        free(z.p);
    }
    free(plain.p);
    netfeat_ctx_unref(ctx);
}

/* The last bytes are a check sum, or stand before one: all the packets were there when it is found to be wrong. */
Test(capture_compressed, a_wrong_check_sum_comes_behind_the_packets)
{
    netfeat_ctx *ctx = new_ctx();
    bytes plain = pcap_of(SMALL);

    for (size_t i = 0; compressors[i].name != NULL; i++) {
        bytes z = {0};
        outcome o;

        compressors[i].compress(&z, plain.p, plain.n, 0);
        z.p[z.n - (strcmp(compressors[i].name, "gzip") == 0 ? 8 : 2)] ^= 0x40;
        o = read_memory(ctx, NULL, z.p, z.n, NF_BATCH);
        cr_expect_eq(o.code, NETFEAT_ERR_FORMAT, "%s: %d", compressors[i].name, o.code);
        cr_expect_eq(o.records, SMALL, "%s: %lld", compressors[i].name, (long long)o.records);
        free(z.p);
    }
    free(plain.p);
    netfeat_ctx_unref(ctx);
}

Test(capture_compressed, what_cannot_be_read_is_named)
{
    static const struct {
        const char *start;
        size_t size;
        int code;
        const char *name, *message;
    } cases[] = {
        {"\x1f\x8b\x08", 3, NETFEAT_ERR_TRUNCATED, "zlib", "gzip"},
        {"\x1f\x8b\x07\0\0\0\0\0\0\0\0\0", 12, NETFEAT_ERR_FORMAT, "zlib", "gzip"},
        {"\x28\xb5\x2f\xfd", 4, NETFEAT_ERR_TRUNCATED, "zstd", "zstd"},
        {"\x28\xb5\x2f\xfd\x20\0\1\0\0", 9, NETFEAT_ERR_TRUNCATED, "zstd", "empty"},
        {"\x04\x22\x4d\x18.", 5, NETFEAT_ERR_TRUNCATED, "lz4", "lz4"},
        {"\xfd"
         "7zXZ\0......",
         12, NETFEAT_ERR_FORMAT, "xz", "xz"},
        {"\xfd"
         "7zXZ\0\0",
         7, NETFEAT_ERR_TRUNCATED, "xz", "xz"},
        {"BZh91AY", 7, NETFEAT_ERR_TRUNCATED, "bzip2", "bzip2"},
        {"BZh0abcdefg", 11, NETFEAT_ERR_FORMAT, "bzip2", "bzip2"},
    };
    netfeat_ctx *ctx = new_ctx();

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        netfeat_source *src = NULL;
        int code = netfeat_build_has(cases[i].name) ? cases[i].code : NETFEAT_ERR_UNSUPPORTED;
        cr_expect_eq(netfeat_source_open_memory(ctx, cases[i].start, cases[i].size, NULL, &src), code,
                     "case %zu: %s", i, netfeat_ctx_error_message(ctx));
        cr_expect_null(src);
        cr_expect(!netfeat_build_has(cases[i].name) ||
                      strstr(netfeat_ctx_error_message(ctx), cases[i].message) != NULL,
                  "case %zu: %s", i, netfeat_ctx_error_message(ctx));
    }
    for (size_t i = 0; compressors[i].name != NULL; i++) {
        bytes plain = pcap_of(3);
        bytes z = {0};
        bytes zz = {0};
        outcome o;

        compressors[i].compress(&z, plain.p, plain.n, 0);
        compressors[i].compress(&zz, z.p, z.n, 0);
        o = read_memory(ctx, NULL, zz.p, zz.n, NF_BATCH);
        cr_expect_eq(o.open_code, NETFEAT_ERR_UNSUPPORTED);
        cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), "compressed twice"));
        zz.n = 0;
        compressors[i].compress(&zz, "no capture at all", 17, 0);
        o = read_memory(ctx, NULL, zz.p, zz.n, NF_BATCH);
        cr_expect_eq(o.open_code, NETFEAT_ERR_FORMAT);
        free(plain.p);
        free(z.p);
        free(zz.p);
    }
    netfeat_ctx_unref(ctx);
}

Test(capture_compressed, memory_is_bounded_and_bombs_are_seen)
{
    static const size_t size = (size_t)100 << 20;
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = NULL;
    uint8_t *bomb = calloc(1, size);
    bytes head = {0};

    put_pcap(&head, 0xa1b2c3d4, 2, 4, 1);
    memcpy(bomb, head.p, head.n); /* then records without bytes, 16 zeros each */
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_ctx_set_memory_limit(ctx, 12 << 20), 0);
    for (size_t i = 0; compressors[i].name != NULL; i++) {
        bytes z = {0};
        outcome o;

        compressors[i].compress(&z, bomb, size, 0);
        cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_RATIO, 0), 0);
        o = read_file(ctx, opts, z.p, z.n);
        cr_expect_eq(o.code, NETFEAT_ERR_TRUNCATED, "%s: %s", compressors[i].name,
                     netfeat_ctx_error_message(ctx));
        cr_expect_eq(o.records, (int64_t)((size - head.n) / 16));
        cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_RATIO, 100), 0);
        o = read_file(ctx, opts, z.p, z.n);
        cr_expect_eq(o.code, NETFEAT_ERR_LIMIT, "%s", compressors[i].name);
        cr_expect_gt(o.records, (64 << 20) / 16, "%s", compressors[i].name);
        cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), "source.max_ratio"));
        free(z.p);
    }
    netfeat_options_unref(opts);
    free(bomb);
    free(head.p);
    netfeat_ctx_unref(ctx);
}

Test(capture_compressed, history_is_bounded)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = NULL;
    bytes plain = pcap_of(100);
    static const char *const names[] = {"zstd", "xz"};

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    for (size_t i = 0; compressors[i].name != NULL; i++) {
        for (size_t k = 0; k < 2; k++) {
            bytes z = {0};
            outcome o;

            if (strcmp(compressors[i].name, names[k]) != 0) {
                continue;
            }
            compressors[i].compress(&z, plain.p, plain.n, 23);
            cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_WINDOW_BYTES, 4 << 20), 0);
            o = read_memory(ctx, opts, z.p, z.n, NF_BATCH);
            cr_expect_eq(o.open_code, NETFEAT_ERR_LIMIT, "%s: %d", names[k], o.open_code);
            cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), "source.max_window_bytes"));
            cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_WINDOW_BYTES, 8 << 20), 0);
            o = read_memory(ctx, opts, z.p, z.n, NF_BATCH);
            cr_expect_eq(o.records, 100, "%s", names[k]);
            cr_assert_eq(netfeat_ctx_set_memory_limit(ctx, netfeat_ctx_memory_used(ctx) + (6 << 20)), 0);
            o = read_memory(ctx, opts, z.p, z.n, NF_BATCH);
            cr_expect_eq(o.open_code, NETFEAT_ERR_LIMIT, "the decoder's memory counts: %s, %d", names[k],
                         o.open_code);
            cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), "memory limit"));
            cr_assert_eq(netfeat_ctx_set_memory_limit(ctx, 0), 0);
            free(z.p);
        }
    }
    netfeat_options_unref(opts);
    free(plain.p);
    netfeat_ctx_unref(ctx);
}

static int read_table(netfeat_ctx *ctx, const bytes *z, netfeat_table **ret)
{
    netfeat_source *src = NULL;
    int code = netfeat_source_open_memory(ctx, z->p, z->n, NULL, &src);

    code = code != 0 ? code : netfeat_table_from_source(ctx, src, NULL, ret);
    netfeat_source_unref(src);
    return code;
}

static int compressed_case(torture *t, void *user)
{
    netfeat_ctx *ctx = NULL;
    netfeat_table *tab = NULL;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        return code;
    }
    TRY(t, read_table(ctx, user, &tab));
    torture_saw_table(t, tab);
out:
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
    return code;
}

Test(capture_compressed, every_allocation_may_fail)
{
    bytes plain = pcap_of(SMALL);

    for (size_t i = 0; compressors[i].name != NULL; i++) {
        uint64_t points = 0;
        const char *wrong;
        bytes z = {0};

        compressors[i].compress(&z, plain.p, plain.n / 2, 0);
        compressors[i].compress(&z, plain.p + plain.n / 2, plain.n - plain.n / 2, 0);
        wrong = torture_run(compressed_case, &z, &points);
        cr_expect_null(wrong, "%s: %s", compressors[i].name, wrong);
        cr_expect_gt(points, 20);
        free(z.p);
    }
    free(plain.p);
}

typedef struct {
    int calls;
    int64_t bytes, total;
} progress;

static int on_progress(void *user, int64_t packets, int64_t bytes_done, int64_t total)
{
    progress *p = user;

    (void)packets;
    p->calls++;
    p->bytes = bytes_done;
    p->total = total;
    return 0;
}

Test(capture_compressed, progress_counts_compressed_bytes)
{
    netfeat_ctx *ctx = new_ctx();
    bytes plain = pcap_of(20000);

    for (size_t i = 0; compressors[i].name != NULL; i++) {
        netfeat_source *src = NULL;
        nf_record r[NF_BATCH];
        progress seen = {0};
        bytes z = {0};
        char path[32];
        int64_t got = 0;
        int n;

        compressors[i].compress(&z, plain.p, plain.n, 0);
        write_temporary(path, z.p, z.n);
        netfeat_ctx_set_progress(ctx, on_progress, &seen);
        cr_assert_eq(netfeat_source_open_file(ctx, path, NULL, &src), 0);
        cr_expect_eq(nf_source_estimate(src), -1);
        while (got < 10000 && (n = nf_source_next(src, r, NF_BATCH)) > 0) {
            got += n;
        }
        cr_expect_gt(seen.calls, 0);
        cr_expect_eq(seen.total, (int64_t)z.n);
        cr_expect_leq(seen.bytes, (int64_t)z.n);
        cr_expect_lt(netfeat_source_count(src, NETFEAT_COUNT_BYTES), (int64_t)z.n + 1);
        cr_expect(nf_source_estimate(src) >= 2000 && nf_source_estimate(src) < 50000, "%s: %lld",
                  compressors[i].name, (long long)nf_source_estimate(src));
        while ((n = nf_source_next(src, r, NF_BATCH)) > 0) {
            got += n;
        }
        cr_expect_eq(got, 20000);
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_BYTES), (int64_t)z.n);
        netfeat_source_unref(src);
        unlink(path);
        free(z.p);
    }
    free(plain.p);
    netfeat_ctx_unref(ctx);
}

static netfeat_ctx *alarmed;

static void on_alarm(int signal_number)
{
    (void)signal_number;
    netfeat_ctx_interrupt(alarmed);
}

Test(capture_compressed, an_interrupt_loses_nothing)
{
    bytes plain = pcap_of(200);

    for (size_t i = 0; compressors[i].name != NULL; i++) {
        netfeat_ctx *ctx = new_ctx();
        netfeat_options *opts = NULL;
        netfeat_source *src = NULL;
        struct itimerval soon = {{0, 0}, {0, 20000}};
        bytes z = {0};
        int records = 0;
        int fds[2];
        int code;

        alarmed = ctx;
        signal(SIGALRM, on_alarm);
        cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
        cr_assert_eq(netfeat_options_set_text(opts, NETFEAT_OPT_SOURCE_FILTER, "ether[0] & 1 = 0"), 0);
        compressors[i].compress(&z, plain.p, plain.n / 2, 0);
        compressors[i].compress(&z, plain.p + plain.n / 2, plain.n - plain.n / 2, 0);
        cr_assert_eq(pipe(fds), 0);
        cr_assert_eq(write(fds[1], z.p, z.n - 10), (ssize_t)z.n - 10);
        cr_assert_eq(netfeat_source_open_fd(ctx, fds[0], opts, &src), 0);
        setitimer(ITIMER_REAL, &soon, NULL);
        while ((code = netfeat_source_step(src)) > 0) {
            records++;
        }
        cr_expect_eq(code, NETFEAT_ERR_CANCELLED, "%s", compressors[i].name);
        cr_assert_eq(write(fds[1], z.p + z.n - 10, 10), 10);
        close(fds[1]);
        while ((code = netfeat_source_step(src)) > 0) {
            records++;
        }
        cr_expect_eq(code, 0);
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_RECORDS), 200);
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_DELIVERED), records);
        cr_expect(records > 50 && records < 200);
        netfeat_source_unref(src);
        netfeat_options_unref(opts);
        netfeat_ctx_unref(ctx);
        close(fds[0]);
        free(z.p);
    }
    free(plain.p);
}
