/* Packets of a capture into one of their own: pcap with nanoseconds, little-endian whatever the machine. */
#include <stdlib.h>
#include <string.h>

#include <netfeat/export.h>
#include <netfeat/source.h>

#include "base/options.h"
#include "export/out.h"
#include "table/column.h"

#define MAGIC_NS    UINT32_C(0xa1b23c4d)
#define SNAPLEN     262144 /* what libpcap takes for the most */
#define NS          INT64_C(1000000000)
#define SECONDS_MAX INT64_C(0xffffffff)

typedef struct {
    netfeat_ctx *ctx;
    netfeat_source *src;
    const netfeat_column *row_ids;
    uint64_t *ids; /* sorted */
    size_t n;
    nf_out out;
    int link_type; /* of the packets written; -1 before the first */
    int64_t written;
} cutter;

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool is_wanted(const cutter *c, int64_t row)
{
    const uint64_t *ids = (const uint64_t *)(const void *)c->row_ids->data;

    return nf_column_present(c->row_ids, row) &&
           bsearch(&ids[row], c->ids, c->n, sizeof *c->ids, compare_ids) != NULL;
}

static void put16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *p, uint32_t value)
{
    put16(p, value & 0xffff);
    put16(p + 2, value >> 16);
}

static int write_header(cutter *c, int link_type)
{
    uint8_t head[24] = {0};

    put32(head, MAGIC_NS);
    put16(head + 4, 2); /* version 2.4 */
    put16(head + 6, 4);
    put32(head + 16, SNAPLEN);
    put32(head + 20, (uint32_t)link_type);
    return nf_out_write(&c->out, head, sizeof head);
}

static int write_packet(cutter *c)
{
    int64_t number = netfeat_source_packet_number(c->src);
    int link_type = netfeat_source_packet_link_type(c->src);
    int64_t time = 0;
    uint32_t captured = 0;
    const void *data = netfeat_source_packet_data(c->src, &captured);
    uint8_t head[16];
    int code = NETFEAT_OK;

    (void)netfeat_source_packet_time(c->src, &time); /* without one: 0 */
    if (time < 0 || time / NS > SECONDS_MAX) {
        return nf_error_at(c->ctx, NETFEAT_ERR_RANGE, number, -1,
                           "no pcap file can say the time of the packet");
    }
    if (c->link_type >= 0 && link_type != c->link_type) {
        return nf_error_at(c->ctx, NETFEAT_ERR_UNSUPPORTED, number, -1,
                           "the packets have link types %d and %d: a pcap file has one", c->link_type,
                           link_type);
    }
    if (c->link_type < 0) {
        c->link_type = link_type;
        code = write_header(c, link_type);
    }
    put32(head, (uint32_t)(time / NS));
    put32(head + 4, (uint32_t)(time % NS));
    put32(head + 8, captured);
    put32(head + 12, netfeat_source_packet_wire_length(c->src));
    code = code != 0 ? code : nf_out_write(&c->out, head, sizeof head);
    code = code != 0 || captured == 0 ? code : nf_out_write(&c->out, data, captured);
    c->written += code == 0;
    return code;
}

static int copy_packets(cutter *c)
{
    int code = NETFEAT_OK;
    int step;

    for (int64_t row = 0; code == 0 && row < c->row_ids->length; row++) {
        step = netfeat_source_step(c->src);
        if (step < 0) {
            return step;
        }
        if (step == 0) {
            return nf_error(c->ctx, NETFEAT_ERR_RANGE,
                            "the source ends after %lld packets, row_ids has %lld rows", (long long)row,
                            (long long)c->row_ids->length);
        }
        code = is_wanted(c, row) ? write_packet(c) : NETFEAT_OK;
    }
    step = code == 0 ? netfeat_source_step(c->src) : 0;
    if (step > 0) {
        return nf_error(c->ctx, NETFEAT_ERR_RANGE, "the source has more packets than row_ids has rows (%lld)",
                        (long long)c->row_ids->length);
    }
    if (step == NETFEAT_ERR_CANCELLED) {
        return step;
    }
    return code != 0 || c->link_type >= 0 ? code : write_header(c, 1); /* none: an empty Ethernet capture */
}

static int check_arguments(netfeat_ctx *ctx, const netfeat_source *src, const netfeat_column *row_ids,
                           const uint64_t *ids, size_t n, const char *path)
{
    if (src == NULL || row_ids == NULL || path == NULL || (ids == NULL && n > 0)) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "packets_save_file: a pointer is NULL");
    }
    if (row_ids->type != NETFEAT_TYPE_U64) {
        return nf_error(ctx, NETFEAT_ERR_TYPE, "packets_save_file: row_ids is of type %s, not u64",
                        netfeat_type_name(row_ids->type));
    }
    return NETFEAT_OK;
}

int64_t netfeat_packets_save_file(netfeat_ctx *ctx, netfeat_source *src, const netfeat_column *row_ids,
                                  const uint64_t *ids, size_t n, const char *path,
                                  const netfeat_options *opts)
{
    cutter c = {.ctx = ctx,
                .src = src,
                .row_ids = row_ids,
                .n = n,
                .out = {.fd = -1, .directory = -1},
                .link_type = -1};
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    code = check_arguments(ctx, src, row_ids, ids, n, path);
    if (code != 0) {
        return code;
    }
    c.ids = nf_alloc_array(ctx, n + 1, sizeof *c.ids); /* never 0 bytes */
    if (c.ids == NULL) {
        return nf_ctx_code(ctx);
    }
    if (n > 0) {
        memcpy(c.ids, ids, n * sizeof *c.ids);
        qsort(c.ids, n, sizeof *c.ids, compare_ids);
    }
    c.out.ctx = ctx;
    code = nf_out_open_file(&c.out, ctx, path, (int)nf_option(opts, NETFEAT_OPT_IO_FILE_MODE),
                            nf_option(opts, NETFEAT_OPT_IO_SYNC) != 0);
    code = code != 0 ? code : copy_packets(&c);
    code = code != 0 ? code : nf_out_finish(&c.out);
    nf_out_close(&c.out);
    nf_free(ctx, c.ids, (n + 1) * sizeof *c.ids);
    return code != 0 ? code : c.written;
}
