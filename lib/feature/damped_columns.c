/* Names, units and order of the columns of damped statistics. */
#include <string.h>

#include "feature/damped.h"

static const char *const lambda_names[NF_DECAYS] = {"l5", "l3", "l1", "l0_1", "l0_01"};

typedef struct {
    const char *name;
    bool seconds;
    bool pair;
} block_def;
static const block_def blocks[] = {
    {"mi", false, false},    {"h", false, false},   {"hh", false, true},
    {"hh_jit", true, false}, {"hphp", false, true},
};
static const char *const stat_names[] = {"weight",    "mean",       "variance", "radius",
                                         "magnitude", "covariance", "pcc"};
static const char *const byte_units[] = {"packets", "bytes", "bytes^2", "bytes^2", "bytes", "bytes^2", ""};
static const char *const second_units[] = {"packets", "s", "s^2"};

static int add_column(netfeat_ctx *ctx, const nf_step *step, const block_def *b, int lambda, int stat,
                      int64_t rows, nf_outputs *out, double **data, uint8_t **validity)
{
    char name[64];
    size_t n = 0;
    const char *const parts[] = {b->name, lambda_names[lambda], stat_names[stat]};
    netfeat_column *col = NULL;
    int code = nf_column_new(ctx, NETFEAT_TYPE_F64, rows, b->seconds ? second_units[stat] : byte_units[stat],
                             nf_feature_definition(step->cls->id), netfeat_feature_null_rule(step->cls->id),
                             &col, data, validity);

    if (code != 0) {
        return code;
    }
    for (int i = 0; i < 3; i++) {
        size_t length = strlen(parts[i]);
        memcpy(name + n, parts[i], length);
        n += length;
        name[n++] = i < 2 ? '_' : '\0';
    }
    return nf_outputs_add(out, name, col);
}

int nf_damped_add_columns(netfeat_ctx *ctx, const nf_step *step, int64_t rows, nf_outputs *out, double **data,
                          uint8_t **validity)
{
    const nf_damped *s = step->state;
    int n = 0;
    int code = NETFEAT_OK;

    for (size_t b = 0; b < sizeof blocks / sizeof blocks[0]; b++) {
        if (b == 1 && !s->wide) {
            continue;
        }
        for (int k = 0; k < NF_DECAYS; k++) {
            for (int stat = 0; code == 0 && stat < (blocks[b].pair ? 7 : 3); stat++, n++) {
                code = add_column(ctx, step, &blocks[b], k, stat, rows, out, &data[n], &validity[n]);
            }
        }
    }
    return code;
}
