/* What captures say beside packets: interfaces, statistics, comments, names. */
#include <criterion/criterion.h>

#include "../support/capture_bytes.h"
#include "../support/torture.h"

static void put_text(bytes *b, unsigned kind, const char *text)
{
    size_t n = strlen(text);

    put16(b, kind);
    put16(b, n);
    put_bytes(b, text, n);
    put_number(b, 0, (0 - n) % 4);
}

/* Two sections; the second has one interface, too, and comments on everything. */
static bytes talkative(bool big)
{
    static const uint8_t ipv6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
    bytes b = {.big = big};
    bytes body = {.big = big};

    put_section(&b);
    put_interface(&b, 113, 77, 9, 0);
    put_enhanced(&b, 0, 1, 8, 8);

    put32(&body, 0x1a2b3c4d);
    put16(&body, 1);
    put16(&body, 0);
    put_number(&body, UINT64_MAX, 8);
    put_text(&body, 1, "of the section");
    put_text(&body, 2, "a machine");
    put_text(&body, 3, "a system");
    put_text(&body, 4, "a program");
    put_text(&body, 99, "unknown");
    put_block(&b, 0x0a0d0d0a, &body, 0);

    body = (bytes){.big = big};
    put16(&body, 1);
    put16(&body, 0);
    put32(&body, 0);
    put_text(&body, 2, "wlan0");
    put_text(&body, 3, "caf\xc3\xa9");
    put_text(&body, 1, "bad \xff byte");
    put_option(&body, 0, 0, 0);
    put_block(&b, 1, &body, 0);

    body = (bytes){.big = big};
    put32(&body, 0);
    put32(&body, 0);
    put32(&body, 5);
    put32(&body, 3);
    put32(&body, 3);
    put_data(&body, 3, 3);
    put_number(&body, 0, 1);
    put_text(&body, 1, "first");
    put_text(&body, 1, "second");
    put_block(&b, 6, &body, 0);

    body = (bytes){.big = big};
    put16(&body, 1);
    put16(&body, 4 + 4 + 6);
    put_bytes(&body, "\xc0\0\2\1one\0three\0", 4 + 4 + 6);
    put_number(&body, 0, 2);
    put16(&body, 2);
    put16(&body, 16 + 2);
    put_bytes(&body, ipv6, 16);
    put_bytes(&body, "v6", 2); /* without a NUL */
    put_number(&body, 0, 2);
    put32(&body, 0);
    put_block(&b, 4, &body, 0);

    body = (bytes){.big = big};
    put32(&body, 0);
    put32(&body, 0);
    put32(&body, 6);
    put_option(&body, 4, 1234567890123, 8);
    put_option(&body, 5, UINT64_MAX, 8);
    put_option(&body, 0, 0, 0);
    put_block(&b, 5, &body, 0);
    put_enhanced(&b, 0, 1, 8, 8);
    return b;
}

static const struct {
    int kind;
    int64_t packet;
    uint32_t interface_id;
    const char *text;
    uint8_t last; /* byte of the address */
} want[] = {
    {NETFEAT_NOTE_SECTION_COMMENT, 0, 0, "of the section", 0},
    {NETFEAT_NOTE_HARDWARE, 0, 0, "a machine", 0},
    {NETFEAT_NOTE_SYSTEM, 0, 0, "a system", 0},
    {NETFEAT_NOTE_APPLICATION, 0, 0, "a program", 0},
    {NETFEAT_NOTE_INTERFACE_COMMENT, 0, 1, "bad ? byte", 0},
    {NETFEAT_NOTE_PACKET_COMMENT, 2, 1, "first", 0},
    {NETFEAT_NOTE_PACKET_COMMENT, 2, 1, "second", 0},
    {NETFEAT_NOTE_NAME, 0, 0, "one", 1},
    {NETFEAT_NOTE_NAME, 0, 0, "three", 1},
    {NETFEAT_NOTE_NAME, 0, 0, "v6", 1},
};
enum { WANTED = sizeof want / sizeof want[0] };

static netfeat_source *open_talkative(netfeat_ctx *ctx, const bytes *b, int64_t max_notes)
{
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_NOTES, max_notes), 0);
    cr_assert_eq(netfeat_source_open_memory(ctx, b->p, b->n, opts, &src), 0, "%s",
                 netfeat_ctx_error_message(ctx));
    netfeat_options_unref(opts);
    return src;
}

Test(notes, interfaces)
{
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    for (int k = 0; k < 4; k++) {
        bytes b = talkative(k & 1);
        netfeat_source *src = open_talkative(ctx, &b, k / 2);
        int64_t n = 7;

        cr_expect_eq(netfeat_source_interface_count(src), 0);
        cr_expect_eq(netfeat_source_interface_link_type(src, 0), NETFEAT_ERR_NOTFOUND);
        cr_expect_eq(netfeat_source_step(src), 1);
        cr_expect_eq(netfeat_source_interface_count(src), 1);
        cr_expect_str_eq(netfeat_source_interface_name(src, 0), k & 1 ? "eth0" : "0hte");
        cr_expect_null(netfeat_source_interface_description(src, 0));
        cr_expect_eq(netfeat_source_interface_link_type(src, 0), 113);
        cr_expect_eq(netfeat_source_interface_snaplen(src, 0), 77);
        cr_expect_eq(netfeat_source_interface_received(src, 0, &n), 0);
        cr_expect_eq(netfeat_source_step(src), 1);
        cr_expect_eq(netfeat_source_packet_interface(src), 1);
        cr_expect_eq(netfeat_source_interface_received(src, 1, &n), 0, "not yet");
        cr_expect_eq(n, 7);
        cr_expect_eq(netfeat_source_step(src), 1);
        cr_expect_eq(netfeat_source_step(src), 0);
        cr_expect_eq(netfeat_source_interface_count(src), 2);
        cr_expect_str_eq(netfeat_source_interface_name(src, 1), "wlan0");
        cr_expect_str_eq(netfeat_source_interface_description(src, 1), "caf\xc3\xa9");
        cr_expect_eq(netfeat_source_interface_received(src, 1, &n), 1);
        cr_expect_eq(n, 1234567890123);
        cr_expect_eq(netfeat_source_interface_dropped(src, 1, &n), 1);
        cr_expect_eq(n, INT64_MAX, "does not fit");
        cr_expect_eq(netfeat_source_interface_dropped(src, 0, &n), 0);
        cr_expect_eq(netfeat_source_interface_dropped(src, 0, NULL), NETFEAT_ERR_ARGUMENT);
        cr_expect_eq(netfeat_source_interface_snaplen(src, 2), NETFEAT_ERR_NOTFOUND);
        cr_expect_eq(netfeat_source_interface_received(src, 2, &n), NETFEAT_ERR_NOTFOUND);
        netfeat_source_unref(src);
        free(b.p);
    }
    cr_expect_eq(netfeat_source_interface_count(NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_interface_link_type(NULL, 0), NETFEAT_ERR_ARGUMENT);
    cr_expect_null(netfeat_source_interface_name(NULL, 0));
    netfeat_ctx_unref(ctx);
}

Test(notes, comments_and_names)
{
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    for (int k = 0; k < 4; k++) {
        bytes b = talkative(k & 1);
        outcome quiet = read_memory(ctx, NULL, b.p, b.n, NF_BATCH);
        netfeat_source *src = open_talkative(ctx, &b, 100);
        uint64_t digest = 0xcbf29ce484222325;
        nf_record r;
        int i = 0;

        cr_expect_eq(netfeat_source_note_next(src), 0);
        cr_expect_eq(netfeat_source_note_kind(src), 0);
        for (bool more = true; more;) {
            more = nf_source_next(src, &r, 1) == 1;
            if (more) {
                mix_record(&digest, &r);
            }
            while ((k >= 2 || !more) && netfeat_source_note_next(src) == 1) { /* at once, or all at the end */
                const uint8_t *address = netfeat_source_note_address(src);
                cr_assert_lt(i, WANTED);
                cr_expect_eq(netfeat_source_note_kind(src), want[i].kind, "note %d", i);
                cr_expect_str_eq(netfeat_source_note_text(src), want[i].text);
                cr_expect_eq(netfeat_source_note_packet(src), want[i].packet, "note %d", i);
                cr_expect_eq(netfeat_source_note_interface(src), want[i].interface_id, "note %d", i);
                cr_expect_eq(address != NULL, want[i].last != 0);
                cr_expect(address == NULL || address[15] == want[i].last);
                i++;
            }
        }
        cr_expect_eq(i, WANTED);
        cr_expect_eq(digest, quiet.digest, "packets do not depend on it");
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_NOTES_DROPPED), 0);
        netfeat_source_unref(src);

        src = open_talkative(ctx, &b, 3);
        while (nf_source_next(src, &r, 1) == 1) {
        }
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_NOTES_DROPPED), WANTED - 3);
        for (i = 0; netfeat_source_note_next(src) == 1; i++) {
            cr_expect_str_eq(netfeat_source_note_text(src), want[i].text);
        }
        cr_expect_eq(i, 3);
        netfeat_source_unref(src);
        free(b.p);
    }
    cr_expect_eq(netfeat_source_note_next(NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_null(netfeat_source_note_text(NULL));
    cr_expect_null(netfeat_source_note_address(NULL));
    netfeat_ctx_unref(ctx);
}

/* Whatever stands in options, the packets are those that come without a look at the options, or fewer. */
Test(notes, hostile_bytes)
{
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    bytes b = talkative(false);
    uint64_t before;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_NOTES, 8), 0);
    before = netfeat_ctx_memory_used(ctx);
    for (size_t at = 0; at < b.n; at++) {
        for (int k = 0; k < 4; k++) {
            static const uint8_t xors[] = {0xff, 0x01, 0x80, 0x10};
            outcome o;
            outcome quiet;
            b.p[at] ^= xors[k];
            o = read_memory(ctx, opts, b.p, b.n, NF_BATCH);
            quiet = read_memory(ctx, NULL, b.p, b.n, NF_BATCH);
            cr_expect_eq(o.digest, quiet.digest, "byte %zu", at);
            cr_expect_eq(o.code, quiet.code, "byte %zu", at);
            b.p[at] ^= xors[k];
        }
    }
    for (size_t n = 0; n < b.n; n++) {
        outcome o = read_memory(ctx, opts, b.p, n, NF_BATCH);
        outcome quiet = read_memory(ctx, NULL, b.p, n, NF_BATCH);
        cr_expect(o.code == quiet.code && o.digest == quiet.digest && o.offset == quiet.offset, "cut at %zu",
                  n);
    }
    cr_expect_eq(netfeat_ctx_memory_used(ctx), before);
    netfeat_options_unref(opts);
    free(b.p);
    netfeat_ctx_unref(ctx);
}

static int read_notes(torture *t, netfeat_ctx *ctx, const bytes *b, uint64_t *ret)
{
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    uint64_t digest = 1;
    int code = netfeat_options_new(ctx, &opts);

    (void)t;
    code = code < 0 ? code : netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_NOTES, 100);
    code = code < 0 ? code : netfeat_source_open_memory(ctx, b->p, b->n, opts, &src);
    while (code == 0 && (code = netfeat_source_step(src)) > 0) {
        code = 0;
        while (netfeat_source_note_next(src) == 1) {
            mix(&digest, netfeat_source_note_text(src), strlen(netfeat_source_note_text(src)));
        }
        if (netfeat_source_packet_number(src) == 3) {
            break;
        }
    }
    netfeat_source_unref(src);
    netfeat_options_unref(opts);
    *ret = digest;
    return code;
}

static int notes_case(torture *t, void *user)
{
    netfeat_ctx *ctx = NULL;
    uint64_t digest = 0;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        return code;
    }
    TRY(t, read_notes(t, ctx, user, &digest));
    torture_saw(t, &digest, sizeof digest);
out:
    netfeat_ctx_unref(ctx);
    return code;
}

Test(notes, every_allocation_may_fail)
{
    bytes b = talkative(true);
    uint64_t points = 0;
    const char *wrong = torture_run(notes_case, &b, &points);

    cr_expect_null(wrong, "%s", wrong);
    cr_expect_gt(points, 20);
    free(b.p);
}
