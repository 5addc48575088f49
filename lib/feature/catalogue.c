/* The list of features, from features.def. */
#include <string.h>

#include "feature/feature.h"

typedef struct {
    int id;
    int version;
    const char *name, *inputs, *formula, *unit, *divisor, *null_rule, *options, *definition;
} feature_def;

#define STRING2(x) #x
#define STRING(x)  STRING2(x)
#define FEATURE(suffix, id, name, version, inputs, formula, unit, divisor, null_rule, options)               \
    {id,   version, name,      inputs,  formula,                                                             \
     unit, divisor, null_rule, options, "feature." name "@" STRING(version)},
static const feature_def defs[] = {
#include "feature/features.def"
};
#undef FEATURE

enum { N_DEFS = sizeof defs / sizeof defs[0] };

/* The header's constants and the list must agree. */
#define FEATURE(suffix, id, name, version, inputs, formula, unit, divisor, null_rule, options)               \
    _Static_assert(NETFEAT_FEATURE_##suffix == (id), "number of " name);
#include "feature/features.def"
#undef FEATURE

static const nf_feature_class *const classes[] = {
    &nf_cumulative_class,        &nf_cumulative_bytes_class, &nf_ip_numeric_class, &nf_frequency_class,
    &nf_timestamp_class,         &nf_interarrival_class,     &nf_onehot_class,     &nf_ordinal_class,
    &nf_standard_scale_class,    &nf_minmax_scale_class,     &nf_tcp_flags_class,  &nf_ip_private_class,
    &nf_direction_class,         &nf_port_class_class,       &nf_mirai_syn_class,  &nf_payload_entropy_class,
    &nf_payload_histogram_class, &nf_window_class,           &nf_damped_class,
};

static const feature_def *find(int feature)
{
    for (int i = 0; i < N_DEFS; i++) {
        if (defs[i].id == feature) {
            return &defs[i];
        }
    }
    return NULL;
}

const nf_feature_class *nf_feature_class_of(int feature)
{
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (classes[i]->id == feature) {
            return classes[i];
        }
    }
    return NULL;
}

const char *nf_feature_definition(int feature)
{
    return find(feature)->definition;
}

int netfeat_feature_next(int feature)
{
    int next = 0;

    for (int i = 0; i < N_DEFS; i++) {
        if (defs[i].id > feature && (next == 0 || defs[i].id < next)) {
            next = defs[i].id;
        }
    }
    return next;
}

int netfeat_feature_by_name(const char *name)
{
    for (int i = 0; name != NULL && i < N_DEFS; i++) {
        if (strcmp(defs[i].name, name) == 0) {
            return defs[i].id;
        }
    }
    return NETFEAT_ERR_NOTFOUND;
}

int netfeat_feature_version(int feature)
{
    const feature_def *def = find(feature);
    return def != NULL ? def->version : NETFEAT_ERR_NOTFOUND;
}

#define TEXT_OF(member)                                                                                      \
    const char *netfeat_feature_##member(int feature)                                                        \
    {                                                                                                        \
        const feature_def *def = find(feature);                                                              \
        return def != NULL ? def->member : NULL;                                                             \
    }
TEXT_OF(name)
TEXT_OF(inputs)
TEXT_OF(formula)
TEXT_OF(unit)
TEXT_OF(divisor)
TEXT_OF(null_rule)
TEXT_OF(options)
