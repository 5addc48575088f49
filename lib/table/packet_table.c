/* The packet table while it grows: batches of records are decoded into headers, then gathered column by
 * column. */
#include <assert.h>
#include <string.h>

#include <netfeat/field.h>

#include "base/options.h"
#include "capture/record.h"
#include "decode/packet.h"
#include "table/gather.h"
#include "table/table.h"

#define RESERVE_ROWS 65536 /* reserved ahead at most */

/* What the record says by itself; everything else needs the headers to be decoded. */
#define RECORD_BITS                                                                                          \
    (NF_BIT(PACKET_NUMBER) | NF_BIT(FILE_INDEX) | NF_BIT(INTERFACE_ID) | NF_BIT(LINK_TYPE) |                 \
     NF_BIT(TIMESTAMP) | NF_BIT(FRAME_LENGTH) | NF_BIT(CAPTURED_LENGTH))

struct nf_packet_builder {
    nf_decode_config config;
    int64_t max_rows;  /* 0: no bound */
    int64_t last_time; /* of append_packet */
    int64_t pushed;    /* rows of append_packet */
    int64_t reserved;  /* rows that there is room for, payload bytes apart */
    int fields[NF_FIELD_COUNT];
    nf_builder builders[NF_FIELD_COUNT]; /* one per column of the table */
    nf_record records[NF_BATCH];
    nf_packet packets[NF_BATCH];
};

void nf_packet_builder_free(netfeat_ctx *ctx, nf_packet_builder *pb)
{
    if (pb == NULL) {
        return;
    }
    for (int i = 0; i < NF_FIELD_COUNT && pb->builders[i].ctx != NULL; i++) {
        nf_builder_free(&pb->builders[i]);
    }
    nf_free(ctx, pb, sizeof *pb);
}

/* ---- which columns ---- */

typedef struct {
    int ids[NF_FIELD_COUNT];
    int n;
    uint64_t set;
} field_list;

static int add_field(netfeat_ctx *ctx, field_list *list, const char *name, size_t length)
{
    char copy[32];
    int id = NETFEAT_ERR_NOTFOUND;

    if (length < sizeof copy) {
        memcpy(copy, name, length);
        copy[length] = '\0';
        id = netfeat_field_by_name(copy);
    }
    if (id < 0) {
        return nf_error(ctx, NETFEAT_ERR_NOTFOUND, "no packet field is called \"%.*s\"",
                        (int)(length < 64 ? length : 64), name);
    }
    if (list->set >> id & 1) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "column %s is asked for twice", copy);
    }
    list->set |= UINT64_C(1) << id;
    list->ids[list->n++] = id;
    return NETFEAT_OK;
}

/* The ordinary ones that the list does not have yet. */
static void add_all_fields(field_list *list)
{
    for (int id = netfeat_field_next(0); id != 0; id = netfeat_field_next(id)) {
        if (!((NF_OPTIONAL_BITS | list->set) >> id & 1)) {
            list->ids[list->n++] = id;
            list->set |= UINT64_C(1) << id;
        }
    }
}

static int choose_fields(netfeat_ctx *ctx, const netfeat_options *opts, field_list *list)
{
    const char *p = netfeat_options_get_text(opts, NETFEAT_OPT_TABLE_COLUMNS);
    int code = NETFEAT_OK;

    p += strspn(p, " ");
    if (*p == '\0') {
        add_all_fields(list);
    }
    while (code == 0 && *p != '\0') {
        size_t part = strcspn(p, ",");
        size_t length = part;
        while (length > 0 && p[length - 1] == ' ') {
            length--;
        }
        if (length == 1 && *p == '*') {
            add_all_fields(list);
        } else {
            code = add_field(ctx, list, p, length);
        }
        p += part;
        if (*p == ',') {
            p++;
            p += strspn(p, " ");
            if (*p == '\0' && code == 0) {
                code = nf_error(ctx, NETFEAT_ERR_NOTFOUND, "the list of columns ends with a comma");
            }
        }
    }
    if (code == 0 && nf_option(opts, NETFEAT_OPT_TABLE_KEEP_PAYLOAD) != 0 && !(list->set & NF_BIT(PAYLOAD))) {
        list->set |= NF_BIT(PAYLOAD);
        list->ids[list->n++] = NETFEAT_FIELD_PAYLOAD;
    }
    return code;
}

int nf_table_decoding(netfeat_ctx *ctx, const netfeat_options *opts, nf_decode_config *config)
{
    const char *tunnels = netfeat_options_get_text(opts, NETFEAT_OPT_TABLE_TUNNELS);
    const char *ports = netfeat_options_get_text(opts, NETFEAT_OPT_TABLE_TUNNEL_PORTS), *bad = NULL;

    config->max_layers = (uint32_t)nf_option(opts, NETFEAT_OPT_TABLE_MAX_LAYERS);
    config->verify_checksums = nf_option(opts, NETFEAT_OPT_TABLE_VERIFY_CHECKSUMS) != 0;
    config->outermost = strcmp(tunnels, "outermost") == 0;
    if (!config->outermost && strcmp(tunnels, "innermost") != 0) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT,
                        "table.tunnels is \"innermost\" or \"outermost\", not \"%.64s\"", tunnels);
    }
    if (!nf_decode_tunnel_ports(config, ports, &bad)) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT,
                        "table.tunnel_ports: \"%.64s\" does not start with TUNNEL=PORT, or is one too many",
                        bad);
    }
    return NETFEAT_OK;
}

int netfeat_table_new(netfeat_ctx *ctx, const netfeat_options *opts, netfeat_table **ret)
{
    field_list list = {.n = 0};
    nf_decode_config config = {.want = 0};
    netfeat_table *tab = NULL;
    nf_packet_builder *pb;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "table_new: ret is NULL");
    }
    code = choose_fields(ctx, opts, &list);
    code = code != 0 ? code : nf_table_decoding(ctx, opts, &config);
    code = code != 0 ? code : nf_table_alloc(ctx, list.n, &tab);
    for (int i = 0; code == 0 && i < list.n; i++) {
        code = nf_table_set_name(tab, i, netfeat_field_name(list.ids[i]));
    }
    if (code == 0) {
        tab->growing = nf_alloc_zero(ctx, sizeof *tab->growing);
        code = tab->growing != NULL ? NETFEAT_OK : nf_ctx_code(ctx);
    }
    if (code != 0) {
        netfeat_table_unref(tab);
        return code;
    }
    pb = tab->growing;
    pb->config = config;
    pb->config.want = list.set;
    pb->max_rows = nf_option(opts, NETFEAT_OPT_TABLE_MAX_ROWS);
    pb->last_time = INT64_MIN;
    for (int i = 0; i < list.n; i++) {
        pb->fields[i] = list.ids[i];
        nf_builder_init(&pb->builders[i], ctx, netfeat_field_type(list.ids[i]));
    }
    *ret = tab;
    return NETFEAT_OK;
}

/* ---- rows ---- */

/* Room for n rows in every column but for payload bytes, before anything is taken from a source. */
static int reserve_rows(netfeat_table *tab, int n)
{
    nf_packet_builder *pb = tab->growing;
    int code = NETFEAT_OK;

    if (tab->rows + n <= pb->reserved) {
        return NETFEAT_OK;
    }
    for (int i = 0; code == 0 && i < tab->width; i++) {
        nf_builder *b = &pb->builders[i];
        code = nf_builder_reserve(b, n, 0);
        if (code == 0 && b->validity == NULL && nf_field_is_nullable(pb->fields[i]) && b->length == 0) {
            code = nf_builder_reserve_nulls(b, n);
        }
    }
    if (code == 0) {
        pb->reserved = tab->rows + n;
    }
    return code;
}

static int reserve_payload(netfeat_table *tab, int n)
{
    nf_packet_builder *pb = tab->growing;
    size_t bytes = 0;

    for (int i = 0; i < n; i++) {
        if (pb->packets[i].present & NF_BIT(PAYLOAD)) {
            bytes += pb->packets[i].payload_captured; /* at most 64 times 32 bits */
        }
    }
    for (int i = 0; i < tab->width; i++) {
        if (pb->fields[i] == NETFEAT_FIELD_PAYLOAD) {
            return nf_builder_reserve(&pb->builders[i], n, bytes);
        }
    }
    return NETFEAT_OK;
}

static void apply_flags(unsigned flags, nf_packet *pkt)
{
    if (flags & NF_RECORD_NO_TIME) {
        pkt->quality |= NETFEAT_QUALITY_NO_TIME;
        pkt->present &= ~NF_BIT(TIMESTAMP);
    }
    if (flags & NF_RECORD_TIME_BACKWARDS) {
        pkt->quality |= NETFEAT_QUALITY_TIME_BACKWARDS;
    }
}

static inline void fill_packet(const nf_decode_config *config, bool decode, const nf_record *r,
                               nf_packet *pkt)
{
    if (decode) {
        nf_decode(config, r->link_type, r->data, r->captured_length, r->wire_length, pkt);
    } else {
        pkt->present = 0;
        pkt->quality = 0;
        pkt->link_type = r->link_type;
        pkt->frame_length = r->wire_length;
        pkt->captured_length = r->captured_length;
    }
    pkt->packet_number = r->number;
    pkt->file_index = r->file_index;
    pkt->interface_id = r->interface_id;
    pkt->timestamp = r->time_ns;
    pkt->present |= NF_BIT(TIMESTAMP);
    if (r->flags != 0) {
        apply_flags(r->flags, pkt);
    }
}

/* Append the first n of the builder's records; reserve_rows() was called. Payload may still fail: nothing is
   appended then. */
static int append_records(netfeat_table *tab, int n)
{
    nf_packet_builder *pb = tab->growing;
    uint64_t all = UINT64_MAX;
    uint64_t any = 0;
    bool decode = (pb->config.want & ~RECORD_BITS) != 0;
    int code = NETFEAT_OK;

    for (int i = 0; i < n; i++) {
        fill_packet(&pb->config, decode, &pb->records[i], &pb->packets[i]);
        all &= pb->packets[i].present;
        any |= pb->packets[i].present;
    }
    if (pb->config.want & NF_BIT(PAYLOAD)) {
        code = reserve_payload(tab, n);
    }
    if (code != 0) {
        return code;
    }
    for (int i = 0; i < tab->width; i++) {
        nf_gather(&pb->builders[i], pb->fields[i], pb->packets, n, all, any);
    }
    tab->rows += n;
    return NETFEAT_OK;
}

/* Room for the rows that this call is going to append, as far as that is known: one allocation instead of a dozen. A
   guess too high costs nothing but address space, and is given back when the table is sealed. */
static int reserve_ahead(netfeat_table *tab, const netfeat_source *src, int64_t max_packets)
{
    int64_t rows = nf_source_estimate(src); /* -1: unknown, nothing is reserved */

    rows = max_packets >= 0 && max_packets < rows ? max_packets : rows;
    return rows > NF_BATCH ? reserve_rows(tab, rows < RESERVE_ROWS ? (int)rows : RESERVE_ROWS) : NETFEAT_OK;
}

static int check_growing(const netfeat_table *tab, const char *call)
{
    if (tab->growing == NULL) {
        return nf_error(tab->ctx, NETFEAT_ERR_STATE, "%s: the table is sealed", call);
    }
    return NETFEAT_OK;
}

static int too_many_rows(const netfeat_table *tab)
{
    return nf_error_at(tab->ctx, NETFEAT_ERR_LIMIT, tab->rows + 1, -1,
                       "the table has its %lld rows (table.max_rows)", (long long)tab->growing->max_rows);
}

int nf_table_append_record(netfeat_table *tab, const nf_record *record, const char *call)
{
    int code = check_growing(tab, call);

    if (code == 0 && tab->growing->max_rows != 0 && tab->rows >= tab->growing->max_rows) {
        code = too_many_rows(tab);
    }
    code = code != 0 ? code : reserve_rows(tab, 1);
    if (code != 0) {
        return code;
    }
    tab->growing->records[0] = *record;
    return append_records(tab, 1);
}

int netfeat_table_append_packet(netfeat_table *tab, int link_type, int64_t time_ns, uint32_t wire_length,
                                const void *data, uint32_t captured_length)
{
    nf_packet_builder *pb;
    nf_record r;
    int code;

    if (tab == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (data == NULL && captured_length > 0) {
        return nf_error(tab->ctx, NETFEAT_ERR_ARGUMENT, "table_append_packet: data is NULL");
    }
    if (link_type < 0 || link_type > UINT16_MAX) {
        return nf_error(tab->ctx, NETFEAT_ERR_RANGE, "table_append_packet: link type %d", link_type);
    }
    code = check_growing(tab, "table_append_packet");
    if (code != 0) {
        return code;
    }
    pb = tab->growing;
    memset(&r, 0, sizeof r);
    r.data = data != NULL ? data : (const void *)"";
    r.number = (uint64_t)pb->pushed + 1;
    r.time_ns = time_ns;
    r.captured_length = captured_length;
    r.wire_length = wire_length;
    r.link_type = (uint16_t)link_type;
    r.flags = time_ns < pb->last_time ? NF_RECORD_TIME_BACKWARDS : 0;
    code = nf_table_append_record(tab, &r, "table_append_packet");
    if (code == 0) {
        pb->pushed++;
        pb->last_time = time_ns;
    }
    return code;
}

/* How many records to ask for next: never past what was asked for or the bound; 1 at the bound, to see
   whether the input goes on. */
static int next_batch(const netfeat_table *tab, int64_t left)
{
    int64_t n = left >= 0 && left < NF_BATCH ? left : NF_BATCH;
    int64_t max_rows = tab->growing->max_rows;

    if (max_rows != 0 && max_rows - tab->rows < n) {
        n = max_rows - tab->rows;
    }
    return n > 0 ? (int)n : 1;
}

int64_t netfeat_table_append_source(netfeat_table *tab, netfeat_source *src, int64_t max_packets)
{
    int64_t done = 0;
    int code;

    if (tab == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (src == NULL) {
        return nf_error(tab->ctx, NETFEAT_ERR_ARGUMENT, "table_append_source: the source is NULL");
    }
    code = check_growing(tab, "table_append_source");
    while (code == 0 && (max_packets < 0 || done < max_packets)) {
        nf_packet_builder *pb = tab->growing;
        int n;
        code = reserve_rows(tab, NF_BATCH);
        if (code != 0) {
            break;
        }
        n = nf_source_next(src, pb->records, next_batch(tab, max_packets < 0 ? -1 : max_packets - done));
        if (n == 0) {
            break;
        }
        if (n < 0) {
            return n;
        }
        if (pb->max_rows != 0 && tab->rows >= pb->max_rows) {
            code = too_many_rows(tab);
        } else {
            code = append_records(tab, n);
        }
        if (code != 0) {
            nf_source_unread(src, pb->records, n);
            break;
        }
        done += n;
        if (done == n) {
            code = reserve_ahead(tab, src, max_packets < 0 ? -1 : max_packets - done);
        }
    }
    return code != 0 ? code : done;
}

int netfeat_table_seal(netfeat_table *tab)
{
    nf_packet_builder *pb;

    if (tab == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    pb = tab->growing;
    if (pb == NULL) {
        return NETFEAT_OK;
    }
    for (int i = 0; i < tab->width; i++) {
        int id = pb->fields[i];
        int code = NETFEAT_OK;
        if (tab->cols[i] == NULL) { /* a seal that ran out of memory goes on where it stopped */
            code = nf_builder_finish(&pb->builders[i], netfeat_field_unit(id), nf_field_definition(id),
                                     netfeat_field_null_rule(id), &tab->cols[i]);
        }
        if (code != 0) {
            return code;
        }
    }
    tab->growing = NULL;
    nf_packet_builder_free(tab->ctx, pb);
    return NETFEAT_OK;
}

int netfeat_table_from_source(netfeat_ctx *ctx, netfeat_source *src, const netfeat_options *opts,
                              netfeat_table **ret)
{
    netfeat_table *tab = NULL;
    int64_t n;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "table_from_source: ret is NULL");
    }
    code = netfeat_table_new(ctx, opts, &tab);
    if (code == 0) {
        n = netfeat_table_append_source(tab, src, -1);
        code = n < 0 ? (int)n : netfeat_table_seal(tab);
    }
    if (code != 0) {
        netfeat_table_unref(tab);
        return code;
    }
    *ret = tab;
    return NETFEAT_OK;
}
