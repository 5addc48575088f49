/* The catalogue of packet fields, out of fields.def. */
#include <netfeat/field.h>

#include <string.h>

#include <netfeat/column.h>
#include <netfeat/error.h>

#include "decode/packet.h"

typedef struct {
    const char *name;
    const char *unit;
    const char *null_rule;
    const char *help;
    const char *definition;
    int type;
} field_def;

/* By id; ids that are not given have no name. */
static const field_def fields[NF_FIELD_COUNT] = {
#define FIELD(suffix, id, name, type, member, unit, null_rule, help)                                         \
    [id] = {name, unit, null_rule, help, "packet." name "@1", NETFEAT_TYPE_##type},
#include "decode/fields.def"
#undef FIELD
};

/* The header's constants, the list, and the members of nf_packet must agree. */
enum {
    BYTES_BOOL = 1,
    BYTES_U8 = 1,
    BYTES_U16 = 2,
    BYTES_U32 = 4,
    BYTES_U64 = 8,
    BYTES_TIME_NS = 8,
    BYTES_BYTES6 = 6,
    BYTES_BYTES16 = 16,
    BYTES_BYTES = sizeof(const uint8_t *)
};
#define FIELD(suffix, id, name, type, member, unit, null_rule, help)                                         \
    _Static_assert(NETFEAT_FIELD_##suffix == (id), "id of " name);                                           \
    _Static_assert((id) > 0 && (id) < NF_FIELD_COUNT, "range of " name);                                     \
    _Static_assert(sizeof(((nf_packet *)0)->member) == BYTES_##type, "size of " name);
#include "decode/fields.def"
#undef FIELD

static const field_def *find_field(int field_id)
{
    if (field_id <= 0 || field_id >= NF_FIELD_COUNT || fields[field_id].name == NULL) {
        return NULL;
    }
    return &fields[field_id];
}

int netfeat_field_next(int field_id)
{
    for (int id = 1; id < NF_FIELD_COUNT; id++) {
        if (id > field_id && fields[id].name != NULL) {
            return id;
        }
    }
    return 0;
}

int netfeat_field_by_name(const char *name)
{
    if (name == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    for (int id = 1; id < NF_FIELD_COUNT; id++) {
        if (fields[id].name != NULL && strcmp(fields[id].name, name) == 0) {
            return id;
        }
    }
    return NETFEAT_ERR_NOTFOUND;
}

const char *netfeat_field_name(int field_id)
{
    const field_def *def = find_field(field_id);
    return def != NULL ? def->name : NULL;
}

int netfeat_field_type(int field_id)
{
    const field_def *def = find_field(field_id);
    return def != NULL ? def->type : NETFEAT_ERR_NOTFOUND;
}

const char *netfeat_field_unit(int field_id)
{
    const field_def *def = find_field(field_id);
    return def != NULL ? def->unit : NULL;
}

const char *netfeat_field_null_rule(int field_id)
{
    const field_def *def = find_field(field_id);
    return def != NULL ? def->null_rule : NULL;
}

const char *netfeat_field_help(int field_id)
{
    const field_def *def = find_field(field_id);
    return def != NULL ? def->help : NULL;
}

const char *nf_field_definition(int field_id)
{
    const field_def *def = find_field(field_id);
    return def != NULL ? def->definition : NULL;
}
