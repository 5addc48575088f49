#include "export/arrow_type.h"

#include <string.h>

nf_arrow_type nf_arrow_type_of(int type)
{
    nf_arrow_type t = {.kind = NF_ARROW_INT, .bits = nf_type_width(type) * 8};

    switch (type) {
    case NETFEAT_TYPE_BOOL:
        t.kind = NF_ARROW_BOOL;
        break;
    case NETFEAT_TYPE_I64:
        t.is_signed = true;
        break;
    case NETFEAT_TYPE_F64:
        t.kind = NF_ARROW_FLOAT;
        break;
    case NETFEAT_TYPE_TIME_NS:
        t.kind = NF_ARROW_TIME;
        t.unit = 3;
        break;
    case NETFEAT_TYPE_BYTES16:
    case NETFEAT_TYPE_BYTES6:
        t.kind = NF_ARROW_FIXED;
        t.width = nf_type_width(type);
        break;
    case NETFEAT_TYPE_TEXT:
    case NETFEAT_TYPE_BYTES:
    case NETFEAT_TYPE_LIST:
        t.kind = type == NETFEAT_TYPE_TEXT    ? NF_ARROW_TEXT
                 : type == NETFEAT_TYPE_BYTES ? NF_ARROW_BINARY
                                              : NF_ARROW_LIST;
        t.bits = 64;
        break;
    default:
        break;
    }
    return t;
}

static int integer_target(const nf_arrow_type *t)
{
    if (t->is_signed) {
        return NETFEAT_TYPE_I64;
    }
    return t->bits == 8    ? NETFEAT_TYPE_U8
           : t->bits == 16 ? NETFEAT_TYPE_U16
           : t->bits == 32 ? NETFEAT_TYPE_U32
                           : NETFEAT_TYPE_U64;
}

int nf_arrow_type_target(const nf_arrow_type *t)
{
    switch (t->kind) {
    case NF_ARROW_BOOL:
        return NETFEAT_TYPE_BOOL;
    case NF_ARROW_INT:
        return integer_target(t);
    case NF_ARROW_FLOAT:
        return NETFEAT_TYPE_F64;
    case NF_ARROW_TIME:
        return NETFEAT_TYPE_TIME_NS;
    case NF_ARROW_FIXED:
        return t->width == 16 ? NETFEAT_TYPE_BYTES16 : t->width == 6 ? NETFEAT_TYPE_BYTES6 : 0;
    case NF_ARROW_TEXT:
        return NETFEAT_TYPE_TEXT;
    case NF_ARROW_BINARY:
        return NETFEAT_TYPE_BYTES;
    case NF_ARROW_LIST:
        return NETFEAT_TYPE_LIST;
    default:
        return 0;
    }
}

bool nf_arrow_type_is_native(const nf_arrow_type *t)
{
    switch (t->kind) {
    case NF_ARROW_INT:
        return !t->is_signed || t->bits == 64;
    case NF_ARROW_TIME:
        return t->unit == 3;
    case NF_ARROW_FLOAT:
    case NF_ARROW_TEXT:
    case NF_ARROW_BINARY:
    case NF_ARROW_LIST:
        return t->bits == 64;
    default:
        return true;
    }
}

int nf_arrow_type_width(const nf_arrow_type *t)
{
    switch (t->kind) {
    case NF_ARROW_INT:
    case NF_ARROW_FLOAT:
        return t->bits / 8;
    case NF_ARROW_TIME:
        return 8;
    case NF_ARROW_FIXED:
        return t->width;
    default:
        return 0;
    }
}

/* ---- format strings ---- */

static const struct {
    const char *format;
    nf_arrow_type type;
} formats[] = {
    {"b", {.kind = NF_ARROW_BOOL}},
    {"c", {.kind = NF_ARROW_INT, .bits = 8, .is_signed = true}},
    {"C", {.kind = NF_ARROW_INT, .bits = 8}},
    {"s", {.kind = NF_ARROW_INT, .bits = 16, .is_signed = true}},
    {"S", {.kind = NF_ARROW_INT, .bits = 16}},
    {"i", {.kind = NF_ARROW_INT, .bits = 32, .is_signed = true}},
    {"I", {.kind = NF_ARROW_INT, .bits = 32}},
    {"l", {.kind = NF_ARROW_INT, .bits = 64, .is_signed = true}},
    {"L", {.kind = NF_ARROW_INT, .bits = 64}},
    {"f", {.kind = NF_ARROW_FLOAT, .bits = 32}},
    {"g", {.kind = NF_ARROW_FLOAT, .bits = 64}},
    {"w:16", {.kind = NF_ARROW_FIXED, .width = 16}},
    {"w:6", {.kind = NF_ARROW_FIXED, .width = 6}},
    {"u", {.kind = NF_ARROW_TEXT, .bits = 32}},
    {"U", {.kind = NF_ARROW_TEXT, .bits = 64}},
    {"vu", {.kind = NF_ARROW_TEXT, .bits = 0}},
    {"z", {.kind = NF_ARROW_BINARY, .bits = 32}},
    {"Z", {.kind = NF_ARROW_BINARY, .bits = 64}},
    {"vz", {.kind = NF_ARROW_BINARY, .bits = 0}},
    {"+l", {.kind = NF_ARROW_LIST, .bits = 32}},
    {"+L", {.kind = NF_ARROW_LIST, .bits = 64}},
};

const char *nf_arrow_format(int type)
{
    switch (type) {
    case NETFEAT_TYPE_BOOL:
        return "b";
    case NETFEAT_TYPE_U8:
        return "C";
    case NETFEAT_TYPE_U16:
        return "S";
    case NETFEAT_TYPE_U32:
        return "I";
    case NETFEAT_TYPE_U64:
        return "L";
    case NETFEAT_TYPE_I64:
        return "l";
    case NETFEAT_TYPE_F64:
        return "g";
    case NETFEAT_TYPE_TIME_NS:
        return "tsn:";
    case NETFEAT_TYPE_BYTES16:
        return "w:16";
    case NETFEAT_TYPE_BYTES6:
        return "w:6";
    case NETFEAT_TYPE_TEXT:
        return "U";
    case NETFEAT_TYPE_BYTES:
        return "Z";
    default:
        return "+L";
    }
}

bool nf_arrow_format_parse(const char *format, nf_arrow_type *ret)
{
    static const char units[] = "smun";
    const char *unit;

    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].format, format) == 0) {
            *ret = formats[i].type;
            return true;
        }
    }
    /* "tsn:Zone": the value is UTC whatever the zone says */
    if (format[0] == 't' && format[1] == 's' && format[2] != '\0' && format[3] == ':' &&
        (unit = strchr(units, format[2])) != NULL) {
        nf_arrow_type t = {.kind = NF_ARROW_TIME, .unit = (int)(unit - units)};
        *ret = t;
        return true;
    }
    return false;
}
