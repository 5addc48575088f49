/* Several files as one source, in order and merged; FILE streams. */
#include <criterion/criterion.h>

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "../support/compress.h"
#include "../support/torture.h"

#define FILES 3

static netfeat_ctx *new_ctx(void)
{
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    return ctx;
}

typedef struct {
    char dir[32];
    char paths[FILES][64];
    const char *list[FILES];
} folder;

static void write_file(const char *path, const bytes *b)
{
    FILE *f = fopen(path, "w");

    cr_assert_not_null(f);
    cr_assert_eq(fwrite(b->p, 1, b->n, f), b->n);
    fclose(f);
}

/* Three captures in a new directory: a.pcap with even seconds 0 .. 198, b.pcapng with odd ones, one packet in seven
   without a time, c.pcap (compressed where there is a library) with all of them. Beside them what is no file. */
static void make_folder(folder *ret)
{
    folder f;
    char path[64];

    strcpy(f.dir, "/tmp/netfeat-many-XXXXXX");
    cr_assert_not_null(mkdtemp(f.dir));
    for (int i = 0; i < FILES; i++) {
        bytes b = {0};
        bytes z = {0};

        snprintf(f.paths[i], sizeof f.paths[i], "%s/%c.pcap", f.dir, 'a' + i);
        if (i == 1) {
            put_section(&b);
            put_interface(&b, 1, 0, 0, 0);
        } else {
            put_pcap(&b, 0xa1b2c3d4, 2, 4, 1);
        }
        for (uint32_t k = 0; k < 100 * (i == 2 ? 2 : 1); k++) {
            if (i == 1 && k % 7 == 6) {
                put_simple(&b, 20 + k % 7 * 4, 50);
            } else if (i == 1) {
                put_enhanced(&b, 0, 2 * k + 1, 20 + k % 50, 100);
            } else {
                put_record(&b, i == 0 ? 2 * k : k, 0, 20 + k % 40, 100);
            }
        }
        if (i == 2 && compressors[0].name != NULL) {
            compressors[0].compress(&z, b.p, b.n, 0);
        }
        write_file(f.paths[i], z.n > 0 ? &z : &b);
        free(b.p);
        free(z.p);
    }
    snprintf(path, sizeof path, "%s/.hidden", f.dir);
    write_file(path, &(bytes){.p = (uint8_t *)"no capture", .n = 10});
    snprintf(path, sizeof path, "%s/sub", f.dir);
    cr_assert_eq(mkdir(path, 0700), 0);
    *ret = f;
    for (int i = 0; i < FILES; i++) {
        ret->list[i] = ret->paths[i];
    }
}

static void remove_folder(const folder *f)
{
    char command[64];

    snprintf(command, sizeof command, "rm -r %s", f->dir);
    cr_expect_eq(system(command), 0);
}

/* In order: what the files give one by one. */
static void expect_in_order(netfeat_ctx *ctx, netfeat_source *src, const folder *f, int max)
{
    nf_record r[NF_BATCH];
    netfeat_source *one = NULL;
    uint32_t file = 0;
    int n;

    cr_assert_eq(netfeat_source_open_file(ctx, f->paths[0], NULL, &one), 0);
    while ((n = nf_source_next(src, r, max)) > 0) {
        for (int i = 0; i < n; i++) {
            uint64_t got = 0;
            uint64_t want = 0;
            nf_record w;

            while (nf_source_next(one, &w, 1) == 0) {
                netfeat_source_unref(one);
                cr_assert_lt(++file, FILES);
                cr_assert_eq(netfeat_source_open_file(ctx, f->paths[file], NULL, &one), 0);
            }
            w.file_index = 5 + file;
            mix_record(&got, &r[i]);
            mix_record(&want, &w);
            cr_assert_eq(got, want, "record %llu of file %u", (unsigned long long)w.number, file);
        }
    }
    cr_expect_eq(n, 0, "%s", netfeat_ctx_error_message(ctx));
    cr_expect_eq(file, FILES - 1);
    cr_expect_eq(netfeat_source_ended(src), 1);
    netfeat_source_unref(one);
}

Test(many, in_order)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = NULL;
    folder f;
    const char *dir = f.dir;

    make_folder(&f);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_FILE_INDEX, 5), 0);
    for (int k = 0; k < 4; k++) {
        netfeat_source *src = NULL;
        netfeat_source *again = NULL;

        cr_assert_eq(netfeat_source_open_many(ctx, k % 2 ? &dir : f.list, k % 2 ? 1 : FILES, opts, &src), 0);
        cr_expect_eq(netfeat_source_file_count(src), FILES);
        for (uint32_t i = 0; i < FILES; i++) {
            cr_expect_str_eq(netfeat_source_file_path(src, 5 + i), f.paths[i]);
        }
        cr_expect_null(netfeat_source_file_path(src, 4));
        cr_expect_null(netfeat_source_file_path(src, 5 + FILES));
        expect_in_order(ctx, src, &f, k < 2 ? NF_BATCH : 7);
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_RECORDS), 400);
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_DELIVERED), 400);
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_SECTIONS), 3);
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_INTERFACES), 3);
        netfeat_source_unref(src);
        cr_assert_eq(netfeat_source_open_many(ctx, f.list, FILES, opts, &again), 0);
        netfeat_source_unref(again); /* not read at all */
    }
    netfeat_options_unref(opts);
    remove_folder(&f);
    netfeat_ctx_unref(ctx);
}

Test(many, merged_by_time)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = NULL;
    folder f;

    make_folder(&f);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MERGE, 1), 0);
    for (int filter = 0; filter < 2; filter++) {
        for (int max = 1; max <= NF_BATCH; max += 21) {
            netfeat_source *src = NULL;
            nf_record r[NF_BATCH];
            uint64_t number[FILES] = {0};
            int64_t key[FILES] = {INT64_MIN, INT64_MIN, INT64_MIN};
            int64_t last = INT64_MIN;
            uint32_t last_file = 0;
            int64_t records = 0;
            int n;

            cr_assert_eq(
                netfeat_options_set_text(opts, NETFEAT_OPT_SOURCE_FILTER, filter ? "ether[0] & 1 = 0" : ""),
                0);
            cr_assert_eq(netfeat_source_open_many(ctx, f.list, FILES, opts, &src), 0);
            while ((n = nf_source_next(src, r, max)) > 0) {
                for (int i = 0; i < n; i++) {
                    uint32_t file = r[i].file_index;
                    cr_assert(file < FILES && r[i].number > number[file]);
                    cr_assert(filter || r[i].number == number[file] + 1);
                    number[file] = r[i].number;
                    key[file] = r[i].flags & NF_RECORD_NO_TIME ? key[file] : r[i].time_ns;
                    cr_assert_geq(key[file], last);
                    cr_assert(key[file] > last || file >= last_file, "the first file comes first");
                    last = key[file];
                    last_file = file;
                    cr_assert(r[i].captured_length > 0 &&
                              r[i].data[0] == (uint8_t)(31 + r[i].captured_length * 7));
                }
                if (records < 40) { /* given back, it comes again */
                    nf_record again[NF_BATCH];
                    nf_source_unread(src, r, n);
                    cr_assert_eq(nf_source_next(src, again, max), n);
                    for (int i = 0; i < n; i++) {
                        cr_assert(again[i].number == r[i].number && again[i].data == r[i].data);
                        cr_assert(again[i].time_ns == r[i].time_ns && again[i].file_index == r[i].file_index);
                    }
                }
                records += n;
                cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_DELIVERED), records);
            }
            cr_expect_eq(n, 0, "%s", netfeat_ctx_error_message(ctx));
            cr_expect(filter ? records > 100 && records < 300 : records == 400);
            cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_RECORDS), 400);
            cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_FILTERED), 400 - records);
            netfeat_source_unref(src);
        }
    }
    netfeat_options_unref(opts);
    remove_folder(&f);
    netfeat_ctx_unref(ctx);
}

/* The second file is cut in the middle of a record. */
Test(many, a_damaged_file_is_named)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = NULL;
    folder f;

    make_folder(&f);
    cr_assert_eq(truncate(f.paths[1], 1000), 0);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    for (int merge = 0; merge < 2; merge++) {
        netfeat_source *src = NULL;
        int records = 0;
        int code;

        cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MERGE, merge), 0);
        cr_assert_eq(netfeat_source_open_many(ctx, f.list, FILES, opts, &src), 0);
        while ((code = netfeat_source_step(src)) > 0) {
            records++;
        }
        for (int again = 0; again < 2; again++) {
            cr_expect_eq(code, NETFEAT_ERR_TRUNCATED);
            cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), f.paths[1]), "%s",
                               netfeat_ctx_error_message(ctx));
            cr_expect(netfeat_ctx_error_packet(ctx) > 5 && netfeat_ctx_error_packet(ctx) < 20);
            cr_expect(netfeat_ctx_error_offset(ctx) > 800 && netfeat_ctx_error_offset(ctx) < 1000);
            cr_expect_eq(records, (merge ? 300 : 100) + (int)netfeat_ctx_error_packet(ctx) - 1);
            netfeat_ctx_error_clear(ctx);
            code = netfeat_source_step(src);
        }
        netfeat_source_unref(src);
    }
    netfeat_options_unref(opts);
    remove_folder(&f);
    netfeat_ctx_unref(ctx);
}

Test(many, what_cannot_be_opened)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    folder f;
    const char *list[] = {f.paths[0], "/nonexistent/file"};
    char path[64];
    const char *empty = path;

    make_folder(&f);
    snprintf(path, sizeof path, "%s/sub", f.dir);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_expect_eq(netfeat_source_open_many(ctx, list, 2, NULL, &src), NETFEAT_ERR_NOTFOUND);
    cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), "/nonexistent/file"));
    cr_expect_eq(netfeat_ctx_error_errno(ctx), ENOENT);
    cr_expect_eq(netfeat_source_open_many(ctx, &empty, 1, NULL, &src), NETFEAT_ERR_NOTFOUND);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_FILES, 2), 0);
    cr_expect_eq(netfeat_source_open_many(ctx, f.list, FILES, opts, &src), NETFEAT_ERR_LIMIT);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_FILES, 3), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_OPEN_FILES, 2), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MERGE, 1), 0);
    cr_expect_eq(netfeat_source_open_many(ctx, f.list, FILES, opts, &src), NETFEAT_ERR_LIMIT);
    write_file(f.paths[2], &(bytes){.p = (uint8_t *)"no capture", .n = 10});
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_OPEN_FILES, 3), 0);
    cr_expect_eq(netfeat_source_open_many(ctx, f.list, FILES, opts, &src), NETFEAT_ERR_FORMAT,
                 "a merge opens all");
    cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), f.paths[2]));
    list[1] = NULL;
    cr_expect_eq(netfeat_source_open_many(ctx, list, 2, NULL, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_many(ctx, list, 0, NULL, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_many(ctx, NULL, 1, NULL, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_many(ctx, list, 1, NULL, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_many(NULL, list, 1, NULL, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_file_count(NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_null(netfeat_source_file_path(NULL, 0));
    cr_expect_null(src);
    netfeat_options_unref(opts);
    remove_folder(&f);
    netfeat_ctx_unref(ctx);
}

static int read_many(netfeat_ctx *ctx, const folder *f, int merge, netfeat_table **ret)
{
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    int code = netfeat_options_new(ctx, &opts);

    code = code != 0 ? code : netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MERGE, merge);
    code = code != 0 ? code : netfeat_source_open_many(ctx, f->list, FILES, opts, &src);
    code = code != 0 ? code : netfeat_table_from_source(ctx, src, NULL, ret);
    netfeat_source_unref(src);
    netfeat_options_unref(opts);
    return code;
}

static int many_case(torture *t, void *user)
{
    netfeat_ctx *ctx = NULL;
    netfeat_table *tab = NULL;
    int code = torture_ctx(t, &ctx);

    if (code != 0) {
        return code;
    }
    for (int merge = 0; merge < 2; merge++) {
        TRY(t, read_many(ctx, user, merge, &tab));
        torture_saw_table(t, tab);
        tab = netfeat_table_unref(tab);
    }
out:
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
    return code;
}

Test(many, every_allocation_may_fail)
{
    folder f;
    uint64_t points = 0;
    const char *wrong;

    make_folder(&f);
    wrong = torture_run(many_case, &f, &points);
    cr_expect_null(wrong, "%s", wrong);
    cr_expect_gt(points, 100);
    remove_folder(&f);
}

static int stop_at_once(void *user, int64_t packets, int64_t bytes_done, int64_t total)
{
    int64_t *seen = user;

    seen[0] = packets;
    seen[1] = bytes_done;
    seen[2] = total;
    return 1;
}

Test(many, progress_is_that_of_all_files)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_source *src = NULL;
    folder f;
    nf_record r[NF_BATCH];
    struct stat st;
    int64_t seen[3] = {0};
    int64_t total = 0;
    bytes b = {0};
    int64_t got = 0;
    int n;

    make_folder(&f);
    put_pcap(&b, 0xa1b2c3d4, 2, 4, 1);
    for (uint32_t i = 0; i < 6000; i++) {
        put_record(&b, i, 0, 20, 20);
    }
    write_file(f.paths[1], &b);
    for (int i = 0; i < FILES; i++) {
        cr_assert_eq(stat(f.paths[i], &st), 0);
        total += st.st_size;
    }
    netfeat_ctx_set_progress(ctx, stop_at_once, seen);
    cr_assert_eq(netfeat_source_open_many(ctx, f.list, FILES, NULL, &src), 0);
    while ((n = nf_source_next(src, r, NF_BATCH)) > 0) {
        got += n;
    }
    cr_expect_eq(n, NETFEAT_ERR_CANCELLED);
    cr_expect(got > 4000 && got < 6100);
    cr_expect_eq(seen[0], got);
    cr_expect(seen[1] > 36 * 4000 && seen[1] < 40 * 6100, "%lld", (long long)seen[1]);
    cr_expect_eq(seen[2], total);
    cr_expect_gt(nf_source_estimate(src), 0);
    netfeat_ctx_set_progress(ctx, NULL, NULL);
    while ((n = nf_source_next(src, r, NF_BATCH)) > 0) {
        got += n;
    }
    cr_expect_eq(n, 0);
    cr_expect_eq(got, 6300);
    cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_BYTES), total);
    netfeat_source_unref(src);
    free(b.p);
    remove_folder(&f);
    netfeat_ctx_unref(ctx);
}

static netfeat_ctx *alarmed;

static void on_alarm(int signal_number)
{
    (void)signal_number;
    netfeat_ctx_interrupt(alarmed);
}

Test(many, a_FILE_is_borrowed)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_source *src = NULL;
    struct sigaction action = {.sa_handler = on_alarm}; /* without SA_RESTART: a read ends with EINTR */
    struct itimerval soon = {{0, 0}, {0, 20000}};
    bytes b = {0};
    outcome want;
    outcome o;
    FILE *file;
    int fds[2];
    int code;

    put_data(&b, 10, 0);
    put_pcap(&b, 0xa1b2c3d4, 2, 4, 1);
    for (uint32_t i = 0; i < 3000; i++) {
        put_record(&b, i, 0, 50, 50);
    }
    want = read_memory(ctx, NULL, b.p + 10, b.n - 10, NF_BATCH);
    file = tmpfile();
    cr_assert_eq(fwrite(b.p, 1, b.n, file), b.n);
    cr_assert_eq(fseek(file, 10, SEEK_SET), 0);
    code = netfeat_source_open_stdio(ctx, file, NULL, &src);
    o = drain(ctx, code, src, NF_BATCH);
    cr_expect(same(&o, &want));
    cr_expect_eq(ftell(file), (long)b.n, "still open, read to its end");
    fclose(file);
    file = fmemopen(b.p + 10, b.n - 10, "r"); /* no descriptor behind it */
    code = netfeat_source_open_stdio(ctx, file, NULL, &src);
    o = drain(ctx, code, src, NF_BATCH);
    cr_expect(same(&o, &want));
    fclose(file);

    alarmed = ctx;
    sigaction(SIGALRM, &action, NULL);
    cr_assert_eq(pipe(fds), 0);
    file = fdopen(fds[0], "r");
    setitimer(ITIMER_REAL, &soon, NULL);
    cr_expect_eq(netfeat_source_open_stdio(ctx, file, NULL, &src), NETFEAT_ERR_CANCELLED);
    cr_assert_eq(write(fds[1], b.p + 10, 24 + 66 * 3), 24 + 66 * 3);
    close(fds[1]);
    code = netfeat_source_open_stdio(ctx, file, NULL, &src);
    o = drain(ctx, code, src, NF_BATCH);
    cr_expect_eq(o.records, 3);
    cr_expect_eq(o.code, 0);
    fclose(file);
    cr_expect_eq(netfeat_source_open_stdio(ctx, NULL, NULL, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_stdio(ctx, stdin, NULL, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_stdio(NULL, stdin, NULL, &src), NETFEAT_ERR_ARGUMENT);
    free(b.p);
    netfeat_ctx_unref(ctx);
}
