/* Rules of lib/base: error slot, memory accounting, options, cursor, bitmaps, map, UTF-8. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netfeat/netfeat.h>

#include "base/bitmap.h"
#include "base/checked.h"
#include "base/context.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/utf8.h"

Test(base, error_slot)
{
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    cr_expect_eq(netfeat_ctx_error_code(ctx), 0);
    cr_expect_str_eq(netfeat_ctx_error_message(ctx), "");
    cr_expect_eq(nf_error_at(ctx, NETFEAT_ERR_FORMAT, 7, 99, "bad\n%d", 3), NETFEAT_ERR_FORMAT);
    cr_expect_str_eq(netfeat_ctx_error_message(ctx), "bad?3");
    cr_expect_eq(netfeat_ctx_error_packet(ctx), 7);
    cr_expect_eq(netfeat_ctx_error_offset(ctx), 99);
    cr_expect_eq(nf_error_errno(ctx, ENOENT, "open x"), NETFEAT_ERR_NOTFOUND);
    cr_expect_eq(netfeat_ctx_error_errno(ctx), ENOENT);
    cr_expect_eq(netfeat_ctx_error_packet(ctx), -1);
    cr_expect_str_eq(netfeat_ctx_error_message(ctx), "open x: No such file or directory");
    netfeat_ctx_error_clear(ctx);
    cr_expect_eq(netfeat_ctx_error_code(ctx), 0);
    cr_expect_eq(nf_ctx_code(ctx), NETFEAT_ERR_INTERNAL);
    for (int code = 0; code >= NETFEAT_ERR_INTERNAL; code--) {
        cr_expect_str_neq(netfeat_error_name(code), "UNKNOWN");
        cr_expect_gt(strlen(netfeat_error_text(code)), 3);
    }
    cr_expect_str_eq(netfeat_error_name(NETFEAT_ERR_NOMEM), "NOMEM");
    cr_expect_str_eq(netfeat_error_name(0), "OK");
    cr_expect_str_eq(netfeat_error_name(-99), "UNKNOWN");
    netfeat_ctx_unref(ctx);
}

typedef struct {
    int n, level;
    char text[600];
} log_book;

static void write_down(void *user, int level, const char *text)
{
    log_book *book = user;

    book->n++;
    book->level = level;
    snprintf(book->text, sizeof book->text, "%s", text);
}

/* Up to the level asked for, in one line, cut where it is too long; the error slot stays as it is. */
Test(base, log)
{
    netfeat_ctx *ctx = NULL;
    log_book book = {0};
    char name[1000];

    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    nf_log(ctx, NETFEAT_LOG_ERROR, "nobody listens");
    netfeat_ctx_set_log(ctx, write_down, &book, NETFEAT_LOG_WARN);
    nf_log(ctx, NETFEAT_LOG_INFO, "not wanted");
    cr_expect_eq(book.n, 0);
    nf_log(ctx, NETFEAT_LOG_WARN, "device %s:\n%d", "\x1b[31meth0", 7);
    cr_expect_eq(book.n, 1);
    cr_expect_eq(book.level, NETFEAT_LOG_WARN);
    cr_expect_str_eq(book.text, "device ?[31meth0:?7");
    nf_log(ctx, NETFEAT_LOG_ERROR, "%s", name);
    cr_expect_eq(book.n, 2);
    cr_expect_eq(strlen(book.text), 511);
    cr_expect_eq(netfeat_ctx_error_code(ctx), 0);
    netfeat_ctx_set_log(ctx, NULL, NULL, NETFEAT_LOG_WARN);
    nf_log(ctx, NETFEAT_LOG_ERROR, "nobody listens");
    cr_expect_eq(book.n, 2);
    netfeat_ctx_unref(ctx);
}

Test(base, memory_is_accounted_and_limited)
{
    netfeat_ctx *ctx = NULL;
    uint64_t empty;
    void *p;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    empty = netfeat_ctx_memory_used(ctx);
    /* small -> mapped -> larger mapped -> smaller mapped -> small: the bytes come along */
    p = nf_alloc(ctx, 1000);
    memset(p, 0x5a, 1000);
    static const size_t sizes[] = {5000000, 50000000, 8000000, 4194304, 2000, 6000000};
    size_t size = 1000;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        p = nf_resize(ctx, p, size, sizes[i]);
        cr_assert_not_null(p);
        size = sizes[i];
        for (size_t k = 0; k < 1000; k++) {
            cr_assert_eq(((uint8_t *)p)[k], 0x5a);
        }
        memset((uint8_t *)p + 1000, 1, size - 1000);
        cr_expect_eq(netfeat_ctx_memory_used(ctx), empty + size);
    }
    cr_expect_eq(netfeat_ctx_memory_peak(ctx), empty + 50000000);
    netfeat_ctx_set_memory_limit(ctx, empty + size + 10);
    cr_expect_null(nf_alloc(ctx, 11));
    cr_expect_eq(netfeat_ctx_error_code(ctx), NETFEAT_ERR_LIMIT);
    void *q = nf_alloc(ctx, 10);
    cr_expect_not_null(q);
    nf_free(ctx, q, 10);
    nf_free(ctx, p, size);
    cr_expect_eq(netfeat_ctx_memory_used(ctx), empty);
    cr_expect_null(nf_alloc_array(ctx, SIZE_MAX / 2, 3));
    cr_expect_eq(netfeat_ctx_error_code(ctx), NETFEAT_ERR_NOMEM);
    netfeat_ctx_unref(ctx);
}

static int stop_progress(void *user, int64_t packets, int64_t bytes, int64_t total)
{
    (void)bytes;
    (void)total;
    *(int64_t *)user = packets;
    return 1;
}

Test(base, interrupt_is_used_up)
{
    netfeat_ctx *ctx = NULL;
    int64_t seen = 0;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    cr_expect_eq(nf_checkpoint(ctx, 1, 2, -1), 0);
    netfeat_ctx_interrupt(ctx);
    cr_expect_eq(nf_checkpoint(ctx, 1, 2, -1), NETFEAT_ERR_CANCELLED);
    cr_expect_eq(nf_checkpoint(ctx, 1, 2, -1), 0);
    netfeat_ctx_set_progress(ctx, stop_progress, &seen);
    cr_expect_eq(nf_checkpoint(ctx, 5, 2, -1), NETFEAT_ERR_CANCELLED);
    cr_expect_eq(seen, 5);
    netfeat_ctx_unref(ctx);
}

Test(base, options_describe_and_check_themselves)
{
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    int count = 0;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    for (int key = netfeat_option_next(0), last = 0; key != 0; last = key, key = netfeat_option_next(key)) {
        int64_t lo, hi, def, got;
        cr_expect_gt(key, last);
        cr_expect_eq(netfeat_option_by_name(netfeat_option_name(key)), key);
        cr_expect_not_null(netfeat_option_help(key));
        count++;
        if (netfeat_option_kind(key) == NETFEAT_KIND_TEXT) {
            cr_expect_eq(netfeat_options_set_int(opts, key, 0), NETFEAT_ERR_TYPE);
            cr_expect_eq(netfeat_options_set_text(opts, key, "a\xff"), NETFEAT_ERR_ARGUMENT);
            cr_expect_eq(netfeat_options_set_text(opts, key, NULL), NETFEAT_ERR_ARGUMENT);
            cr_expect_eq(netfeat_options_set_text(opts, key, "\xc3\xa4"), 0);
            cr_expect_str_eq(netfeat_options_get_text(opts, key), "\xc3\xa4");
            cr_expect_eq(netfeat_options_set_text(opts, key, ""), 0);
            cr_expect_str_eq(netfeat_options_get_text(opts, key), "");
            continue;
        }
        cr_assert_eq(netfeat_option_range(key, &lo, &hi, &def), 0);
        cr_expect(lo <= def && def <= hi);
        cr_expect_eq(netfeat_options_get_int(NULL, key, &got), 0);
        cr_expect_eq(got, def);
        cr_expect_eq(netfeat_options_set_int(opts, key, lo - 1), NETFEAT_ERR_RANGE);
        cr_expect_eq(netfeat_options_set_int(opts, key, hi), 0);
        cr_expect_eq(netfeat_options_get_int(opts, key, &got), 0);
        cr_expect_eq(got, hi);
        cr_expect_eq(netfeat_options_set_text(opts, key, "x"), NETFEAT_ERR_TYPE);
    }
    cr_expect_geq(count, 9);
    cr_expect_eq(netfeat_option_by_name("no.such"), NETFEAT_ERR_NOTFOUND);
    cr_expect_eq(netfeat_options_set_int(opts, 1, 1), NETFEAT_ERR_NOTFOUND);
    netfeat_ctx_unref(ctx); /* any order of release */
    netfeat_options_unref(opts);
}

Test(base, cursor_never_reads_past_its_end)
{
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
    nf_cursor c = nf_cursor_make(bytes, sizeof bytes);

    cr_expect_eq(nf_cursor_be32(&c), 0x01020304);
    cr_expect_eq(nf_load_le32(bytes), 0x04030201);
    cr_expect_eq(nf_load_be64(bytes), UINT64_C(0x0102030405060708));
    cr_expect_eq(nf_load_le64(bytes), UINT64_C(0x0807060504030201));
    cr_expect_eq(nf_load_be24(bytes), 0x010203);
    cr_expect_null(nf_cursor_peek(&c, 1, 4));
    cr_expect_null(nf_cursor_peek(&c, SIZE_MAX, 1));
    cr_expect_eq(nf_cursor_peek(&c, 3, 1), bytes + 7);
    cr_expect(!c.bad);
    nf_cursor_limit(&c, 3);
    cr_expect_eq(nf_cursor_left(&c), 3);
    nf_cursor_limit(&c, 100);
    cr_expect_eq(nf_cursor_left(&c), 3);
    cr_expect_eq(nf_cursor_be32(&c), 0);
    cr_expect(c.bad);
    cr_expect_eq(nf_cursor_be16(&c), 0x0506);
    cr_expect_eq(nf_cursor_u8(&c), 7);
    cr_expect_eq(nf_cursor_u8(&c), 0);
}

Test(base, bitmaps_agree_with_single_bits)
{
    uint8_t src[40], dst[40], want[40];

    srand(1);
    for (int round = 0; round < 3000; round++) {
        int from = rand() % 100, to = rand() % 100, n = rand() % 200;
        int64_t ones = 0;
        for (size_t i = 0; i < sizeof src; i++) {
            src[i] = (uint8_t)rand();
            dst[i] = want[i] = (uint8_t)rand();
        }
        for (int i = 0; i < n; i++) {
            bool bit = nf_bitmap_get(src, from + i);
            ones += bit;
            bit ? nf_bitmap_set(want, to + i) : nf_bitmap_clear(want, to + i);
        }
        nf_bitmap_copy(dst, to, src, from, n);
        cr_assert_arr_eq(dst, want, sizeof dst);
        cr_assert_eq(nf_bitmap_count(src, from, n), ones);
        nf_bitmap_fill(dst, to, n, round & 1);
        cr_assert_eq(nf_bitmap_count(dst, to, n), round & 1 ? n : 0);
    }
}

/* Every bit of a key, and of the secret, moves about half of the bits of its hash, those that choose a slot among them. */
Test(base, hash_of_words)
{
    uint64_t secret[NF_SECRET_BYTES / 8], key[NF_HASH_WORDS];
    uint64_t state = 5;

    for (size_t i = 0; i < sizeof secret / 8; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        secret[i] = state ^ state >> 29;
    }
    for (size_t i = 0; i < NF_HASH_WORDS; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        key[i] = state ^ state >> 29;
    }
    for (size_t bit = 0; bit < 64 * (NF_HASH_WORDS + 6); bit++) {
        bool of_key = bit < 64 * NF_HASH_WORDS;
        uint64_t *word = of_key ? &key[bit / 64] : &secret[bit / 64 - NF_HASH_WORDS];
        uint64_t before = nf_hash_words(secret, key);
        uint64_t differ;
        *word ^= UINT64_C(1) << bit % 64;
        differ = before ^ nf_hash_words(secret, key);
        *word ^= UINT64_C(1) << bit % 64;
        cr_expect_geq(__builtin_popcountll(differ), 10, "bit %zu: %llx", bit, (unsigned long long)differ);
        cr_expect_neq(differ >> 48, 0, "bit %zu: %llx", bit, (unsigned long long)differ);
    }
}

Test(base, map_finds_removes_and_grows)
{
    enum { N = 20000 };
    netfeat_ctx *ctx = NULL;
    nf_map map = {0};
    static uint64_t keys[N];
    static bool in[N];
    uint64_t empty;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    empty = netfeat_ctx_memory_used(ctx);
    srand(2);
    for (int i = 0; i < N; i++) {
        keys[i] = (uint64_t)i * 7919;
    }
    for (int round = 0; round < 4 * N; round++) {
        uint32_t k = (uint32_t)rand() % N;
        uint64_t h =
            nf_hash(nf_ctx_secret(ctx), &keys[k], sizeof keys[k]) & 0x3ff00ffffffff; /* force collisions */
        uint64_t pos = nf_map_start(&map, h);
        uint32_t e;
        while ((e = nf_map_next(&map, h, &pos)) != NF_MAP_NONE && keys[e] != keys[k]) {
            pos++;
        }
        cr_assert_eq(e != NF_MAP_NONE, in[k]);
        if (in[k]) {
            cr_assert_eq(e, k);
            if (round & 1) {
                nf_map_remove(&map, pos);
                in[k] = false;
            }
        } else {
            cr_assert_eq(nf_map_ready(ctx, &map), 0);
            nf_map_insert(&map, h, k);
            in[k] = true;
        }
    }
    nf_map_clear(&map);
    cr_expect_eq(map.count, 0);
    nf_map_free(ctx, &map);
    cr_expect_eq(netfeat_ctx_memory_used(ctx), empty);
    netfeat_ctx_unref(ctx);
}

Test(base, utf8)
{
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {{"", true},
                 {"plain ascii, longer than eight", true},
                 {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", true},
                 {"\xc0\x80", false},
                 {"\xc1\xbf", false},
                 {"\xe0\x9f\xbf", false},
                 {"\xed\xa0\x80", false},
                 {"\xf0\x8f\xbf\xbf", false},
                 {"\xf4\x90\x80\x80", false},
                 {"\xf5\x80\x80\x80", false},
                 {"\xe2\x82", false},
                 {"\x80", false},
                 {"12345678\xff", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_expect_eq(nf_utf8_valid(cases[i].text, strlen(cases[i].text)), cases[i].valid, "case %zu", i);
    }
}

Test(base, checked_arithmetic)
{
    size_t s;
    int64_t i;

    cr_expect(nf_add_size(SIZE_MAX - 1, 1, &s));
    cr_expect(!nf_add_size(SIZE_MAX, 1, &s));
    cr_expect(!nf_mul_size(SIZE_MAX / 2 + 1, 2, &s));
    cr_expect(!nf_add_i64(INT64_MAX, 1, &i));
    cr_expect(!nf_mul_i64(INT64_MIN, -1, &i));
}
