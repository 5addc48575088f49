/* A table of flows as a table, and back. Row 0 holds the layout, the settings and the counters, then the
   fragments; each further row is the memory of one flow, which is plain bytes. */
#include <string.h>

#include "base/hash.h"
#include "flow/fragments.h"
#include "flow/groups.h"
#include "flow/order.h"
#include "flow/profile.h"
#include "table/builder.h"

/* Raised whenever the structures that are saved change or mean something else: what another library saved is refused, not
   misread. A lint test knows them by their sum, 7b9c7eb2, and says when it is time. */
#define LAYOUT     2
#define MAGIC      UINT64_C(0x574f4c46464e00) /* "\0NFFLOW" in this byte order; the eighth byte is the layout */
#define MAGIC_BITS 56
#define NAME_BYTES 16
#define TEXT_BYTES 64

typedef struct {
    uint64_t magic;
    char profile[NAME_BYTES];
    char length_column[TEXT_BYTES]; /* its first bytes */
    uint64_t groups, sides, key_bytes, stride, clear_bytes;
    uint64_t close, key_parts;
    int64_t idle_tcp, idle_other, active, linger, activity, subflow;
    uint64_t first_packets;
    /* what came so far */
    uint64_t flows, fragments;
    int64_t clock;
    uint64_t position;
    uint64_t count[NETFEAT_FLOWS_EVICTED + 1];
    uint64_t ended, no_merging;
} header;
_Static_assert(sizeof(header) == 8 + NAME_BYTES + TEXT_BYTES + 8 * (14 + 6 + NETFEAT_FLOWS_EVICTED + 1),
               "headers have no padding");

static void describe(const nf_flow_config *config, header *h)
{
    memset(h, 0, sizeof *h);
    h->magic = MAGIC | (uint64_t)LAYOUT << MAGIC_BITS;
    memcpy(h->profile, config->profile->name, strlen(config->profile->name));
    strncpy(h->length_column, config->length_column, TEXT_BYTES - 1);
    h->groups = config->groups;
    h->sides = config->sides;
    h->key_bytes = config->key_bytes;
    h->stride = config->stride;
    h->clear_bytes = config->clear_bytes;
    h->close = config->close;
    h->key_parts =
        (config->key_vlan ? 1U : 0U) | (config->key_tunnel ? 2U : 0U) | (config->key_link ? 4U : 0U);
    h->idle_tcp = config->idle_tcp;
    h->idle_other = config->idle_other;
    h->active = config->active;
    h->linger = config->linger;
    h->activity = config->activity;
    h->subflow = config->subflow;
    h->first_packets = nf_flow_has(config, NF_G_FIRST) ? config->first_packets : 0;
}

/* Name of the first setting in which two headers differ; NULL if they do not. */
static const char *difference(const header *a, const header *b)
{
    const struct {
        const char *name;
        bool same;
    } parts[] = {
        {"flow.profile", memcmp(a->profile, b->profile, NAME_BYTES) == 0},
        {"flow.length_column", memcmp(a->length_column, b->length_column, TEXT_BYTES) == 0},
        {"flow.bidirectional", a->sides == b->sides},
        {"flow.key_vlan, flow.key_tunnel or flow.key_link", a->key_parts == b->key_parts},
        {"flow.idle_ns", a->idle_tcp == b->idle_tcp && a->idle_other == b->idle_other},
        {"flow.active_ns", a->active == b->active},
        {"flow.end_on_fin_rst", a->close == b->close},
        {"flow.linger_ns", a->linger == b->linger},
        {"flow.activity_ns", a->activity == b->activity},
        {"flow.subflow_ns", a->subflow == b->subflow},
        {"flow.first_packets", a->first_packets == b->first_packets},
        {"flow.columns", a->groups == b->groups && a->key_bytes == b->key_bytes && a->stride == b->stride &&
                             a->clear_bytes == b->clear_bytes},
    };

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (!parts[i].same) {
            return parts[i].name;
        }
    }
    return NULL;
}

const char *nf_flow_config_difference(const nf_flow_config *a, const nf_flow_config *b)
{
    header x, y;

    describe(a, &x);
    describe(b, &y);
    return difference(&x, &y);
}

size_t nf_flow_bytes_used(const nf_flow_config *config, const nf_flow *f)
{
    size_t bytes = config->clear_bytes;

    if (nf_flow_has(config, NF_G_FIRST)) {
        bytes += ((const nf_first *)nf_flow_read(config, f, NF_G_FIRST))->n * sizeof(nf_first_packet);
    }
    return bytes;
}

/* ---- saving ---- */

static int save_header(const netfeat_flows *fl, uint64_t flows, nf_builder *states)
{
    uint8_t *at;
    uint32_t n = nf_fragments_count(fl->fragments);
    size_t size = sizeof(header) + (size_t)n * NF_FRAGMENT_BYTES;
    header h;
    int code = nf_builder_reserve(states, 1, size);

    if (code != 0) {
        return code;
    }
    describe(&fl->config, &h);
    h.flows = flows;
    h.fragments = n;
    h.clock = fl->clock;
    h.position = fl->position;
    memcpy(h.count, fl->count, sizeof h.count);
    h.ended = fl->ended;
    h.no_merging = fl->no_merging;
    memcpy(states->data + states->data_used, &h, sizeof h);
    at = states->data + states->data_used + sizeof h;
    for (uint32_t i = NF_MAP_NONE; (i = nf_fragments_next(fl->fragments, i)) != NF_MAP_NONE;) {
        nf_fragments_save(fl->fragments, i, at);
        at += NF_FRAGMENT_BYTES;
    }
    return nf_builder_add_reserved(states, size);
}

static int save_flow(const nf_flow_config *config, const nf_flow *f, nf_builder *states)
{
    size_t size = nf_flow_bytes_used(config, f);
    int code = nf_builder_reserve(states, 1, size);
    uint8_t *at = states->data + states->data_used;

    if (code != 0) {
        return code;
    }
    memcpy(at, f, size);
    memset(at + offsetof(nf_flow, tag), 0, sizeof f->tag); /* of this context's secret */
    return nf_builder_add_reserved(states, size);
}

static int save_rows(const netfeat_flows *fl, const nf_flow **list, size_t n, nf_builder *ids,
                     nf_builder *states)
{
    int code = save_header(fl, n, states);

    code = code != 0 ? code : nf_builder_add_u64(ids, 0);
    for (size_t i = 0; code == 0 && i < n; i++) {
        code = save_flow(&fl->config, list[i], states);
        code = code != 0 ? code : nf_builder_add_u64(ids, list[i]->first_position);
    }
    return code;
}

int netfeat_flows_to_table(const netfeat_flows *fl, netfeat_table **ret)
{
    static const char *const names[2] = {"flow_id", "state"};
    netfeat_column *cols[2] = {NULL, NULL};
    nf_builder ids, states;
    const nf_flow **list;
    size_t n;
    int code;

    if (fl == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL) {
        return nf_error(fl->ctx, NETFEAT_ERR_ARGUMENT, "flows_to_table: ret is NULL");
    }
    code = nf_flow_list(fl, true, &list, &n);
    if (code != 0) {
        return code;
    }
    nf_builder_init(&ids, fl->ctx, NETFEAT_TYPE_U64);
    nf_builder_init(&states, fl->ctx, NETFEAT_TYPE_BYTES);
    code = save_rows(fl, list, n, &ids, &states);
    code = code != 0 ? code : nf_builder_finish(&ids, "", "flow.flow_id@1", "never", &cols[0]);
    code = code != 0 ? code : nf_builder_finish(&states, "", "flow.state@1", "never", &cols[1]);
    if (code == 0) {
        code = nf_table_make(fl->ctx, names, cols, 2, 0, ret);
        cols[0] = cols[1] = NULL;
    }
    netfeat_column_unref(cols[0]);
    netfeat_column_unref(cols[1]);
    nf_builder_free(&ids);
    nf_builder_free(&states);
    nf_free(fl->ctx, list, (n + 1) * sizeof *list);
    return code;
}

/* ---- loading: every byte may be a lie ---- */

static int bad(netfeat_ctx *ctx, int64_t row, const char *what)
{
    return nf_error_at(ctx, NETFEAT_ERR_FORMAT, -1, row, "state of flows, row %lld: %s", (long long)row,
                       what);
}

static bool valid_key(const nf_flow_config *config, const nf_flow_key *key)
{
    nf_flow_key copy;
    uint64_t words[NF_KEY_WORDS];
    const int kinds = NF_KEY_PORTS | NF_KEY_ICMP | NF_KEY_ONE_WAY | NF_KEY_FRAGMENT;

    memset(&copy, 0, sizeof copy);
    memcpy(&copy, key, config->key_bytes);
    if ((copy.kind & ~kinds) != 0 || (config->sides == 1 && (copy.kind & NF_KEY_ONE_WAY) == 0)) {
        return false;
    }
    memcpy(words, &copy, sizeof words);
    return nf_key_order(words) == 0;
}

static bool valid_flow(const nf_flow_config *config, const nf_flow *f, const header *h)
{
    const int flags = NF_FLOW_TIMED | NF_FLOW_SOURCE | NF_FLOW_CONTINUED | NF_FLOW_ARRIVAL;

    if ((f->flags & ~flags) != 0 || f->reason > NETFEAT_FLOW_END_EVICTED || f->evidence == 0 ||
        f->evidence > NETFEAT_FLOW_BY_SYN || f->first_position == 0 || f->first_position > f->last_position ||
        f->last_position > h->position || (config->sides == 1 && nf_flow_source(f) != 0) ||
        (f->flags & NF_FLOW_TIMED ? f->first_time > f->last_time : f->first_time != 0)) {
        return false;
    }
    for (int g = 0; g < NF_GROUPS; g++) {
        if (nf_flow_has(config, g) && nf_flow_groups[g]->valid != NULL &&
            !nf_flow_groups[g]->valid(config, nf_flow_read(config, f, g))) {
            return false;
        }
    }
    return valid_key(config, nf_flow_key_of(f));
}

uint64_t nf_flow_key_hash(const netfeat_flows *fl, const nf_flow_key *key)
{
    uint64_t words[NF_KEY_WORDS];

    memcpy(words, key, sizeof words);
    return fl->config.key_bytes == NF_KEY_BYTES_SHORT
               ? nf_hash_words(nf_ctx_secret(fl->ctx), words)
               : nf_hash(nf_ctx_secret(fl->ctx), key, fl->config.key_bytes);
}

int nf_flow_insert(netfeat_flows *fl, const nf_flow *from, uint32_t *ret)
{
    nf_flow_key key;
    uint64_t hash;
    uint32_t index, tag;
    int code = nf_flow_slots_ready(fl);

    if (code != 0) {
        return code;
    }
    memset(&key, 0, sizeof key);
    memcpy(&key, nf_flow_key_of(from), fl->config.key_bytes);
    hash = nf_flow_key_hash(fl, &key);
    index = nf_flow_slot_new(fl, &key, hash);
    tag = nf_flow_at(fl, index)->tag;
    memcpy(nf_flow_at(fl, index), from, nf_flow_bytes_used(&fl->config, from));
    nf_flow_at(fl, index)->tag = tag;
    *ret = index;
    return NETFEAT_OK;
}

/* The row, copied to where a flow may lie, is checked before it is used. */
static int load_flow(netfeat_flows *fl, const netfeat_column *states, int64_t row, const header *h,
                     nf_flow *buffer, uint64_t *last)
{
    const nf_flow_config *config = &fl->config;
    size_t size = (size_t)(states->offsets[row + 1] - states->offsets[row]);
    nf_flow_key key;
    uint32_t index;
    int code;

    if (size < config->clear_bytes || size > config->stride) {
        return bad(fl->ctx, row, "wrong size");
    }
    memcpy(buffer, states->data + states->offsets[row], size);
    if (!valid_flow(config, buffer, h) || size != nf_flow_bytes_used(config, buffer)) {
        return bad(fl->ctx, row, "impossible values");
    }
    if (buffer->first_position <= *last) {
        return bad(fl->ctx, row, "ids do not rise");
    }
    *last = buffer->first_position;
    memset(&key, 0, sizeof key);
    memcpy(&key, nf_flow_key_of(buffer), config->key_bytes);
    if (buffer->reason == 0 && nf_flow_find(fl, &key, nf_flow_key_hash(fl, &key)) != NF_MAP_NONE) {
        return bad(fl->ctx, row, "two open flows of one key");
    }
    code = nf_flow_insert(fl, buffer, &index);
    if (code == 0 && buffer->reason != 0) {
        nf_flow_slot_end(fl, index);
    }
    return code;
}

static int load_header(netfeat_flows *fl, const netfeat_column *states, header *h)
{
    header mine;
    const char *name;
    uint64_t size;

    if (states->length < 1 || states->offsets[1] - states->offsets[0] < (int64_t)sizeof *h) {
        return bad(fl->ctx, 0, "no header");
    }
    size = (uint64_t)(states->offsets[1] - states->offsets[0]) - sizeof *h;
    memcpy(h, states->data + states->offsets[0], sizeof *h);
    describe(&fl->config, &mine);
    if (h->magic << (64 - MAGIC_BITS) != mine.magic << (64 - MAGIC_BITS)) {
        return bad(fl->ctx, 0, "not a state of flows, or of another byte order");
    }
    if (h->magic != mine.magic) {
        return bad(fl->ctx, 0, "saved by another version of the library");
    }
    name = difference(&mine, h);
    if (name != NULL) {
        return nf_error(fl->ctx, NETFEAT_ERR_STATE, "the state was saved with another %s", name);
    }
    if (h->flows != (uint64_t)states->length - 1 || h->ended > 1 || h->no_merging > 1 ||
        size % NF_FRAGMENT_BYTES != 0 || h->fragments != size / NF_FRAGMENT_BYTES) {
        return bad(fl->ctx, 0, "impossible values");
    }
    return NETFEAT_OK;
}

static int load_fragments(netfeat_flows *fl, const netfeat_column *states, const header *h)
{
    const uint8_t *at = states->data + states->offsets[0] + sizeof *h;
    int code = NETFEAT_OK;

    for (uint64_t i = 0; code == 0 && fl->fragments != NULL && i < h->fragments; i++) {
        code = nf_fragments_load(fl, at + i * NF_FRAGMENT_BYTES);
    }
    return code;
}

/* Open flows came in the order of their first packets: put them in that of their last ones. */
int nf_flow_relink(netfeat_flows *fl)
{
    size_t n = (size_t)fl->count[NETFEAT_FLOWS_OPEN];
    const nf_flow **list = nf_alloc_array(fl->ctx, n + 1, sizeof *list);
    int code;

    if (list == NULL) {
        return nf_ctx_code(fl->ctx);
    }
    n = 0;
    for (uint32_t i = fl->open_first; i != NF_MAP_NONE; i = fl->links[i].next) {
        list[n++] = nf_flow_at(fl, i);
    }
    code = nf_order_by_last_position(fl->ctx, list, n);
    for (size_t i = 0; code == 0 && i < n; i++) {
        size_t offset = (size_t)((const uint8_t *)list[i] - fl->entries);
        nf_flow_slot_touch(fl, (uint32_t)(offset / fl->config.stride));
    }
    nf_free(fl->ctx, list, ((size_t)fl->count[NETFEAT_FLOWS_OPEN] + 1) * sizeof *list);
    return code;
}

static int load_rows(netfeat_flows *fl, const netfeat_column *states)
{
    header h;
    uint64_t last = 0;
    nf_flow *buffer;
    int code = load_header(fl, states, &h);

    if (code != 0) {
        return code;
    }
    buffer = nf_alloc_zero(fl->ctx, fl->config.stride);
    if (buffer == NULL) {
        return nf_ctx_code(fl->ctx);
    }
    code = load_fragments(fl, states, &h);
    for (int64_t row = 1; code == 0 && row < states->length; row++) {
        code = load_flow(fl, states, row, &h, buffer, &last);
    }
    nf_free(fl->ctx, buffer, fl->config.stride);
    code = code != 0 ? code : nf_flow_relink(fl);
    if (code == 0) {
        for (int i = NETFEAT_FLOWS_PACKETS; i <= NETFEAT_FLOWS_EVICTED; i++) {
            bool own = i == NETFEAT_FLOWS_OPEN || i == NETFEAT_FLOWS_WAITING;
            fl->count[i] = own ? fl->count[i] : h.count[i] & INT64_MAX;
        }
        fl->clock = h.clock;
        fl->position = h.position;
        fl->ended = h.ended != 0 && fl->count[NETFEAT_FLOWS_OPEN] == 0;
        fl->no_merging = h.no_merging != 0;
    }
    return code;
}

int netfeat_flows_from_table(netfeat_ctx *ctx, const netfeat_options *opts, const netfeat_table *state,
                             netfeat_flows **ret)
{
    netfeat_flows *fl;
    int index, code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (state == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "flows_from_table: a pointer is NULL");
    }
    code = nf_table_check_sealed(ctx, state, "flows_from_table");
    index = netfeat_table_find(state, "state");
    if (code == 0 && index < 0) {
        return nf_error(ctx, NETFEAT_ERR_NOTFOUND, "flows_from_table: no column state");
    }
    if (code == 0 && (state->cols[index]->type != NETFEAT_TYPE_BYTES || state->cols[index]->nulls > 0)) {
        return nf_error(ctx, NETFEAT_ERR_TYPE,
                        "flows_from_table: column state is not of type bytes, or has NULLs");
    }
    if (code != 0) {
        return code;
    }
    fl = nf_flows_alloc(ctx, opts);
    if (fl == NULL) {
        return nf_ctx_code(ctx);
    }
    code = load_rows(fl, state->cols[index]);
    if (code != 0) {
        netfeat_flows_unref(fl);
        return code;
    }
    *ret = fl;
    return NETFEAT_OK;
}
