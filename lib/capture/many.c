/* many.c - several files as one source: one after the other, or merged by time. */
#include <string.h>

#include "base/options.h"
#include "capture/paths.h"
#include "capture/reader.h"

#define MERGE_BYTES     ((int64_t)64 << 20) /* for the buffers of all files together */
#define MERGE_BYTES_MIN ((int64_t)16 << 10) /* for one of them */

/* A file being read; in a merge with the records that are next in it. */
typedef struct {
    netfeat_source *src; /* owned; NULL: not open */
    uint32_t path;       /* index of its path */
    int at, n;           /* in records */
    int64_t key;         /* time of the next record; one without a time goes with the one before it */
    nf_record *records;  /* NF_BATCH of them, owned; NULL when not merging */
} open_file;

struct nf_many {
    nf_paths paths;
    netfeat_options *opts; /* a copy of the caller's */
    int64_t file_index;    /* of the first file */
    bool merges;
    open_file *files; /* one; in a merge one for each path */
    size_t n_files;
    size_t next;                                     /* path to open next */
    int64_t closed[NETFEAT_COUNT_NOTES_DROPPED + 1]; /* counters of the files that are done */
    /* merge */
    size_t *heap; /* indices of files, the one with the earliest record first */
    size_t heap_n;
    size_t unfilled; /* files from here to n_files never had a record asked for */
    size_t empty;    /* the file whose records are used up; n_files: none */
    struct {
        int code; /* 0: none */
        int error_number;
        int64_t packet, offset;
        char message[512];
    } failure; /* of the first file that ended in one: told when all others are at their end */
};

/* ---- opening and closing files ---- */

static int copy_options(netfeat_ctx *ctx, const netfeat_options *opts, netfeat_options **ret)
{
    netfeat_options *copy = NULL;
    int code = netfeat_options_new(ctx, &copy);

    for (int key = netfeat_option_next(0); code == 0 && key > 0; key = netfeat_option_next(key)) {
        int64_t value;
        if (netfeat_option_kind(key) == NETFEAT_KIND_TEXT) {
            const char *text = netfeat_options_get_text(opts, key);
            code = text[0] != '\0' ? netfeat_options_set_text(copy, key, text) : NETFEAT_OK;
        } else {
            code = netfeat_options_get_int(opts, key, &value);
            code = code < 0 ? code : netfeat_options_set_int(copy, key, value);
        }
    }
    if (code < 0) {
        netfeat_options_unref(copy);
        return code;
    }
    *ret = copy;
    return NETFEAT_OK;
}

static int open_next(netfeat_source *src, open_file *f)
{
    nf_many *m = src->many;
    const char *path = m->paths.list[m->next];
    nf_input in;
    int code = netfeat_options_set_int(m->opts, NETFEAT_OPT_SOURCE_FILE_INDEX,
                                       (m->file_index + (int64_t)m->next) & UINT32_MAX);

    code = code < 0 ? code : nf_input_open_file(src->ctx, path, &in);
    code = code < 0 ? code : nf_source_open(src->ctx, &in, m->opts, &f->src);
    if (code < 0) {
        return code == NETFEAT_ERR_CANCELLED ? code : nf_error_name(src->ctx, path);
    }
    f->src->outer = src;
    f->path = (uint32_t)m->next++;
    return NETFEAT_OK;
}

static void close_file(nf_many *m, open_file *f)
{
    if (f->src != NULL) {
        for (int which = 1; netfeat_source_count_name(which) != NULL; which++) {
            m->closed[which] += netfeat_source_count(f->src, which);
        }
        f->src = netfeat_source_unref(f->src);
    }
}

void nf_many_close(netfeat_ctx *ctx, nf_many *m)
{
    if (m == NULL) {
        return;
    }
    for (size_t i = 0; i < m->n_files; i++) {
        close_file(m, &m->files[i]);
        nf_free(ctx, m->files[i].records, NF_BATCH * sizeof(nf_record));
    }
    nf_free(ctx, m->files, m->n_files * sizeof *m->files);
    nf_free(ctx, m->heap, m->n_files * sizeof *m->heap);
    nf_paths_close(ctx, &m->paths);
    netfeat_options_unref(m->opts);
    nf_free(ctx, m, sizeof *m);
}

/* ---- one after the other ---- */

static void note_snapped(netfeat_source *src, const nf_record *recs, int n)
{
    src->batch_snapped = 0;
    src->batch_backwards = 0; /* counted by the files' own sources */
    for (int i = 0; i < n; i++) {
        src->batch_snapped += recs[i].captured_length < recs[i].wire_length;
    }
}

static int next_in_order(netfeat_source *src, nf_record *recs, int max)
{
    nf_many *m = src->many;
    open_file *f = &m->files[0];

    for (;;) {
        int n;

        if (f->src == NULL) {
            if (m->next == m->paths.count) {
                return 0;
            }
            n = open_next(src, f);
            if (n < 0) {
                return n;
            }
        }
        n = nf_source_next(f->src, recs, max);
        if (n > 0) {
            note_snapped(src, recs, n);
            return n;
        }
        if (n < 0) {
            return n == NETFEAT_ERR_CANCELLED ? n : nf_error_name(src->ctx, m->paths.list[f->path]);
        }
        close_file(m, f);
    }
}

/* ---- merged: a heap of the files by the time of their next record ---- */

static bool is_before(const nf_many *m, size_t a, size_t b)
{
    const open_file *x = &m->files[a];
    const open_file *y = &m->files[b];
    return x->key != y->key ? x->key < y->key : a < b;
}

static void sift_down(nf_many *m)
{
    size_t i = 0;

    for (;;) {
        size_t least = i;
        size_t held = m->heap[i];

        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < m->heap_n; child++) {
            if (is_before(m, m->heap[child], m->heap[least])) {
                least = child;
            }
        }
        if (least == i) {
            return;
        }
        m->heap[i] = m->heap[least];
        m->heap[least] = held;
        i = least;
    }
}

static void heap_add(nf_many *m, size_t file)
{
    size_t i = m->heap_n++;

    while (i > 0 && is_before(m, file, m->heap[(i - 1) / 2])) {
        m->heap[i] = m->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    m->heap[i] = file;
}

static void heap_remove_first(nf_many *m)
{
    m->heap[0] = m->heap[--m->heap_n];
    if (m->heap_n > 0) {
        sift_down(m);
    }
}

static void set_key(open_file *f)
{
    const nf_record *r = &f->records[f->at];

    if (!(r->flags & NF_RECORD_NO_TIME)) {
        f->key = r->time_ns;
    }
}

static void keep_failure(netfeat_source *src)
{
    nf_many *m = src->many;
    const netfeat_ctx *ctx = src->ctx;

    if (m->failure.code == 0) {
        const char *message = netfeat_ctx_error_message(ctx);
        size_t length = strnlen(message, sizeof m->failure.message - 1);

        m->failure.code = nf_ctx_code(ctx);
        m->failure.error_number = netfeat_ctx_error_errno(ctx);
        m->failure.packet = netfeat_ctx_error_packet(ctx);
        m->failure.offset = netfeat_ctx_error_offset(ctx);
        memcpy(m->failure.message, message, length);
    }
    netfeat_ctx_error_clear(src->ctx);
}

/* The next records of a file into the heap; a file without any is closed. <0 only for CANCELLED: ask again. */
static int fill(netfeat_source *src, size_t index)
{
    nf_many *m = src->many;
    open_file *f = &m->files[index];
    int n = nf_source_next(f->src, f->records, NF_BATCH);

    if (n == NETFEAT_ERR_CANCELLED) {
        return n;
    }
    if (n < 0) {
        nf_error_name(src->ctx, m->paths.list[f->path]);
        keep_failure(src);
    }
    if (n <= 0) {
        close_file(m, f);
        return NETFEAT_OK;
    }
    f->at = 0;
    f->n = n;
    set_key(f);
    heap_add(m, index);
    return NETFEAT_OK;
}

/* All files that are not at their end have records in the heap. */
static int fill_all(netfeat_source *src)
{
    nf_many *m = src->many;
    int code = NETFEAT_OK;

    while (code == 0 && m->unfilled < m->n_files) {
        code = fill(src, m->unfilled);
        m->unfilled += code == 0;
    }
    if (code == 0 && m->empty < m->n_files) {
        code = fill(src, m->empty);
        m->empty = code == 0 ? m->n_files : m->empty;
    }
    return code;
}

static int next_merged(netfeat_source *src, nf_record *recs, int max)
{
    nf_many *m = src->many;
    int n = 0;
    int code = fill_all(src);

    if (code < 0) {
        return code;
    }
    while (n < max && m->heap_n > 0 && m->empty == m->n_files) {
        open_file *f = &m->files[m->heap[0]];

        recs[n++] = f->records[f->at++];
        if (f->at < f->n) {
            set_key(f);
            sift_down(m);
        } else { /* its records are borrowed from it: the next may be asked for in the next call only */
            m->empty = m->heap[0];
            heap_remove_first(m);
        }
    }
    note_snapped(src, recs, n);
    if (n == 0 && m->failure.code != 0) {
        return nf_error_again(src->ctx, m->failure.code, m->failure.error_number, m->failure.packet,
                              m->failure.offset, m->failure.message);
    }
    return n;
}

static int open_merge(netfeat_source *src)
{
    nf_many *m = src->many;
    int64_t share = MERGE_BYTES / (int64_t)m->n_files;
    int64_t buffer = nf_option(m->opts, NETFEAT_OPT_SOURCE_BUFFER_BYTES);
    int code = NETFEAT_OK;

    if (buffer > share && buffer > MERGE_BYTES_MIN) {
        code = netfeat_options_set_int(m->opts, NETFEAT_OPT_SOURCE_BUFFER_BYTES,
                                       share > MERGE_BYTES_MIN ? share : MERGE_BYTES_MIN);
    }
    m->heap = nf_alloc_array(src->ctx, m->n_files, sizeof *m->heap);
    if (m->heap == NULL) {
        return nf_ctx_code(src->ctx);
    }
    for (size_t i = 0; code == 0 && i < m->n_files; i++) {
        m->files[i].key = INT64_MIN;
        m->files[i].records = nf_alloc_array(src->ctx, NF_BATCH, sizeof(nf_record));
        code = m->files[i].records != NULL ? open_next(src, &m->files[i]) : nf_ctx_code(src->ctx);
    }
    return code;
}

/* ---- the source ---- */

int64_t nf_many_count(const nf_many *m, int which, const int64_t *own)
{
    int64_t sum = m->closed[which];

    if (which == NETFEAT_COUNT_DELIVERED || which == NETFEAT_COUNT_SNAPPED) {
        return own[which]; /* files that are merged are read ahead */
    }
    if (which == NETFEAT_COUNT_RECORDS) {
        return own[NETFEAT_COUNT_DELIVERED] + nf_many_count(m, NETFEAT_COUNT_FILTERED, own);
    }
    for (size_t i = 0; i < m->n_files; i++) {
        sum += m->files[i].src != NULL ? netfeat_source_count(m->files[i].src, which) : 0;
    }
    return sum;
}

int64_t nf_many_total(const nf_many *m)
{
    return m->paths.total;
}

/* src->many exists and is zero. */
static int open_many(netfeat_source *src, const char *const *paths, size_t n, const netfeat_options *opts)
{
    nf_many *m = src->many;
    int64_t most = nf_option(opts, NETFEAT_OPT_SOURCE_MAX_OPEN_FILES);
    int code = nf_paths_open(src->ctx, paths, n, nf_option(opts, NETFEAT_OPT_SOURCE_MAX_FILES), &m->paths);

    code = code < 0 ? code : copy_options(src->ctx, opts, &m->opts);
    if (code < 0) {
        return code;
    }
    m->file_index = nf_option(opts, NETFEAT_OPT_SOURCE_FILE_INDEX);
    m->merges = nf_option(opts, NETFEAT_OPT_SOURCE_MERGE) != 0;
    if (m->merges && (int64_t)m->paths.count > most) {
        return nf_error(src->ctx, NETFEAT_ERR_LIMIT,
                        "%zu files to merge, more than %lld (source.max_open_files)", m->paths.count,
                        (long long)most);
    }
    m->files = nf_alloc_zero(src->ctx, (m->merges ? m->paths.count : 1) * sizeof *m->files);
    if (m->files == NULL) {
        return nf_ctx_code(src->ctx);
    }
    m->n_files = m->merges ? m->paths.count : 1;
    m->empty = m->n_files;
    src->next = m->merges ? next_merged : next_in_order;
    return m->merges ? open_merge(src) : open_next(src, &m->files[0]);
}

int netfeat_source_open_many(netfeat_ctx *ctx, const char *const *paths, size_t n,
                             const netfeat_options *opts, netfeat_source **ret)
{
    netfeat_source *src = NULL;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (paths == NULL || n == 0 || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "source_open_many: %s",
                        ret == NULL ? "ret is NULL" : "there are no paths");
    }
    for (size_t i = 0; i < n; i++) {
        if (paths[i] == NULL) {
            return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "source_open_many: path %zu is NULL", i);
        }
    }
    code = nf_source_new(ctx, opts, &src);
    if (code < 0) {
        return code;
    }
    nf_filter_close(ctx, &src->filter); /* each file has its own */
    src->many = nf_alloc_zero(ctx, sizeof *src->many);
    code = src->many != NULL ? open_many(src, paths, n, opts) : nf_ctx_code(ctx);
    if (code < 0) {
        netfeat_source_unref(src);
        return code;
    }
    *ret = src;
    return NETFEAT_OK;
}

int64_t netfeat_source_file_count(const netfeat_source *src)
{
    if (src == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    return src->many != NULL ? (int64_t)src->many->paths.count : 1;
}

const char *netfeat_source_file_path(const netfeat_source *src, uint32_t file_index)
{
    const nf_many *m = src != NULL ? src->many : NULL;
    uint32_t i = m != NULL ? file_index - (uint32_t)m->file_index : 0;

    return m != NULL && i < m->paths.count ? m->paths.list[i] : NULL;
}
