/* Life of a table of flows, its counters, and the names of its constants. */
#include <string.h>

#include "flow/fragments.h"
#include "flow/profile.h"

/* opts count only where there is no other table to be like. */
static netfeat_flows *alloc(netfeat_ctx *ctx, const netfeat_options *opts, const netfeat_flows *like)
{
    netfeat_flows *fl = nf_alloc_zero(ctx, sizeof *fl);
    int code;

    if (fl == NULL) {
        return NULL;
    }
    nf_ref_init(&fl->refs);
    fl->ctx = netfeat_ctx_ref(ctx);
    fl->secret = nf_ctx_secret(ctx);
    fl->free = fl->open_first = fl->open_last = fl->ended_first = fl->ended_last = NF_MAP_NONE;
    fl->clock = INT64_MIN;
    code = like != NULL ? nf_flow_config_copy(ctx, &like->config, &fl->config)
                        : nf_flow_configure(ctx, opts, NULL, &fl->config);
    if (code == 0 && fl->config.max_fragments > 0) {
        code = nf_fragments_new(ctx, fl->config.max_fragments, &fl->fragments);
    }
    return code != 0 ? netfeat_flows_unref(fl) : fl;
}

netfeat_flows *nf_flows_alloc(netfeat_ctx *ctx, const netfeat_options *opts)
{
    return alloc(ctx, opts, NULL);
}

netfeat_flows *nf_flows_alloc_like(const netfeat_flows *other)
{
    return alloc(other->ctx, NULL, other);
}

int netfeat_flows_new(netfeat_ctx *ctx, const netfeat_options *opts, netfeat_flows **ret)
{
    netfeat_flows *fl;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "flows_new: ret is NULL");
    }
    fl = nf_flows_alloc(ctx, opts);
    if (fl == NULL) {
        return nf_ctx_code(ctx);
    }
    *ret = fl;
    return NETFEAT_OK;
}

netfeat_flows *netfeat_flows_ref(netfeat_flows *fl)
{
    if (fl != NULL) {
        nf_ref_get(&fl->refs);
    }
    return fl;
}

netfeat_flows *netfeat_flows_unref(netfeat_flows *fl)
{
    netfeat_ctx *ctx;

    if (fl == NULL || !nf_ref_put(&fl->refs)) {
        return NULL;
    }
    ctx = fl->ctx;
    nf_fragments_free(ctx, fl->fragments);
    nf_flow_slots_free(fl);
    nf_flow_config_free(ctx, &fl->config);
    nf_free(ctx, fl, sizeof *fl);
    netfeat_ctx_unref(ctx);
    return NULL;
}

static const char *const count_names[] = {
    [NETFEAT_FLOWS_PACKETS] = "packets",
    [NETFEAT_FLOWS_ACCOUNTED] = "accounted",
    [NETFEAT_FLOWS_LEFT_OUT] = "left_out",
    [NETFEAT_FLOWS_FRAGMENTS_ASSIGNED] = "fragments_assigned",
    [NETFEAT_FLOWS_FRAGMENTS_ALONE] = "fragments_alone",
    [NETFEAT_FLOWS_OPEN] = "open",
    [NETFEAT_FLOWS_WAITING] = "waiting",
    [NETFEAT_FLOWS_ENDED] = "ended",
    [NETFEAT_FLOWS_EVICTED] = "evicted",
};
static const char *const end_names[] = {
    [NETFEAT_FLOW_END_INPUT] = "input",     [NETFEAT_FLOW_END_IDLE] = "idle",
    [NETFEAT_FLOW_END_ACTIVE] = "active",   [NETFEAT_FLOW_END_FIN] = "fin",
    [NETFEAT_FLOW_END_RST] = "rst",         [NETFEAT_FLOW_END_REUSE] = "reuse",
    [NETFEAT_FLOW_END_EVICTED] = "evicted",
};
static const char *const evidence_names[] = {
    [NETFEAT_FLOW_BY_FIRST_PACKET] = "first_packet",
    [NETFEAT_FLOW_BY_SYN_ACK] = "syn_ack",
    [NETFEAT_FLOW_BY_SYN] = "syn",
};

static const char *name_at(const char *const *names, size_t n, int index)
{
    return index >= 0 && (size_t)index < n ? names[index] : NULL;
}

int64_t netfeat_flows_count(const netfeat_flows *fl, int which)
{
    if (fl == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (netfeat_flows_count_name(which) == NULL) {
        return NETFEAT_ERR_NOTFOUND;
    }
    return (int64_t)fl->count[which];
}

const char *netfeat_flows_count_name(int which)
{
    return name_at(count_names, sizeof count_names / sizeof count_names[0], which);
}

const char *netfeat_flow_end_name(int end_reason)
{
    return name_at(end_names, sizeof end_names / sizeof end_names[0], end_reason);
}

const char *netfeat_flow_evidence_name(int direction_evidence)
{
    return name_at(evidence_names, sizeof evidence_names / sizeof evidence_names[0], direction_evidence);
}

/* ---- catalogue ---- */

static const nf_flow_profile *const profiles[] = {&nf_profile_flows,    &nf_profile_notebook,
                                                  &nf_profile_nfstream, &nf_profile_cic,
                                                  &nf_profile_cic2018,  &nf_profile_zeek};

const nf_flow_profile *nf_flow_profile_at(int index)
{
    return index >= 0 && (size_t)index < sizeof profiles / sizeof profiles[0] ? profiles[index] : NULL;
}

const nf_flow_profile *nf_flow_profile_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        if (strcmp(profiles[i]->name, name) == 0) {
            return profiles[i];
        }
    }
    return NULL;
}

const char *netfeat_flow_profile_name(int index)
{
    const nf_flow_profile *profile = nf_flow_profile_at(index);
    return profile != NULL ? profile->name : NULL;
}

static const nf_flow_column *column_at(const char *profile_name, int index)
{
    const nf_flow_profile *profile = profile_name != NULL ? nf_flow_profile_by_name(profile_name) : NULL;
    int i = 0;

    if (profile == NULL || index < 0) {
        return NULL;
    }
    while (i < index && profile->columns[i].name != NULL) {
        i++;
    }
    return profile->columns[i].name != NULL ? &profile->columns[i] : NULL;
}

const char *netfeat_flow_column_name(const char *profile, int index)
{
    const nf_flow_column *col = column_at(profile, index);
    return col != NULL ? col->name : NULL;
}

int netfeat_flow_column_type(const char *profile, int index)
{
    const nf_flow_column *col = column_at(profile, index);
    if (col == NULL) {
        return NETFEAT_ERR_NOTFOUND;
    }
    return col->count != NULL ? NETFEAT_TYPE_LIST : col->type;
}

const char *netfeat_flow_column_unit(const char *profile, int index)
{
    const nf_flow_column *col = column_at(profile, index);
    return col != NULL ? col->unit : NULL;
}

const char *netfeat_flow_column_null_rule(const char *profile, int index)
{
    const nf_flow_column *col = column_at(profile, index);
    return col != NULL ? col->null_rule : NULL;
}

const char *netfeat_flow_column_help(const char *profile, int index)
{
    const nf_flow_column *col = column_at(profile, index);
    return col != NULL ? col->help : NULL;
}
