#include "linear.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int compute(struct linear *model, const netfeat_table *features)
{
    int64_t rows = netfeat_table_rows(features);

    memset(model->valid, 0xff, sizeof model->valid);
    memset(model->score, 0, sizeof model->score);
    for (int i = 0; i < netfeat_table_width(model->weights); i++) {
        const char *name = netfeat_table_name(model->weights, i);
        const netfeat_column *col = netfeat_table_column(features, netfeat_table_find(features, name));
        int constant = strcmp(name, "intercept") == 0;
        double weight = 0, x = 1;
        if (netfeat_table_rows(model->weights) != 1 || (col == NULL && !constant) ||
            netfeat_column_get_f64(netfeat_table_column(model->weights, i), 0, &weight) != 1) {
            fprintf(stderr, "%s: a model has one row of numbers, named after features: %s\n", model->path,
                    name);
            return 1;
        }
        for (int64_t row = 0; row < rows; row++) {
            if (!constant && netfeat_column_get_f64(col, row, &x) != 1) {
                model->valid[row / 8] &= (uint8_t) ~(1U << row % 8);
            }
            model->score[row] += weight * x;
        }
    }
    for (int64_t row = 0; row < rows; row++) {
        int there = model->valid[row / 8] >> row % 8 & 1;
        model->score[row] = there ? model->score[row] : 0;
        model->probability[row] = there ? 1 / (1 + exp(-model->score[row])) : 0;
        model->decision[row] = model->score[row] > 0;
    }
    return 0;
}

static int add_column(netfeat_ctx *ctx, struct linear *model, const char *name, int type, const void *data,
                      netfeat_table **tab)
{
    netfeat_column *col = NULL;
    netfeat_table *one = NULL, *both = NULL;
    int code = netfeat_column_wrap(ctx, type, netfeat_table_rows(*tab), data, model->valid, NULL, NULL, &col);

    code = code != 0 ? code : netfeat_table_from_columns(ctx, &name, &col, 1, &one);
    code = code != 0 ? code : netfeat_table_join(ctx, *tab, one, &both);
    if (code == 0) {
        netfeat_table_unref(*tab);
        *tab = both;
    }
    netfeat_table_unref(one);
    netfeat_column_unref(col);
    return code;
}

int linear_apply(netfeat_ctx *ctx, struct linear *model, const netfeat_table *features, netfeat_table **tab)
{
    int code = compute(model, features);

    code = code != 0 ? code : add_column(ctx, model, "score", NETFEAT_TYPE_F64, model->score, tab);
    code =
        code != 0 ? code : add_column(ctx, model, "probability", NETFEAT_TYPE_F64, model->probability, tab);
    return code != 0 ? code : add_column(ctx, model, "decision", NETFEAT_TYPE_U8, model->decision, tab);
}
