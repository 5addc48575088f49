/* Arrow IPC files and streams: round trips of every type, damage of every byte, limits, failures in the middle. */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export_check.h"
#include "../support/torture.h"
#include "base/order.h"

static netfeat_ctx *ctx;
static netfeat_options *opts;
static uint64_t empty;
static char dir[64], path[128];

static void set_up(void)
{
    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    empty = netfeat_ctx_memory_used(ctx);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_IO_SYNC, 0), 0);
    snprintf(dir, sizeof dir, "/tmp/netfeat-ipc-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/table.arrow", dir);
}

static void tear_down(void)
{
    unlink(path);
    cr_expect_eq(rmdir(dir), 0, "no file was left behind");
    netfeat_options_unref(opts);
    cr_expect_eq(netfeat_ctx_memory_used(ctx), empty, "everything was given back");
    netfeat_ctx_unref(ctx);
}

TestSuite(ipc, .init = set_up, .fini = tear_down);

static void set_text(int key, const char *text)
{
    cr_assert_eq(netfeat_options_set_text(opts, key, text), 0);
}

static void set_int(int key, int64_t value)
{
    cr_assert_eq(netfeat_options_set_int(opts, key, value), 0);
}

static void must(int code, const char *what)
{
    cr_assert_eq(code, 0, "%s: %d %s", what, code, netfeat_ctx_error_message(ctx));
}

/* Save, load in both modes and from a pipe, compare. */
static void round_trip(netfeat_table *tab, const char *what)
{
    static const char *const modes[] = {"mapped", "read"};
    netfeat_table *back = NULL;
    const char *wrong;
    int fd;

    must(netfeat_table_save_file(ctx, tab, path, opts), what);
    for (int i = 0; i < 2; i++) {
        set_text(NETFEAT_OPT_IO_LOAD_MODE, modes[i]);
        must(netfeat_table_load_file(ctx, path, opts, &back), what);
        wrong = check_same(tab, back, true);
        cr_expect_null(wrong, "%s, %s: %s", what, modes[i], wrong);
        cr_expect_str_eq(netfeat_table_kind(back), "table");
        cr_expect_str_eq(netfeat_table_meta(back, "netfeat.version"), netfeat_version_string());
        cr_expect_str_eq(netfeat_table_meta(back, "netfeat.definitions"),
                         netfeat_table_width(tab) > 0 ? "test.column@7" : "");
        back = netfeat_table_unref(back);
    }
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    cr_assert_geq(fd, 0);
    must(netfeat_table_save_fd(ctx, tab, fd, opts), what);
    must(netfeat_table_save_fd(ctx, tab, fd, opts), what); /* a second stream behind the first */
    cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
    for (int i = 0; i < 2; i++) {
        must(netfeat_table_load_fd(ctx, fd, opts, &back), what);
        wrong = check_same(tab, back, true);
        cr_expect_null(wrong, "%s, stream %d: %s", what, i, wrong);
        back = netfeat_table_unref(back);
    }
    close(fd);
}

Test(ipc, every_type_comes_back)
{
    static const char *const codecs[] = {"none", "zstd", "lz4"};
    static const int64_t batches[] = {0, 8, 50};
    static const int64_t sizes[] = {0, 1, 7, 8, 203};
    char what[100];

    for (size_t c = 0; c < 3; c++) {
        if (c > 0 && !netfeat_build_has(codecs[c])) {
            continue;
        }
        set_text(NETFEAT_OPT_IO_COMPRESSION, codecs[c]);
        for (size_t b = 0; b < 3; b++) {
            set_int(NETFEAT_OPT_IO_BATCH_ROWS, batches[b]);
            for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
                for (int nulls = 0; nulls <= 1; nulls++) {
                    netfeat_table *tab = NULL, *slice = NULL;
                    snprintf(what, sizeof what, "%s, batches of %lld, %lld rows, nulls %d", codecs[c],
                             (long long)batches[b], (long long)sizes[s], nulls);
                    must(check_table(ctx, sizes[s], nulls != 0, &tab), what);
                    round_trip(tab, what);
                    if (sizes[s] > 20) { /* offsets that begin in the middle, bitmaps off the byte */
                        must(netfeat_table_slice(ctx, tab, 11, sizes[s] - 20, &slice), what);
                        round_trip(slice, what);
                        netfeat_table_unref(slice);
                        must(netfeat_table_slice(ctx, tab, 16, 64, &slice), what);
                        round_trip(slice, what);
                        netfeat_table_unref(slice);
                    }
                    netfeat_table_unref(tab);
                }
            }
        }
    }
}

Test(ipc, tables_without_columns)
{
    netfeat_table *tab = NULL;

    must(netfeat_table_from_columns(ctx, NULL, NULL, 0, &tab), "make");
    round_trip(tab, "no columns");
    netfeat_table_unref(tab);
}

/* A file of one plain batch is used in place: loading allocates next to nothing, whatever its size. */
Test(ipc, mapped_files_are_not_copied)
{
    netfeat_table *tab = NULL, *back = NULL;
    uint64_t before;

    must(check_table(ctx, 20000, true, &tab), "make");
    must(netfeat_table_save_file(ctx, tab, path, opts), "save");
    before = netfeat_ctx_memory_used(ctx);
    must(netfeat_table_load_file(ctx, path, opts, &back), "load");
    cr_expect_lt(netfeat_ctx_memory_used(ctx) - before, 32768, "%llu bytes",
                 (unsigned long long)(netfeat_ctx_memory_used(ctx) - before));
    /* saving over the file that is mapped makes a new one: the old table stays as it was */
    must(netfeat_table_save_file(ctx, back, path, opts), "save over itself");
    cr_expect_null(check_same(tab, back, true));
    netfeat_table_unref(back);
    netfeat_table_unref(tab);
}

Test(ipc, addresses_as_text)
{
    netfeat_table *tab = NULL, *back = NULL, *both = NULL;
    netfeat_writer *w = NULL;
    netfeat_column *want = NULL;

    must(check_table(ctx, 100, true, &tab), "make");
    set_text(NETFEAT_OPT_IO_ADDRESSES, "text");
    set_int(NETFEAT_OPT_IO_BATCH_ROWS, 24);
    for (int writer = 0; writer <= 1; writer++) { /* a dictionary, or plain text when tables may follow */
        if (writer) {
            must(netfeat_writer_open_file(ctx, path, opts, &w), "open");
            must(netfeat_writer_write(w, tab), "write");
            must(netfeat_writer_write(w, tab), "write");
            must(netfeat_writer_end(w), "end");
            netfeat_writer_unref(w);
        } else {
            must(netfeat_table_save_file(ctx, tab, path, opts), "save");
        }
        must(netfeat_table_load_file(ctx, path, opts, &back), "load");
        must(netfeat_table_slice(ctx, back, writer ? 100 : 0, 100, &both), "slice");
        for (int i = 0; i < netfeat_table_width(tab); i++) {
            netfeat_column *col = netfeat_table_column(tab, i);
            int type = netfeat_column_type(col);
            bool address = type == NETFEAT_TYPE_BYTES16 || type == NETFEAT_TYPE_BYTES6;
            must(address ? netfeat_column_to_text(ctx, col, &want) : 0, "text");
            if (type != NETFEAT_TYPE_LIST) {
                const char *wrong = check_same_column(address ? want : col, netfeat_table_column(both, i));
                cr_expect_null(wrong, "%s: %s", netfeat_table_name(tab, i), wrong);
            } else {
                char a[256], b[256];
                for (int64_t row = 0; row < 100; row++) {
                    netfeat_column_get_text(col, row, a, sizeof a, NULL);
                    netfeat_column_get_text(netfeat_table_column(both, i), row, b, sizeof b, NULL);
                    cr_expect_str_eq(a, b);
                }
            }
            want = netfeat_column_unref(want);
        }
        both = netfeat_table_unref(both);
        back = netfeat_table_unref(back);
    }
    netfeat_table_unref(tab);
}

/* ---- hostile input ---- */

static uint8_t *file_bytes(size_t *ret_size)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    uint8_t *data;

    cr_assert(fd >= 0 && fstat(fd, &st) == 0);
    data = malloc((size_t)st.st_size);
    cr_assert_eq(read(fd, data, (size_t)st.st_size), st.st_size);
    close(fd);
    *ret_size = (size_t)st.st_size;
    return data;
}

/* Load; if it is a table, look at every value of it. Copied to a block of exactly that size: the sanitizer sees
   every byte too many. */
static int try_bytes(const uint8_t *data, size_t size)
{
    netfeat_table *tab = NULL;
    torture sum = {0};
    int code = netfeat_table_load_memory(ctx, data, size, opts, &tab);

    if (code == 0) {
        torture_saw_table(&sum, tab);
    } else {
        cr_assert_null(tab);
        cr_assert_neq(netfeat_ctx_error_message(ctx)[0], '\0');
        cr_assert(code == NETFEAT_ERR_FORMAT || code == NETFEAT_ERR_TRUNCATED ||
                      code == NETFEAT_ERR_UNSUPPORTED || code == NETFEAT_ERR_LIMIT ||
                      code == NETFEAT_ERR_RANGE,
                  "code %d: %s", code, netfeat_ctx_error_message(ctx));
    }
    netfeat_table_unref(tab);
    return code;
}

static void damage(const uint8_t *good, size_t size, const char *what)
{
    static const uint8_t flips[] = {0x01, 0xf0};
    uint8_t *copy = malloc(size);
    int refused = 0;

    cr_assert_eq(try_bytes(good, size), 0, "%s: %s", what, netfeat_ctx_error_message(ctx));
    for (size_t n = 0; n < size; n++) {
        (void)try_bytes(good, n);
    }
    memcpy(copy, good, size);
    for (size_t at = 0; at < size; at++) {
        for (size_t k = 0; k < sizeof flips; k++) {
            copy[at] = good[at] ^ flips[k];
            refused += try_bytes(copy, size) != 0;
        }
        copy[at] = good[at];
    }
    cr_expect_gt(refused, 100, "%s: damage is noticed", what);
    free(copy);
}

Test(ipc, every_byte_and_every_length, .timeout = 280)
{
    static const char *const codecs[] = {"none", "zstd", "lz4"};
    static const int some[] = {0, 4, 9, 13, 15};
    netfeat_table *tab = NULL, *small = NULL;

    must(check_table(ctx, 5, true, &tab), "make");
    must(netfeat_table_select(ctx, tab, some, 5, &small), "select");
    set_int(NETFEAT_OPT_IO_MAX_MEMORY_BYTES, 1 << 24);
    for (int c = 0; c < 3; c++) {
        size_t size;
        uint8_t *data;
        if (c > 0 && !netfeat_build_has(codecs[c])) {
            continue;
        }
        set_text(NETFEAT_OPT_IO_COMPRESSION, codecs[c]);
        set_text(NETFEAT_OPT_IO_ADDRESSES, c == 0 ? "text" : "bytes");
        set_text(NETFEAT_OPT_IO_FORMAT, c == 2 ? "stream" : "arrow");
        must(netfeat_table_save_file(ctx, c == 0 ? tab : small, path, opts), "save");
        data = file_bytes(&size);
        damage(data, size, codecs[c]);
        free(data);
    }
    netfeat_table_unref(small);
    netfeat_table_unref(tab);
}

/* What a truncated file, foreign bytes and a big claim are called. */
Test(ipc, errors_say_what_is_wrong)
{
    netfeat_table *tab = NULL, *back = NULL;
    uint8_t *data;
    size_t size;

    must(check_table(ctx, 1000, true, &tab), "make");
    must(netfeat_table_save_file(ctx, tab, path, opts), "save");
    data = file_bytes(&size);
    cr_expect_eq(try_bytes(data, size - 1), NETFEAT_ERR_TRUNCATED);
    cr_expect_eq(try_bytes(data, size / 2), NETFEAT_ERR_TRUNCATED);
    cr_expect_eq(netfeat_ctx_error_offset(ctx), (int64_t)(size / 2));
    cr_expect_eq(try_bytes(data, 0), NETFEAT_ERR_TRUNCATED);
    cr_expect_lt(try_bytes((const uint8_t *)"\x80\x04\x95 a pickle, not a table", 25), 0);
    set_int(NETFEAT_OPT_IO_MAX_FILE_BYTES, (int64_t)size - 1);
    cr_expect_eq(netfeat_table_load_file(ctx, path, opts, &back), NETFEAT_ERR_LIMIT);
    set_int(NETFEAT_OPT_IO_MAX_FILE_BYTES, (int64_t)size);
    set_int(NETFEAT_OPT_IO_MAX_COLUMNS, 15);
    cr_expect_eq(netfeat_table_load_file(ctx, path, opts, &back), NETFEAT_ERR_LIMIT);
    set_int(NETFEAT_OPT_IO_MAX_COLUMNS, 16);
    must(netfeat_table_load_file(ctx, path, opts, &back), "just fits");
    netfeat_table_unref(back);
    set_text(NETFEAT_OPT_IO_LOAD_MODE, "elsewhere");
    cr_expect_eq(netfeat_table_load_file(ctx, path, opts, &back), NETFEAT_ERR_ARGUMENT);
    set_text(NETFEAT_OPT_IO_LOAD_MODE, "mapped");
    cr_expect_eq(netfeat_table_load_file(ctx, "/nonexistent/x.arrow", opts, &back), NETFEAT_ERR_NOTFOUND);
    cr_expect_eq(netfeat_table_load_file(ctx, dir, opts, &back), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_load_file(ctx, NULL, opts, &back), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_load_file(NULL, path, opts, &back), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_save_file(ctx, tab, dir, opts), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_save_file(ctx, tab, "/nonexistent/x.arrow", opts), NETFEAT_ERR_NOTFOUND);
    cr_expect_eq(netfeat_table_save_file(ctx, NULL, path, opts), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_table_save_fd(ctx, tab, -1, opts), NETFEAT_ERR_IO);
    free(data);
    netfeat_table_unref(tab);
}

/* Files of this machine's byte order load; of the other, they are refused by name. */
Test(ipc, the_other_byte_order)
{
    netfeat_table *tab = NULL, *back = NULL;
    const char *other = NF_BIG_ENDIAN ? "little-endian data" : "big-endian data";
    uint8_t *data;
    size_t size;
    int refused = 0;

    must(check_table(ctx, 5, false, &tab), "make");
    set_text(NETFEAT_OPT_IO_FORMAT, "stream");
    must(netfeat_table_save_file(ctx, tab, path, opts), "save");
    data = file_bytes(&size);
    must(try_bytes(data, size), "load");
    for (size_t at = 0; at < size && at < 512; data[at++] ^= 1) { /* one of these bits is the order */
        data[at] ^= 1;
        refused += try_bytes(data, size) == NETFEAT_ERR_UNSUPPORTED &&
                   strcmp(netfeat_ctx_error_message(ctx), other) == 0;
    }
    cr_expect_gt(refused, 0);
    /* one that a little-endian machine made */
    cr_expect_eq(netfeat_table_load_file(ctx, TEST_SOURCE_DIR "/fuzz/corpus/ipc/file", NULL, &back),
                 NF_BIG_ENDIAN ? NETFEAT_ERR_UNSUPPORTED : NETFEAT_OK, "%s", netfeat_ctx_error_message(ctx));
    netfeat_table_unref(back);
    free(data);
    netfeat_table_unref(tab);
}

/* Whatever a file claims, no more than allowed is allocated: compressed zeros are 1000 times smaller. */
Test(ipc, memory_limits_hold)
{
    const size_t rows = 4000000;
    netfeat_column *col = NULL;
    netfeat_table *tab = NULL, *back = NULL;
    const char *name = "zeros";
    uint64_t *values;
    uint64_t used;

    must(nf_column_new(ctx, NETFEAT_TYPE_U64, (int64_t)rows, "", "test.column@7", "", &col, &values, NULL),
         "make");
    memset(values, 0, rows * sizeof *values);
    must(netfeat_table_from_columns(ctx, &name, &col, 1, &tab), "make");
    set_text(NETFEAT_OPT_IO_COMPRESSION, netfeat_build_has("zstd") ? "zstd" : "none");
    must(netfeat_table_save_file(ctx, tab, path, opts), "save");
    netfeat_table_unref(tab);
    netfeat_column_unref(col);
    set_text(NETFEAT_OPT_IO_LOAD_MODE, "read");
    used = netfeat_ctx_memory_used(ctx);
    netfeat_ctx_set_memory_limit(ctx, used + (1 << 20));
    cr_expect_eq(netfeat_table_load_file(ctx, path, opts, &back), NETFEAT_ERR_LIMIT);
    netfeat_ctx_set_memory_limit(ctx, 0);
    set_int(NETFEAT_OPT_IO_MAX_MEMORY_BYTES, 1 << 20);
    cr_expect_eq(netfeat_table_load_file(ctx, path, opts, &back), NETFEAT_ERR_LIMIT);
    cr_expect_eq(netfeat_ctx_memory_used(ctx), used);
}

/* ---- writers, and what goes wrong with them ---- */

Test(ipc, writer_appends_tables)
{
    netfeat_table *a = NULL, *b = NULL, *other = NULL, *back = NULL, *want = NULL;
    netfeat_writer *w = NULL;
    const char *wrong;
    int one = 0;

    must(check_table(ctx, 100, true, &a), "make");
    must(check_table(ctx, 13, false, &b), "make");
    must(netfeat_table_select(ctx, a, &one, 1, &other), "select");
    const netfeat_table *all[] = {a, b, a};
    must(netfeat_table_concat(ctx, all, 3, &want), "concat");
    must(netfeat_writer_open_file(ctx, path, opts, &w), "open");
    cr_expect_eq(netfeat_writer_end(w), NETFEAT_ERR_STATE);
    must(netfeat_writer_write(w, a), "write");
    cr_expect_eq(netfeat_writer_write(w, other), NETFEAT_ERR_TYPE);
    must(netfeat_writer_write(w, b), "write");
    must(netfeat_writer_write(w, a), "write");
    cr_expect_eq(access(path, F_OK), -1, "not there before it is complete");
    must(netfeat_writer_end(w), "end");
    cr_expect_eq(netfeat_writer_write(w, a), NETFEAT_ERR_STATE);
    cr_expect_eq(netfeat_writer_end(w), NETFEAT_ERR_STATE);
    netfeat_writer_unref(netfeat_writer_ref(w));
    netfeat_writer_unref(w);
    must(netfeat_table_load_file(ctx, path, opts, &back), "load");
    wrong = check_same(want, back, true);
    cr_expect_null(wrong, "%s", wrong);
    netfeat_table_unref(back);
    netfeat_table_unref(want);
    netfeat_table_unref(other);
    netfeat_table_unref(b);
    netfeat_table_unref(a);
}

static int cancel(void *user, int64_t packets, int64_t bytes, int64_t total)
{
    (void)packets;
    (void)bytes;
    (void)total;
    return --*(int *)user < 0;
}

Test(ipc, an_interrupted_save_leaves_the_old_file)
{
    static const char *const formats[] = {"arrow", "parquet", "csv"};
    struct rlimit old, small = {4096, 4096};
    netfeat_table *tab = NULL, *large = NULL, *back = NULL;
    netfeat_writer *w = NULL;
    int left = 0;

    must(check_table(ctx, 10, true, &tab), "make");
    must(check_table(ctx, 9000, true, &large), "make");
    must(netfeat_table_save_file(ctx, tab, path, opts), "save");
    /* stopped by the caller */
    set_int(NETFEAT_OPT_IO_BATCH_ROWS, 64);
    netfeat_ctx_set_progress(ctx, cancel, &left);
    for (int i = 0; i < 3; i++) {
        set_text(NETFEAT_OPT_IO_FORMAT, formats[i]);
        left = 1;
        cr_expect_eq(netfeat_table_save_file(ctx, large, path, opts), NETFEAT_ERR_CANCELLED, "%s",
                     formats[i]);
    }
    netfeat_ctx_set_progress(ctx, NULL, NULL);
    /* no space */
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    for (int i = 0; i < 3; i++) {
        int code;
        set_text(NETFEAT_OPT_IO_FORMAT, formats[i]);
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
        code = netfeat_table_save_file(ctx, large, path, opts);
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
        cr_expect_eq(code, NETFEAT_ERR_IO);
        cr_expect_eq(netfeat_ctx_error_errno(ctx), EFBIG);
    }
    /* given up */
    set_text(NETFEAT_OPT_IO_FORMAT, "arrow");
    must(netfeat_writer_open_file(ctx, path, opts, &w), "open");
    must(netfeat_writer_write(w, large), "write");
    netfeat_writer_unref(w);
    must(netfeat_table_load_file(ctx, path, opts, &back), "the old file");
    cr_expect_null(check_same(tab, back, true));
    netfeat_table_unref(back);
    netfeat_table_unref(large);
    netfeat_table_unref(tab);
}

Test(ipc, files_and_descriptors)
{
    char link_path[160], target[160];
    netfeat_table *tab = NULL, *back = NULL;
    struct stat st;
    int ends[2];
    int full = open("/dev/full", O_WRONLY);

    must(check_table(ctx, 500, true, &tab), "make");
    /* a link is followed, the mode is as asked, an existing file is replaced */
    snprintf(link_path, sizeof link_path, "%s/link", dir);
    snprintf(target, sizeof target, "%s/target", dir);
    set_int(NETFEAT_OPT_IO_FILE_MODE, 0640);
    set_int(NETFEAT_OPT_IO_SYNC, 1);
    umask(022);
    must(netfeat_table_save_file(ctx, tab, target, opts), "save");
    cr_assert_eq(symlink("target", link_path), 0);
    must(netfeat_table_save_file(ctx, tab, link_path, opts), "save through a link");
    cr_expect(lstat(link_path, &st) == 0 && S_ISLNK(st.st_mode));
    cr_expect(stat(target, &st) == 0 && (st.st_mode & 0777) == 0640);
    must(netfeat_table_load_file(ctx, link_path, opts, &back), "load through a link");
    cr_expect_null(check_same(tab, back, true));
    netfeat_table_unref(back);
    unlink(link_path);
    unlink(target);
    /* descriptors: a full disk, a file in a pipe (a file is read to the end of input) */
    if (full >= 0) {
        cr_expect_eq(netfeat_table_save_fd(ctx, tab, full, opts), NETFEAT_ERR_IO);
        cr_expect_eq(netfeat_ctx_error_errno(ctx), ENOSPC);
        close(full);
    }
    netfeat_table_unref(tab);
    must(check_table(ctx, 20, true, &tab), "make");
    for (int i = 0; i < 2; i++) {
        set_text(NETFEAT_OPT_IO_FORMAT, i == 0 ? "arrow" : "stream");
        cr_assert_eq(pipe(ends), 0);
        must(netfeat_table_save_fd(ctx, tab, ends[1], opts), "save to a pipe"); /* fits into its buffer */
        close(ends[1]);
        must(netfeat_table_load_fd(ctx, ends[0], opts, &back), "load from a pipe");
        cr_expect_null(check_same(tab, back, true));
        back = netfeat_table_unref(back);
        close(ends[0]);
    }
    netfeat_table_unref(tab);
}

static int torture_file(torture *t, void *user)
{
    const char *format = user;
    netfeat_ctx *c = NULL;
    netfeat_options *o = NULL;
    netfeat_table *tab = NULL, *back = NULL;
    int code = torture_ctx(t, &c);

    if (code != 0) {
        return code;
    }
    TRY(t, check_table(c, 9, true, &tab));
    TRY(t, netfeat_options_new(c, &o));
    TRY(t, netfeat_options_set_int(o, NETFEAT_OPT_IO_SYNC, 0));
    TRY(t, netfeat_options_set_int(o, NETFEAT_OPT_IO_BATCH_ROWS, 8));
    TRY(t, netfeat_options_set_text(o, NETFEAT_OPT_IO_FORMAT, format));
    TRY(t, netfeat_options_set_text(o, NETFEAT_OPT_IO_ADDRESSES, "text"));
    TRY(t, netfeat_table_save_file(c, tab, path, o));
    if (strcmp(format, "arrow") == 0 || strcmp(format, "stream") == 0) {
        TRY(t, netfeat_table_load_file(c, path, o, &back));
        torture_saw_table(t, back);
    }
out:
    netfeat_table_unref(back);
    netfeat_table_unref(tab);
    netfeat_options_unref(o);
    netfeat_ctx_unref(c);
    return code;
}

/* Two tables into one stream. A writer that failed is of no more use: the case begins again with a new one. */
static int write_two(netfeat_ctx *c, const netfeat_table *tab, int fd)
{
    netfeat_writer *w = NULL;
    int code = ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0 ? 0 : NETFEAT_ERR_IO;

    code = code != 0 ? code : netfeat_writer_open_fd(c, fd, NULL, &w);
    for (int i = 0; code == 0 && i < 2; i++) {
        code = netfeat_writer_write(w, tab);
    }
    code = code != 0 ? code : netfeat_writer_end(w);
    netfeat_writer_unref(w);
    return code;
}

static int torture_writer(torture *t, void *user)
{
    int fd = *(int *)user;
    netfeat_ctx *c = NULL;
    netfeat_table *tab = NULL, *back = NULL;
    int code = torture_ctx(t, &c);

    if (code != 0) {
        return code;
    }
    TRY(t, check_table(c, 5, true, &tab));
    TRY(t, write_two(c, tab, fd));
    TRY(t, lseek(fd, 0, SEEK_SET) == 0 ? netfeat_table_load_fd(c, fd, NULL, &back) : NETFEAT_ERR_IO);
    torture_saw_table(t, back);
out:
    netfeat_table_unref(back);
    netfeat_table_unref(tab);
    netfeat_ctx_unref(c);
    return code;
}

Test(ipc, every_allocation_fails_once, .timeout = 200)
{
    static char formats[][16] = {"arrow", "stream", "parquet", "csv"};
    uint64_t points = 0;

    for (int i = 0; i < 4; i++) {
        const char *wrong = torture_run(torture_file, formats[i], &points);
        cr_expect_null(wrong, "%s: %s", formats[i], wrong);
    }
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    cr_assert_geq(fd, 0);
    const char *wrong = torture_run(torture_writer, &fd, &points);
    cr_expect_null(wrong, "writer: %s", wrong);
    close(fd);
    cr_expect_gt(points, 1000);
}
