/* What a capture can make grow: compressed data, records, interfaces, options. */
#include <stdio.h>
#include <stdlib.h>

#include "limits.h"

/* Steps to the end of a capture in memory. */
static int read_all(netfeat_ctx *ctx, const netfeat_options *opts, const bytes *b, int64_t *ret_records)
{
    netfeat_source *src = NULL;
    int code = netfeat_source_open_memory(ctx, b->p, b->n, opts, &src);

    while (code == 0 && (code = netfeat_source_step(src)) > 0) {
        code = 0;
    }
    *ret_records = src != NULL ? netfeat_source_count(src, NETFEAT_COUNT_RECORDS) : 0;
    netfeat_source_unref(src);
    return code;
}

/* Members of 64 MiB each, all but the first alike: records of 64 KiB. */
static bytes make_bomb(size_t which)
{
    const size_t member = 64 * MIB;
    uint8_t *plain = calloc(1, member);
    bytes one = {0}, all = {0}, head = {0};

    for (size_t at = 0; at < member; at += 65536) {
        plain[at + 9] = plain[at + 13] = 0xff; /* 65520 of 65520 bytes */
        plain[at + 8] = plain[at + 12] = 0xf0;
    }
    put_pcap(&head, 0xa1b2c3d4, 2, 4, 1);
    head.p[18] = 1; /* a snap length that allows them */
    compressors[which].compress(&all, head.p, head.n, 0);
    compressors[which].compress(&one, plain, member, 0);
    for (size_t done_mib = 0; done_mib < bomb_mib; done_mib += 64) {
        put_bytes(&all, one.p, one.n);
    }
    free(one.p);
    free(head.p);
    free(plain);
    return all;
}

void limits_bombs(void)
{
    for (size_t i = 0; compressors[i].name != NULL; i++) {
        bytes b = make_bomb(i);
        for (int bounded = 0; bounded <= 1; bounded++) {
            char what[80];
            netfeat_options *opts;
            netfeat_ctx *ctx = new_ctx(24 * MIB, &opts);
            int64_t records;
            int code;
            set(opts, NETFEAT_OPT_SOURCE_MAX_RATIO, bounded ? 100 : 0);
            code = read_all(ctx, opts, &b, &records);
            snprintf(what, sizeof what, "%s bomb, %.1f to %zu MiB, max_ratio %s", compressors[i].name,
                     (double)b.n / (double)MIB, bomb_mib, bounded ? "100" : "0");
            expect(bounded ? code == NETFEAT_ERR_LIMIT : code == 0 && records == (int64_t)bomb_mib * 16,
                   "%s: %d after %lld records", what, code, (long long)records);
            peak(ctx, what, 24 * MIB, code);
            done(ctx, opts);
        }
        free(b.p);
    }
}

void limits_records(void)
{
    netfeat_options *opts;
    netfeat_ctx *ctx = new_ctx(16 * MIB, &opts);
    bytes b = {0};
    int64_t n;
    int code;

    put_pcap(&b, 0xa1b2c3d4, 2, 4, 1);
    put32(&b, 0);
    put32(&b, 0);
    put32(&b, 128 << 20);
    put32(&b, 128 << 20);
    b.p[19] = 8; /* the snap length allows 128 MiB */
    put_data(&b, 100, 1);
    code = read_all(ctx, opts, &b, &n);
    expect(code < 0, "a record that claims 128 MiB: %d", code);
    peak(ctx, "record that claims 128 MiB, and has 100", 16 * MIB, code);
    free(b.p);
    done(ctx, opts);
}

/* An interface with a name of n bytes. */
static void put_named_interface(bytes *b, size_t n)
{
    bytes body = {0};

    put32(&body, 1);
    put32(&body, 65535);
    put16(&body, 2);
    put16(&body, n);
    put_data(&body, n, 1);
    put_number(&body, 0, (0 - n) % 4);
    put32(&body, 0);
    put_block(b, 1, &body, 0);
}

void limits_interfaces(void)
{
    static const struct {
        const char *what;
        uint32_t count;
        size_t name;
        int64_t most;
        uint64_t limit;
    } cases[] = {
        {"a million interfaces, max_interfaces 65,536", 1000000, 0, 65536, 16 * MIB},
        {"a million interfaces, 16 million allowed", 1000000, 0, 16777216, 160 * MIB},
        {"a million interfaces, 4 MiB of memory", 1000000, 0, 16777216, 4 * MIB},
        {"2,000 interfaces with names of 60,000 bytes", 2000, 60000, 65536, 16 * MIB},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        netfeat_options *opts;
        netfeat_ctx *ctx = new_ctx(cases[i].limit, &opts);
        bytes b = {0};
        int64_t n;
        int code;
        put_section(&b);
        for (uint32_t k = 0; k < cases[i].count; k++) {
            put_named_interface(&b, cases[i].name);
        }
        set(opts, NETFEAT_OPT_SOURCE_MAX_INTERFACES, cases[i].most);
        code = read_all(ctx, opts, &b, &n);
        expect(code == 0 || code == NETFEAT_ERR_LIMIT, "%s: %d", cases[i].what, code);
        expect(i != 0 || code == NETFEAT_ERR_LIMIT, "%s: %d", cases[i].what, code);
        peak(ctx, cases[i].what, cases[i].limit, code);
        free(b.p);
        done(ctx, opts);
    }
}

/* A million options in one block, a comment of 60,000 bytes on each of 20,000 packets. */
void limits_options_and_notes(void)
{
    netfeat_options *opts;
    netfeat_ctx *ctx = new_ctx(0, &opts);
    bytes b = {0}, body = {0};
    int64_t n;
    int code;

    put_section(&b);
    put32(&body, 1);
    put32(&body, 65535);
    for (int i = 0; i < 1000000; i++) {
        put16(&body, 2988);
        put16(&body, 0);
    }
    put_block(&b, 1, &body, 0);
    for (int i = 0; i < 2000; i++) {
        bytes packet = {0};
        put_number(&packet, 0, 8);
        put_number(&packet, 0, 8);
        put_number(&packet, 0, 4);
        put16(&packet, 1);
        put16(&packet, 60000);
        put_data(&packet, 60000, 1);
        put32(&packet, 0);
        put_block(&b, 6, &packet, 0);
    }
    set(opts, NETFEAT_OPT_SOURCE_MAX_NOTES, 10);
    code = read_all(ctx, opts, &b, &n);
    expect(code == 0 && n == 2000, "options and notes: %d", code);
    peak(ctx, "a million options, 2,000 long notes, 10 kept", 10 * MIB, code);
    free(b.p);
    done(ctx, opts);
}
