/* writer.h - inside of a writer: the output, the settings, and one of the formats. */
#ifndef NF_EXPORT_WRITER_H
#define NF_EXPORT_WRITER_H

#include <netfeat/export.h>

#include "export/arrow_type.h"
#include "export/out.h"
#include "export/outgoing.h"

/* A format. All but release return 0 or a negative code. */
typedef struct {
    /* Before the first table. */
    int (*begin)(netfeat_writer *w, const netfeat_table *tab);
    int (*write)(netfeat_writer *w, const netfeat_table *tab);
    int (*end)(netfeat_writer *w);
    /* Free w->state; also after a failure of any of them. */
    void (*release)(netfeat_writer *w);
} nf_format;

extern const nf_format nf_format_arrow, nf_format_stream, nf_format_parquet, nf_format_csv;

/* What a column has to look like in every table. */
typedef struct {
    char *name;
    int type;
    int item; /* of a LIST, else 0 */
} nf_writer_column;

struct netfeat_writer {
    nf_ref refs;
    netfeat_ctx *ctx; /* counted reference */
    nf_out out;
    const nf_format *format;
    void *state;
    int codec;
    int64_t batch_rows; /* 0: a table is one batch */
    nf_shape shape;
    bool times_as_ns;
    bool single; /* one table only */
    bool begun, failed, ended;
    nf_writer_column *columns;
    size_t width;
};

#endif
