#include "table/text.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bitmap.h"

static const char hex_digits[] = "0123456789abcdef";

size_t nf_text_u64(char *buf, uint64_t value)
{
    char digits[20];
    size_t n = 0;

    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    for (size_t i = 0; i < n; i++) {
        buf[i] = digits[n - 1 - i];
    }
    buf[n] = '\0';
    return n;
}

size_t nf_text_i64(char *buf, int64_t value)
{
    if (value >= 0) {
        return nf_text_u64(buf, (uint64_t)value);
    }
    buf[0] = '-';
    return 1 + nf_text_u64(buf + 1, 0 - (uint64_t)value);
}

static size_t put_ipv4(char *buf, const uint8_t *ip)
{
    size_t n = 0;

    for (int i = 0; i < 4; i++) {
        n += nf_text_u64(buf + n, ip[i]);
        buf[n++] = '.';
    }
    buf[--n] = '\0';
    return n;
}

/* The longest run of at least two zero groups, the first of equals (RFC 5952, section 4.2). */
static int longest_zeros(const unsigned group[8], int *ret_length)
{
    int best = -1;
    int best_length = 1;

    for (int i = 0; i < 8; i++) {
        int j = i;
        while (j < 8 && group[j] == 0) {
            j++;
        }
        if (j - i > best_length) {
            best = i;
            best_length = j - i;
        }
        i = j > i ? j : i;
    }
    *ret_length = best_length;
    return best;
}

static size_t put_group(char *buf, unsigned value)
{
    size_t n = 0;

    for (int shift = 12; shift >= 0; shift -= 4) {
        if (value >> shift != 0 || shift == 0) {
            buf[n++] = hex_digits[value >> shift & 15];
        }
    }
    return n;
}

size_t nf_text_ip(char *buf, const uint8_t ip[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    unsigned group[8];
    int zeros, zeros_length;
    size_t n = 0;

    if (memcmp(ip, mapped, sizeof mapped) == 0) {
        return put_ipv4(buf, ip + 12);
    }
    for (int i = 0; i < 8; i++) {
        group[i] = (unsigned)ip[2 * i] << 8 | ip[2 * i + 1];
    }
    zeros = longest_zeros(group, &zeros_length);
    for (int i = 0; i < 8; i++) {
        if (i == zeros) {
            buf[n++] = ':';
            if (i + zeros_length == 8) {
                buf[n++] = ':';
            }
            i += zeros_length - 1;
            continue;
        }
        if (i > 0) {
            buf[n++] = ':';
        }
        n += put_group(buf + n, group[i]);
    }
    buf[n] = '\0';
    return n;
}

size_t nf_text_mac(char *buf, const uint8_t mac[6])
{
    size_t n = 0;

    for (int i = 0; i < 6; i++) {
        buf[n++] = hex_digits[mac[i] >> 4];
        buf[n++] = hex_digits[mac[i] & 15];
        buf[n++] = ':';
    }
    buf[--n] = '\0';
    return n;
}

static void put_digits(char *buf, unsigned value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        buf[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* Proleptic Gregorian calendar: civil date of a day number since 1970-01-01, by eras of 400 years. */
static void civil_date(int64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    int64_t z = days + 719468; /* days since 0000-03-01 */
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned of_era = (unsigned)(z - era * 146097);
    unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned mp = (5 * of_year + 2) / 153;

    *day = of_year - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = (unsigned)(year_of_era + era * 400 + (*month <= 2));
}

/* int64 ns reach from 1677 to 2262: the year always has four digits. */
size_t nf_text_time(char *buf, int64_t time_ns)
{
    int64_t second = time_ns / 1000000000 - (time_ns % 1000000000 < 0);
    unsigned ns = (unsigned)(time_ns % 1000000000 + (time_ns % 1000000000 < 0 ? 1000000000 : 0));
    int64_t days = second / 86400 - (second % 86400 < 0);
    unsigned of_day = (unsigned)(second - days * 86400);
    unsigned year, month, day;

    civil_date(days, &year, &month, &day);
    memcpy(buf, "0000-00-00T00:00:00.000000000Z", 31);
    put_digits(buf, year, 4);
    put_digits(buf + 5, month, 2);
    put_digits(buf + 8, day, 2);
    put_digits(buf + 11, of_day / 3600, 2);
    put_digits(buf + 14, of_day / 60 % 60, 2);
    put_digits(buf + 17, of_day % 60, 2);
    put_digits(buf + 20, ns, 9);
    return 30;
}

size_t nf_text_f64(char *buf, double value)
{
    int n = 0;

    if (isnan(value)) {
        memcpy(buf, "nan", 4);
        return 3;
    }
    for (int precision = 15; precision <= 17; precision++) {
        n = snprintf(buf, NF_TEXT_MAX, "%.*g", precision, value);
        if (strtod(buf, NULL) == value) {
            break;
        }
    }
    /* printf and strtod follow the locale; the text must not. */
    for (int i = 0; i < n; i++) {
        if (strchr("+-0123456789einf", buf[i]) == NULL) {
            buf[i] = '.';
        }
    }
    return (size_t)n;
}

size_t nf_text_value(char *buf, const netfeat_column *col, int64_t row)
{
    const uint8_t *p = col->data + (size_t)row * (size_t)nf_type_width(col->type);
    double f;
    uint64_t u = 0;
    int64_t s = 0;

    switch (col->type) {
    case NETFEAT_TYPE_BYTES16:
        return nf_text_ip(buf, p);
    case NETFEAT_TYPE_BYTES6:
        return nf_text_mac(buf, p);
    case NETFEAT_TYPE_F64:
        memcpy(&f, p, sizeof f);
        return nf_text_f64(buf, f);
    case NETFEAT_TYPE_TIME_NS:
        memcpy(&s, p, sizeof s);
        return nf_text_time(buf, s);
    case NETFEAT_TYPE_I64:
        memcpy(&s, p, sizeof s);
        return nf_text_i64(buf, s);
    default:
        netfeat_column_get_u64(col, row, &u);
        return nf_text_u64(buf, u);
    }
}

/* ---- netfeat_column_get_text: text cut at the size of the caller's buffer ---- */

typedef struct {
    char *buf;
    size_t size;
    size_t length; /* full length so far */
} sink;

static void put(sink *s, const char *text, size_t n)
{
    if (s->length < s->size) {
        size_t room = s->size - s->length;
        memcpy(s->buf + s->length, text, n < room ? n : room);
    }
    s->length += n;
}

static void finish(sink *s)
{
    if (s->size > 0) {
        s->buf[s->length < s->size ? s->length : s->size - 1] = '\0';
    }
}

static void put_bytes(sink *s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char pair[2] = {hex_digits[p[i] >> 4], hex_digits[p[i] & 15]};
        put(s, pair, sizeof pair);
    }
}

/* One value that is not a LIST. */
static void put_value(sink *s, const netfeat_column *col, int64_t row)
{
    char text[NF_TEXT_MAX];

    if (col->type == NETFEAT_TYPE_TEXT || col->type == NETFEAT_TYPE_BYTES) {
        size_t n = (size_t)(col->offsets[row + 1] - col->offsets[row]);
        if (col->type == NETFEAT_TYPE_TEXT) {
            put(s, (const char *)col->data + col->offsets[row], n);
        } else {
            put_bytes(s, col->data + col->offsets[row], n);
        }
        return;
    }
    put(s, text, nf_text_value(text, col, row));
}

static void put_list(sink *s, const netfeat_column *col, int64_t row)
{
    put(s, "[", 1);
    for (int64_t i = col->offsets[row]; i < col->offsets[row + 1]; i++) {
        if (i > col->offsets[row]) {
            put(s, ", ", 2);
        }
        if (nf_column_present(col->child, i)) {
            put_value(s, col->child, i);
        } else {
            put(s, "null", 4);
        }
    }
    put(s, "]", 1);
}

int netfeat_column_get_text(const netfeat_column *col, int64_t row, char *buf, size_t size,
                            size_t *ret_length)
{
    sink s = {buf, size, 0};
    int is_null = netfeat_column_is_null(col, row);

    if (is_null < 0) {
        return is_null;
    }
    if (buf == NULL && size > 0) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (!is_null && col->type == NETFEAT_TYPE_LIST) {
        put_list(&s, col, row);
    } else if (!is_null) {
        put_value(&s, col, row);
    }
    finish(&s);
    if (ret_length != NULL) {
        *ret_length = s.length;
    }
    return !is_null;
}
