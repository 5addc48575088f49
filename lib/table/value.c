/* One value of a column at a time. */
#include "table/column.h"

#include <string.h>

#include "base/bitmap.h"

int netfeat_column_is_null(const netfeat_column *col, int64_t row)
{
    if (col == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (row < 0 || row >= col->length) {
        return NETFEAT_ERR_RANGE;
    }
    return !nf_column_present(col, row);
}

typedef struct {
    bool is_signed;
    uint64_t bits;
} integer;

static int load_integer(const netfeat_column *col, int64_t row, integer *ret)
{
    const uint8_t *p = col->data + (size_t)row * (size_t)nf_type_width(col->type);
    uint16_t u16;
    uint32_t u32;

    ret->is_signed = false;
    switch (col->type) {
    case NETFEAT_TYPE_BOOL:
        ret->bits = nf_bitmap_get(col->data, row);
        return NETFEAT_OK;
    case NETFEAT_TYPE_U8:
        ret->bits = *p;
        return NETFEAT_OK;
    case NETFEAT_TYPE_U16:
        memcpy(&u16, p, sizeof u16);
        ret->bits = u16;
        return NETFEAT_OK;
    case NETFEAT_TYPE_U32:
        memcpy(&u32, p, sizeof u32);
        ret->bits = u32;
        return NETFEAT_OK;
    case NETFEAT_TYPE_I64:
    case NETFEAT_TYPE_TIME_NS:
        ret->is_signed = true;
        memcpy(&ret->bits, p, sizeof ret->bits);
        return NETFEAT_OK;
    case NETFEAT_TYPE_U64:
        memcpy(&ret->bits, p, sizeof ret->bits);
        return NETFEAT_OK;
    default:
        return NETFEAT_ERR_TYPE;
    }
}

/* 1 present, 0 NULL, <0 error: the part that the accessors share. */
static int check_row(const netfeat_column *col, int64_t row, const void *ret)
{
    int is_null = netfeat_column_is_null(col, row);

    if (ret == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    return is_null < 0 ? is_null : !is_null;
}

int netfeat_column_get_i64(const netfeat_column *col, int64_t row, int64_t *ret)
{
    integer v;
    int code = check_row(col, row, ret);

    if (code < 0 || load_integer(col, row, &v) != 0) {
        return code < 0 ? code : NETFEAT_ERR_TYPE;
    }
    if (code == 0) {
        return 0;
    }
    if (!v.is_signed && v.bits > INT64_MAX) {
        return NETFEAT_ERR_RANGE;
    }
    *ret = (int64_t)v.bits;
    return 1;
}

int netfeat_column_get_u64(const netfeat_column *col, int64_t row, uint64_t *ret)
{
    integer v;
    int code = check_row(col, row, ret);

    if (code < 0 || load_integer(col, row, &v) != 0) {
        return code < 0 ? code : NETFEAT_ERR_TYPE;
    }
    if (code == 0) {
        return 0;
    }
    if (v.is_signed && v.bits > INT64_MAX) {
        return NETFEAT_ERR_RANGE;
    }
    *ret = v.bits;
    return 1;
}

int netfeat_column_get_f64(const netfeat_column *col, int64_t row, double *ret)
{
    integer v;
    int code = check_row(col, row, ret);

    if (code < 0) {
        return code;
    }
    if (col->type == NETFEAT_TYPE_F64) {
        if (code == 1) {
            memcpy(ret, col->data + (size_t)row * sizeof *ret, sizeof *ret);
        }
        return code;
    }
    if (load_integer(col, row, &v) != 0) {
        return NETFEAT_ERR_TYPE;
    }
    if (code == 1) {
        *ret = v.is_signed ? (double)(int64_t)v.bits : (double)v.bits;
    }
    return code;
}
