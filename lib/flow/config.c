/* Options into a configuration: which columns, hence which state, hence which columns of the packets. */
#include <assert.h>
#include <string.h>

#include "base/options.h"
#include "flow/groups.h"
#include "flow/input.h"
#include "flow/profile.h"

#define MAX_COLUMNS 512
#define NAME_BYTES  64
/* Groups that hold 128-bit sums. */
#define NF_G_WIDE (NF_G(SIZES) | NF_G(SIZES_ALL) | NF_G(GAPS) | NF_G(GAPS_ALL) | NF_G(PERIODS))

/* ---- columns ---- */

static bool is_offered(const nf_flow_config *config, const nf_flow_column *col)
{
    return config->sides > 1 || (col->flags & NF_COL_TWO_WAY) == 0;
}

static int add_column(netfeat_ctx *ctx, nf_flow_config *config, const nf_flow_column *col)
{
    if (!is_offered(config, col)) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "column %s needs flows of both directions", col->name);
    }
    for (int i = 0; i < config->width; i++) {
        if (config->columns[i] == col) {
            return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "column %s is asked for twice", col->name);
        }
    }
    assert(config->width < MAX_COLUMNS);
    config->columns[config->width++] = col;
    return NETFEAT_OK;
}

static int add_by_name(netfeat_ctx *ctx, nf_flow_config *config, const char *name, size_t length)
{
    for (const nf_flow_column *col = config->profile->columns; col->name != NULL; col++) {
        if (strlen(col->name) == length && memcmp(col->name, name, length) == 0) {
            return add_column(ctx, config, col);
        }
    }
    return nf_error(ctx, NETFEAT_ERR_NOTFOUND, "profile %s has no column \"%.*s\"", config->profile->name,
                    (int)(length < NAME_BYTES ? length : NAME_BYTES), name);
}

/* Columns with one of these flags that the table can have. */
static int add_offered(netfeat_ctx *ctx, nf_flow_config *config, uint8_t flags)
{
    int code = NETFEAT_OK;

    for (const nf_flow_column *col = config->profile->columns; code == 0 && col->name != NULL; col++) {
        if (is_offered(config, col) && (flags == 0 || (col->flags & flags) != 0)) {
            code = add_column(ctx, config, col);
        }
    }
    return code;
}

static int choose_columns(netfeat_ctx *ctx, const char *p, nf_flow_config *config)
{
    int code = NETFEAT_OK;

    config->columns = nf_alloc_array(ctx, MAX_COLUMNS, sizeof(const nf_flow_column *));
    if (config->columns == NULL) {
        return nf_ctx_code(ctx);
    }
    p += strspn(p, " ");
    if (*p == '\0' || strcmp(p, "*") == 0) {
        return add_offered(ctx, config, *p == '\0' ? NF_COL_USUAL : 0);
    }
    while (code == 0) {
        size_t part = strcspn(p, ",");
        size_t length = part;
        while (length > 0 && p[length - 1] == ' ') {
            length--;
        }
        code = add_by_name(ctx, config, p, length);
        if (p[part] == '\0') {
            break;
        }
        p += part + 1;
        p += strspn(p, " ");
    }
    return code;
}

/* ---- rules ---- */

static int64_t timeout(const netfeat_options *opts, int key, int64_t usual)
{
    int64_t value = nf_option(opts, key);

    if (value < 0) {
        return usual;
    }
    return value == 0 ? NF_NEVER : value;
}

static int choose_rules(netfeat_ctx *ctx, const netfeat_options *opts, nf_flow_config *config)
{
    const nf_flow_profile *profile = config->profile;
    const char *order = netfeat_options_get_text(opts, NETFEAT_OPT_FLOW_ORDER);
    bool two_way =
        !profile->one_way && (!profile->by_options || nf_option(opts, NETFEAT_OPT_FLOW_BIDIRECTIONAL) != 0);

    config->sides = two_way ? 2 : 1;
    config->idle_tcp = timeout(opts, NETFEAT_OPT_FLOW_IDLE_NS, profile->idle_tcp);
    config->idle_other = timeout(opts, NETFEAT_OPT_FLOW_IDLE_NS, profile->idle_other);
    config->active = timeout(opts, NETFEAT_OPT_FLOW_ACTIVE_NS, profile->active);
    config->close = two_way && profile->close != NF_CLOSE_NEVER &&
                    (!profile->by_options || nf_option(opts, NETFEAT_OPT_FLOW_END_ON_FIN_RST) != 0);
    config->linger = nf_option(opts, NETFEAT_OPT_FLOW_LINGER_NS);
    config->activity = nf_option(opts, NETFEAT_OPT_FLOW_ACTIVITY_NS);
    config->subflow = nf_option(opts, NETFEAT_OPT_FLOW_SUBFLOW_NS);
    config->key_vlan =
        nf_option(opts, NETFEAT_OPT_FLOW_KEY_VLAN) != 0 || (profile->inputs & NF_IN(VLAN_ID)) != 0;
    config->key_tunnel =
        nf_option(opts, NETFEAT_OPT_FLOW_KEY_TUNNEL) != 0 || (profile->inputs & NF_IN(TUNNEL_TYPE)) != 0;
    config->key_link = nf_option(opts, NETFEAT_OPT_FLOW_KEY_LINK) != 0;
    config->key_bytes =
        config->key_vlan || config->key_tunnel || config->key_link ? sizeof(nf_flow_key) : NF_KEY_BYTES_SHORT;
    config->first_packets = (uint32_t)nf_option(opts, NETFEAT_OPT_FLOW_FIRST_PACKETS);
    if (profile->keys == NF_KEYS_TYPED) {
        config->max_fragments = (uint32_t)nf_option(opts, NETFEAT_OPT_FLOW_MAX_FRAGMENTS);
    }
    if (strcmp(order, "") != 0 && strcmp(order, "first") != 0 && strcmp(order, "key") != 0) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "flow.order is \"%s\", not first or key", order);
    }
    config->by_key = order[0] == '\0' ? profile->by_key : strcmp(order, "key") == 0;
    return NETFEAT_OK;
}

/* ---- state ---- */

/* What a column names, or, for both directions together, the state that knows of no direction. */
static uint32_t groups_of(const nf_flow_column *col)
{
    const uint32_t each = NF_G(SIZES) | NF_G(GAPS);
    uint32_t groups = col->groups;

    if ((groups & each) != 0 && (col->argument & NF_DIRECTION) == NF_BOTH) {
        groups |= (groups & NF_G(SIZES)) != 0 ? NF_G(SIZES_ALL) : 0;
        groups |= (groups & NF_G(GAPS)) != 0 ? NF_G(GAPS_ALL) : 0;
        groups &= ~each;
    }
    return groups;
}

static void choose_groups(nf_flow_config *config)
{
    uint32_t before = 0;

    config->groups = NF_G(COUNTS) | config->profile->groups;
    if (config->idle_tcp != NF_NEVER || config->idle_other != NF_NEVER || config->active != NF_NEVER) {
        config->groups |= NF_G(ORIGIN);
    }
    if (config->close) {
        config->groups |= NF_G(LIFE);
    }
    for (int i = 0; i < config->width; i++) {
        config->groups |= groups_of(config->columns[i]);
    }
    if (nf_flow_has(config, NF_G_SIZES)) { /* both sides together say the same */
        config->groups &= ~NF_G(SIZES_ALL);
    }
    while (config->groups != before) {
        before = config->groups;
        for (int g = 0; g < NF_GROUPS; g++) {
            config->groups |= nf_flow_has(config, g) ? nf_flow_groups[g]->groups : 0;
        }
    }
}

static size_t align(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static void lay_out(nf_flow_config *config)
{
    size_t at = sizeof(nf_flow) + config->key_bytes;
    size_t whole = 8; /* entries are aligned as their widest member */

    for (int g = 0; g < NF_GROUPS; g++) {
        bool wide = (NF_G_WIDE >> g & 1) != 0;
        if (!nf_flow_has(config, g)) {
            continue;
        }
        whole = wide ? 16 : whole;
        at = align(at, wide ? 16 : 8);
        config->offset[g] = at;
        at += nf_flow_groups[g]->bytes + config->sides * nf_flow_groups[g]->side_bytes;
    }
    config->clear_bytes = at;
    if (nf_flow_has(config, NF_G_FIRST)) {
        at += config->first_packets * sizeof(nf_first_packet);
    }
    config->stride = align(at, whole);
}

static void choose_updates(nf_flow_config *config)
{
    for (int fresh_only = 0; fresh_only < 2; fresh_only++) {
        for (int g = 0; g < NF_GROUPS; g++) {
            const nf_flow_group *group = nf_flow_groups[g];
            if (nf_flow_has(config, g) && group->update != NULL && group->fresh_only == (fresh_only != 0)) {
                config->update_order[config->groups_used++] = (uint8_t)g;
            }
        }
        config->groups_always = fresh_only == 0 ? config->groups_used : config->groups_always;
    }
}

static void choose_inputs(nf_flow_config *config)
{
    config->inputs = NF_IN(TIMESTAMP) | NF_IN(SRC_IP) | NF_IN(DST_IP) | NF_IN(SRC_PORT) | NF_IN(DST_PORT) |
                     NF_IN(IP_PROTOCOL) | config->profile->inputs;
    config->optional = NF_IN(PACKET_NUMBER) | NF_IN(FILE_INDEX);
    for (int g = 0; g < NF_GROUPS; g++) {
        config->inputs |= nf_flow_has(config, g) ? nf_flow_groups[g]->inputs : 0;
    }
    if (config->profile->keys == NF_KEYS_TYPED) {
        config->inputs |= NF_IN(ICMP_TYPE) | NF_IN(ICMP_CODE);
        config->optional |= NF_IN(ICMP_ID);
    }
    if (config->max_fragments > 0) {
        config->inputs |= NF_IN(FRAGMENT_OFFSET) | NF_IN(IP_ID) | NF_IN(IP_FLAGS);
    }
    config->inputs |= config->key_vlan ? NF_IN(VLAN_ID) : 0;
    config->inputs |= config->key_tunnel ? NF_IN(TUNNEL_TYPE) | NF_IN(TUNNEL_ID) : 0;
    config->inputs |= config->key_link ? NF_IN(INTERFACE_ID) : 0;
}

/* How many flows fit into the budget with their links and an index that grows by doubling: while it does, the
   old one is there, too. An eighth is kept for flows that ended in the feed now running. */
static uint32_t fit(const nf_flow_config *config, uint64_t bytes)
{
    uint64_t best = 0;

    for (unsigned bits = 4; bits <= 32; bits++) {
        uint64_t map = UINT64_C(8) << bits;
        uint64_t flows;
        if (map + map / 2 >= bytes) {
            break;
        }
        flows = (bytes - map - map / 2) / (config->stride + sizeof(nf_flow_link));
        flows = flows < (UINT64_C(3) << bits >> 2) ? flows : UINT64_C(3) << bits >> 2;
        best = flows > best ? flows : best;
    }
    best -= best / 8;
    best = best > 0 ? best : 1;
    return best < NF_MAP_NONE - 1 ? (uint32_t)best : NF_MAP_NONE - 1;
}

static int choose_length(netfeat_ctx *ctx, const netfeat_options *opts, nf_flow_config *config)
{
    const char *name = config->profile->length_column;

    name = name != NULL ? name : netfeat_options_get_text(opts, NETFEAT_OPT_FLOW_LENGTH_COLUMN);
    config->length_column = nf_strndup(ctx, name, strlen(name));
    return config->length_column != NULL ? NETFEAT_OK : nf_ctx_code(ctx);
}

int nf_flow_configure(netfeat_ctx *ctx, const netfeat_options *opts, const nf_flow_profile *profile,
                      nf_flow_config *config)
{
    const char *name = netfeat_options_get_text(opts, NETFEAT_OPT_FLOW_PROFILE);
    const char *columns = profile != NULL ? "" : netfeat_options_get_text(opts, NETFEAT_OPT_FLOW_COLUMNS);
    int64_t most = nf_option(opts, NETFEAT_OPT_FLOW_MAX_OPEN);
    int code;

    config->profile = profile != NULL ? profile : nf_flow_profile_by_name(name);
    if (config->profile == NULL) {
        return nf_error(ctx, NETFEAT_ERR_NOTFOUND, "no profile of flows is called \"%.64s\"", name);
    }
    code = choose_rules(ctx, opts, config);
    code = code != 0 ? code : choose_columns(ctx, columns, config);
    code = code != 0 ? code : choose_length(ctx, opts, config);
    if (code != 0) {
        return code;
    }
    choose_groups(config);
    lay_out(config);
    choose_updates(config);
    choose_inputs(config);
    config->max_open =
        fit(config, (uint64_t)nf_option(opts, NETFEAT_OPT_FLOW_MAX_BYTES) - sizeof(netfeat_flows));
    if (most > 0 && most < config->max_open) {
        config->max_open = (uint32_t)most;
    }
    return NETFEAT_OK;
}

int nf_flow_config_copy(netfeat_ctx *ctx, const nf_flow_config *from, nf_flow_config *ret)
{
    *ret = *from;
    ret->length_column = nf_strndup(ctx, from->length_column, strlen(from->length_column));
    ret->columns = nf_alloc_array(ctx, MAX_COLUMNS, sizeof(const nf_flow_column *));
    if (ret->length_column == NULL || ret->columns == NULL) {
        return nf_ctx_code(ctx);
    }
    memcpy(ret->columns, from->columns, (size_t)from->width * sizeof(const nf_flow_column *));
    return NETFEAT_OK;
}

void nf_flow_config_free(netfeat_ctx *ctx, nf_flow_config *config)
{
    if (config->length_column != NULL) {
        nf_free(ctx, config->length_column, strlen(config->length_column) + 1);
    }
    nf_free(ctx, config->columns, MAX_COLUMNS * sizeof(const nf_flow_column *));
}
