/* CSV (RFC 4180): a header line, CRLF, quotes only where they are needed. A NULL is nothing at all; an empty
   text is a pair of quotes. */
#include <string.h>

#include "export/writer.h"
#include "table/text.h"

#define CHECKPOINT_ROWS 4096
#define PART            4096 /* of a long text, per look at the buffer */

/* Text of any length, quotes doubled. */
static int put_quoted(nf_out *out, const char *p, size_t n)
{
    int code = nf_out_write(out, "\"", 1);

    while (code == 0 && n > 0) {
        const char *quote = memchr(p, '"', n);
        size_t part = quote != NULL ? (size_t)(quote - p) + 1 : n;
        code = nf_out_write(out, p, part);
        if (code == 0 && quote != NULL) {
            code = nf_out_write(out, "\"", 1);
        }
        p += part;
        n -= part;
    }
    return code != 0 ? code : nf_out_write(out, "\"", 1);
}

static bool needs_quotes(const char *p, size_t n)
{
    if (n == 0 || p[0] == ' ' || p[n - 1] == ' ') {
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        if (p[i] == ',' || p[i] == '"' || p[i] == '\r' || p[i] == '\n') {
            return true;
        }
    }
    return false;
}

static int put_text(nf_out *out, const char *p, size_t n)
{
    return needs_quotes(p, n) ? put_quoted(out, p, n) : nf_out_write(out, p, n);
}

static int put_hex(nf_out *out, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    int code = n == 0 ? nf_out_write(out, "\"\"", 2) : NETFEAT_OK;

    while (code == 0 && n > 0) {
        size_t part = n < PART ? n : PART;
        code = nf_out_reserve(out, 2 * part);
        for (size_t i = 0; code == 0 && i < part; i++) {
            out->buffer[out->used + 2 * i] = (uint8_t)digits[p[i] >> 4];
            out->buffer[out->used + 2 * i + 1] = (uint8_t)digits[p[i] & 15];
        }
        if (code == 0) {
            nf_out_advance(out, 2 * part);
        }
        p += part;
        n -= part;
    }
    return code;
}

/* A value of fixed width straight into the buffer. */
static int put_value(netfeat_writer *w, const netfeat_column *col, int64_t row)
{
    nf_out *out = &w->out;
    int code = nf_out_reserve(out, NF_TEXT_MAX);
    char *p = (char *)out->buffer + out->used;
    int64_t ns;

    if (code != 0) {
        return code;
    }
    if (col->type == NETFEAT_TYPE_TIME_NS && w->times_as_ns) {
        memcpy(&ns, col->data + (size_t)row * sizeof ns, sizeof ns);
        nf_out_advance(out, nf_text_i64(p, ns));
    } else {
        nf_out_advance(out, nf_text_value(p, col, row));
    }
    return NETFEAT_OK;
}

static int put_list(netfeat_writer *w, const netfeat_column *col, int64_t row)
{
    size_t size = 0;
    char *text;
    int code;

    netfeat_column_get_text(col, row, NULL, 0, &size);
    text = nf_alloc(w->ctx, size + 1);
    if (text == NULL) {
        return nf_ctx_code(w->ctx);
    }
    netfeat_column_get_text(col, row, text, size + 1, NULL);
    code = put_text(&w->out, text, size);
    nf_free(w->ctx, text, size + 1);
    return code;
}

static int put_cell(netfeat_writer *w, const netfeat_column *col, int64_t row)
{
    if (!nf_column_present(col, row)) {
        return NETFEAT_OK;
    }
    if (col->offsets == NULL) {
        return put_value(w, col, row);
    }
    if (col->type == NETFEAT_TYPE_LIST) {
        return put_list(w, col, row);
    }
    const uint8_t *p = col->data + col->offsets[row];
    size_t n = (size_t)(col->offsets[row + 1] - col->offsets[row]);
    return col->type == NETFEAT_TYPE_TEXT ? put_text(&w->out, (const char *)p, n) : put_hex(&w->out, p, n);
}

/* A line with a single empty cell would be no line at all. */
static int end_line(netfeat_writer *w, bool empty)
{
    int code = empty && w->width == 1 ? nf_out_write(&w->out, "\"\"", 2) : NETFEAT_OK;

    return code != 0 ? code : nf_out_write(&w->out, "\r\n", 2);
}

static int begin(netfeat_writer *w, const netfeat_table *tab)
{
    int code = NETFEAT_OK;

    for (int i = 0; code == 0 && i < tab->width; i++) {
        code = i > 0 ? nf_out_write(&w->out, ",", 1) : NETFEAT_OK;
        code = code != 0 ? code : put_text(&w->out, tab->names[i], strlen(tab->names[i]));
    }
    return code != 0 ? code : nf_out_write(&w->out, "\r\n", 2);
}

static int write_row(netfeat_writer *w, const netfeat_table *tab, int64_t row)
{
    int64_t start = w->out.position;
    int code = NETFEAT_OK;

    for (int i = 0; code == 0 && i < tab->width; i++) {
        code = i > 0 ? nf_out_write(&w->out, ",", 1) : NETFEAT_OK;
        code = code != 0 ? code : put_cell(w, tab->cols[i], row);
    }
    return code != 0 ? code : end_line(w, w->out.position == start);
}

static int write_table(netfeat_writer *w, const netfeat_table *tab)
{
    int code = NETFEAT_OK;

    for (int64_t row = 0; code == 0 && row < tab->rows; row++) {
        code = write_row(w, tab, row);
        if (code == 0 && row % CHECKPOINT_ROWS == 0) {
            code = nf_checkpoint(w->ctx, row, w->out.position, -1);
        }
    }
    return code;
}

static int end(netfeat_writer *w)
{
    (void)w;
    return NETFEAT_OK;
}

static void release(netfeat_writer *w)
{
    (void)w; /* there is no state */
}

const nf_format nf_format_csv = {begin, write_table, end, release};
