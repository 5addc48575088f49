/* The inputs of the scenarios: one capture of each kind, built here. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/compress.h"
#include "scene.h"

#define CLIENT UINT32_C(0x0a000001)
#define SERVER UINT32_C(0xc6336450)

static const char *const input_names[] = {"mixed.pcap",    "notes.pcapng",  "traffic.pcap", "services",
                                          "saved.arrow",   "packed.arrows", "packed.arrow", "big.arrow",
                                          "folder/a.pcap", "folder/b.pcap"};

static void write_file(scene *s, const char *name, const void *data, size_t size)
{
    FILE *f = fopen(scene_path(s, name), "wb");

    if (f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0) {
        perror(name);
        exit(2);
    }
}

/* ---- traffic: conversations out of order, fragments, what is no IP ---- */

typedef struct {
    bytes file;
    uint32_t now;
} recorder;

static void put_segment(recorder *r, unsigned who, int to_client, unsigned flags, uint32_t seq, uint32_t ack,
                        const char *text)
{
    bytes frame = {0};
    size_t n = strlen(text);

    put_ethernet(&frame, 0x0800);
    put_ipv4(&frame, to_client ? SERVER : CLIENT + who, to_client ? CLIENT + who : SERVER, 6, 20 + n);
    put16(&frame, to_client ? 80 : 40000 + who);
    put16(&frame, to_client ? 40000 + who : 80);
    put32(&frame, seq + (to_client ? 9000 : 1000));
    put32(&frame, flags & 0x10 ? ack + (to_client ? 1000 : 9000) : 0);
    put16(&frame, 0x5000 | flags);
    put16(&frame, 4096);
    put32(&frame, 0);
    put_bytes(&frame, text, n);
    put_whole_frame(&r->file, r->now++, &frame);
}

/* With the second segment of the client in front of the first, and one repeated. */
static void put_conversation(recorder *r, unsigned who)
{
    put_segment(r, who, 0, 0x02, 0, 0, "");
    put_segment(r, who, 1, 0x12, 0, 1, "");
    put_segment(r, who, 0, 0x10, 1, 1, "");
    put_segment(r, who, 0, 0x18, 7, 1, "second");
    put_segment(r, who, 0, 0x18, 1, 1, "first ");
    put_segment(r, who, 1, 0x18, 1, 13, "an answer");
    put_segment(r, who, 1, 0x18, 1, 13, "an answer");
    put_segment(r, who, 1, 0x18, 20, 13, "behind a hole");
    put_segment(r, who, 0, 0x11, 13, 10, "");
    if (who % 2 == 0) {
        put_segment(r, who, 1, 0x11, 33, 14, "");
        put_segment(r, who, 0, 0x10, 14, 34, "");
    }
}

/* A UDP datagram of 64 bytes in two halves, the second one first. */
static void put_fragments(recorder *r, unsigned id)
{
    for (int half = 1; half >= 0; half--) {
        bytes frame = {0};
        put_ethernet(&frame, 0x0800);
        put16(&frame, 0x4500);
        put16(&frame, 20 + 32);
        put16(&frame, id);
        put16(&frame, half ? 4 : 0x2000);
        put16(&frame, 64 << 8 | 17);
        put16(&frame, 0);
        put32(&frame, CLIENT);
        put32(&frame, SERVER);
        if (half == 0) {
            put_udp(&frame, 5353, 53, 24);
            frame.p[14 + 20 + 5] = 64;
        } else {
            put_data(&frame, 32, id);
        }
        put_whole_frame(&r->file, r->now++, &frame);
    }
}

static bytes make_traffic(void)
{
    recorder r = {.now = 100};

    put_pcap(&r.file, 0xa1b2c3d4, 2, 4, 1);
    for (unsigned who = 0; who < 5; who++) {
        bytes frame = {0};
        put_conversation(&r, who);
        put_fragments(&r, who);
        put_ethernet(&frame, 0x0800);
        put_ipv4(&frame, CLIENT + who, SERVER, 17, 8 + 20);
        put_udp(&frame, 50000 + who, 53, 20);
        put_whole_frame(&r.file, r.now++, &frame);
    }
    put_segment(&r, 9, 0, 0x02, 0, 0, "");
    return r.file;
}

/* ---- a capture with notes ---- */

static void put_text_option(bytes *b, unsigned kind, const char *text)
{
    put16(b, kind);
    put16(b, strlen(text));
    put_bytes(b, text, strlen(text));
    put_number(b, 0, (0 - strlen(text)) % 4);
}

static bytes make_notes(void)
{
    bytes b = {0};
    bytes body = {0};

    put32(&body, 0x1a2b3c4d);
    put16(&body, 1);
    put16(&body, 0);
    put_number(&body, UINT64_MAX, 8);
    put_text_option(&body, 1, "a comment on the section");
    put_text_option(&body, 2, "a machine");
    put_option(&body, 0, 0, 0);
    put_block(&b, 0x0a0d0d0a, &body, 0);
    for (unsigned i = 0; i < 10; i++) {
        bytes packet = {0};
        put_interface(&b, 1, 65535, 9, 0);
        put32(&packet, i);
        put32(&packet, 0);
        put32(&packet, i);
        put32(&packet, 60);
        put32(&packet, 60);
        put_data(&packet, 60, i);
        put_text_option(&packet, 1, "a comment on the packet");
        put_option(&packet, 0, 0, 0);
        put_block(&b, 6, &packet, 0);
    }
    memset(&body, 0, sizeof body);
    put16(&body, 1); /* a name */
    put16(&body, 4 + 5);
    put32(&body, 0x0100000a);
    put_bytes(&body, "name", 5);
    put_number(&body, 0, 3);
    put32(&body, 0);
    put_block(&b, 4, &body, 0);
    return b;
}

/* ---- tables ---- */

static void must(netfeat_ctx *ctx, int code, const char *what)
{
    if (code != 0) {
        fprintf(stderr, "%s: %s: %s\n", what, netfeat_error_name(code), netfeat_ctx_error_message(ctx));
        exit(2);
    }
}

/* Five megabytes in one column: more than what the default allocator takes from the heap. */
static netfeat_table *make_big(netfeat_ctx *ctx, uint64_t *numbers, int64_t n)
{
    static const char *const name[] = {"n"};
    netfeat_column *col = NULL;
    netfeat_table *tab = NULL;

    for (int64_t i = 0; i < n; i++) {
        numbers[i] = (uint64_t)i;
    }
    must(ctx, netfeat_column_wrap(ctx, NETFEAT_TYPE_U64, n, numbers, NULL, NULL, NULL, &col), "wrap");
    must(ctx, netfeat_table_from_columns(ctx, name, &col, 1, &tab), "big table");
    netfeat_column_unref(col);
    return tab;
}

static void make_tables(scene *s)
{
    static uint64_t numbers[650000];
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    netfeat_table *big;

    must(NULL, netfeat_ctx_new(&ctx), "context");
    must(ctx, netfeat_options_new(ctx, &opts), "options");
    must(ctx, netfeat_options_set_int(opts, NETFEAT_OPT_TABLE_KEEP_PAYLOAD, 1), "payload");
    must(ctx, netfeat_options_set_int(opts, NETFEAT_OPT_IO_SYNC, 0), "sync");
    must(ctx, netfeat_source_open_file(ctx, scene_path(s, "traffic.pcap"), NULL, &src), "open");
    must(ctx, netfeat_table_from_source(ctx, src, opts, &s->packets), "table");
    must(ctx, netfeat_table_save_file(ctx, s->packets, scene_path(s, "saved.arrow"), opts), "save");
    if (netfeat_build_has("zstd")) {
        must(ctx, netfeat_options_set_text(opts, NETFEAT_OPT_IO_COMPRESSION, "zstd"), "zstd");
    }
    must(ctx, netfeat_options_set_int(opts, NETFEAT_OPT_IO_BATCH_ROWS, 16), "rows");
    must(ctx, netfeat_table_save_file(ctx, s->packets, scene_path(s, "packed.arrows"), opts), "save");
    if (netfeat_build_has("lz4")) {
        must(ctx, netfeat_options_set_text(opts, NETFEAT_OPT_IO_COMPRESSION, "lz4"), "lz4");
    }
    must(ctx, netfeat_table_save_file(ctx, s->packets, scene_path(s, "packed.arrow"), opts), "save");
    must(ctx, netfeat_options_set_text(opts, NETFEAT_OPT_IO_COMPRESSION, "none"), "none");
    must(ctx, netfeat_options_set_int(opts, NETFEAT_OPT_IO_BATCH_ROWS, 0), "rows");
    big = make_big(ctx, numbers, (int64_t)(sizeof numbers / sizeof numbers[0]));
    must(ctx, netfeat_table_save_file(ctx, big, scene_path(s, "big.arrow"), opts), "save");
    netfeat_table_unref(big);
    netfeat_source_unref(src);
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}

void scene_set_up(scene *s, char *dir_template)
{
    static const char services[] = "http 80/tcp www\nhttps 443/tcp # comment\ndomain 53/udp\n";
    bytes mixed = {0};
    bytes notes = make_notes();
    bytes traffic = make_traffic();

    memset(s, 0, sizeof *s);
    s->dir = mkdtemp(dir_template);
    if (s->dir == NULL) {
        perror("mkdtemp");
        exit(2);
    }
    put_mixed_pcap(&mixed, 150); /* more than two of the library's inner batches */
    write_file(s, "mixed.pcap", mixed.p, mixed.n);
    if (mkdir(scene_path(s, "folder"), 0700) != 0) {
        perror("folder");
        exit(2);
    }
    write_file(s, "folder/a.pcap", mixed.p, mixed.n);
    write_file(s, "folder/b.pcap", traffic.p, traffic.n);
    write_file(s, "notes.pcapng", notes.p, notes.n);
    write_file(s, "traffic.pcap", traffic.p, traffic.n);
    write_file(s, "services", services, sizeof services - 1);
    for (int i = 0; compressors[i].name != NULL; i++) {
        bytes packed = {0};
        compressors[i].compress(&packed, mixed.p, mixed.n, 0);
        write_file(s, compressors[i].name, packed.p, packed.n);
        free(packed.p);
    }
    make_tables(s);
    free(mixed.p);
    free(notes.p);
    free(traffic.p);
}

void scene_tear_down(scene *s)
{
    for (size_t i = 0; i < sizeof input_names / sizeof input_names[0]; i++) {
        unlink(scene_path(s, input_names[i]));
    }
    for (int i = 0; compressors[i].name != NULL; i++) {
        unlink(scene_path(s, compressors[i].name));
    }
    for (int i = 0; scene_cases[i].name != NULL; i++) {
        if (scene_cases[i].target != NULL) {
            unlink(scene_path(s, scene_cases[i].target));
        }
    }
    netfeat_table_unref(s->packets);
    rmdir(scene_path(s, "folder"));
    if (rmdir(s->dir) != 0) {
        perror(s->dir);
        exit(2);
    }
}

const char *scene_path(scene *s, const char *name)
{
    char *path = s->paths[s->at++ % 4];

    snprintf(path, sizeof s->paths[0], "%s/%s", s->dir, name);
    return path;
}

int scene_leave(scene *s, netfeat_ctx *ctx, int code)
{
    if (ctx != NULL && code < 0 && s->message[0] == '\0') {
        snprintf(s->message, sizeof s->message, "%s", netfeat_ctx_error_message(ctx));
        s->error_number = netfeat_ctx_error_errno(ctx);
    }
    netfeat_ctx_unref(ctx);
    return code;
}
