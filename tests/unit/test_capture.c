/* Rules of lib/capture that hold for every format, and those of classic pcap. */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "../support/capture_bytes.h"
#include "capture/input.h"

static netfeat_ctx *new_ctx(void)
{
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    return ctx;
}

/* Three records, 10, 0 and 21 bytes, the last one snapped and older than the one before it. */
static bytes small_pcap(bool big)
{
    bytes b = {.big = big};

    put_pcap(&b, 0xa1b2c3d4, 2, 4, 1);
    put_record(&b, 100, 5, 10, 10);
    put_record(&b, 101, 0, 0, 0);
    put_record(&b, 100, 9, 21, 1500);
    return b;
}

static netfeat_source *open_bytes(netfeat_ctx *ctx, const bytes *b, const netfeat_options *opts)
{
    netfeat_source *src = NULL;

    cr_assert_eq(netfeat_source_open_memory(ctx, b->p, b->n, opts, &src), 0, "%s",
                 netfeat_ctx_error_message(ctx));
    return src;
}

Test(capture, pcap_variants)
{
    static const struct {
        uint32_t magic;
        unsigned major, minor;
        uint32_t link;
        int64_t time;
        uint32_t captured, wire; /* of a record whose header says 6 and 9 */
    } cases[] = {
        {0xa1b2c3d4, 2, 4, 1, 4000000000000007000, 6, 9},
        {0xa1b23c4d, 2, 4, 101, 4000000000000000007, 6, 9},
        {0xa1b2cd34, 2, 4, 113, 4000000000000007000, 6, 9},
        {0xa1b2c3d4, 2, 4, 0x28000001, 4000000000000007000, 6,
         9}, /* frame check sequence length in the upper bits */
        {0xa1b2c3d4, 2, 99, 65535, 4000000000000007000, 6, 9},
        {0xa1b2c3d4, 2, 3, 1, 4000000000000007000, 6, 9},
        {0xa1b2c3d4, 2, 2, 1, 4000000000000007000, 9, 6}, /* the other way round in old files */
        {0xa1b2c3d4, 543, 0, 1, 4000000000000007000, 9, 6},
    };
    netfeat_ctx *ctx = new_ctx();

    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        bytes b = {.big = i & 1};
        netfeat_source *src;
        int64_t time = 0;
        uint32_t captured = 0;

        put_pcap(&b, cases[i / 2].magic, cases[i / 2].major, cases[i / 2].minor, cases[i / 2].link);
        for (int k = 0; k < 2; k++) { /* 4,000,000,000 s: after 2038, seconds are unsigned */
            put32(&b, 4000000000);
            put32(&b, 7);
            put32(&b, 6);
            put32(&b, 9);
            put_number(&b, 0, cases[i / 2].magic == 0xa1b2cd34 ? 8 : 0);
            put_data(&b, cases[i / 2].captured, 1);
        }
        src = open_bytes(ctx, &b, NULL);
        for (int k = 1; k <= 2; k++) {
            const uint8_t *data;
            cr_assert_eq(netfeat_source_step(src), 1, "case %zu: %s", i, netfeat_ctx_error_message(ctx));
            cr_expect_eq(netfeat_source_packet_number(src), k);
            cr_expect_eq(netfeat_source_packet_time(src, &time), 1);
            cr_expect_eq(time, cases[i / 2].time, "case %zu", i);
            data = netfeat_source_packet_data(src, &captured);
            cr_expect_eq(captured, cases[i / 2].captured);
            cr_expect_eq(data[1], 2 * 31 + 7);
            cr_expect_eq(netfeat_source_packet_wire_length(src), cases[i / 2].wire);
            cr_expect_eq(netfeat_source_packet_link_type(src), (int)(cases[i / 2].link & 0xffff));
            cr_expect_eq(netfeat_source_packet_interface(src), 0);
        }
        cr_expect_eq(netfeat_source_ended(src), 0);
        cr_expect_eq(netfeat_source_step(src), 0);
        cr_expect_eq(netfeat_source_step(src), 0);
        cr_expect_eq(netfeat_source_ended(src), 1);
        cr_expect_null(netfeat_source_packet_data(src, NULL));
        netfeat_source_unref(src);
        free(b.p);
    }
    netfeat_ctx_unref(ctx);
}

Test(capture, counters_times_and_lengths_are_kept_as_they_are)
{
    netfeat_ctx *ctx = new_ctx();
    bytes b = {0};
    nf_record r[NF_BATCH];
    netfeat_source *src;
    static const int64_t want[15] = {0, 4, 4, 0, 0, 0, 1, 1, 1, 2};

    put_pcap(&b, 0xa1b2c3d4, 2, 3, 1);
    put_record(&b, 10, 2000001, 4, 4); /* more than a second of microseconds */
    put_record(&b, 9, 999999, 5, 9);
    put_record(&b, 0, 4294967295U, 3, 3);
    put32(&b, 0);
    put32(&b, 0); /* 2.3 and captured > wire: written the other way round */
    put32(&b, 8);
    put32(&b, 2);
    put_data(&b, 2, 2);
    b.p[b.n - 2 - 16 + 8] = 2;
    b.p[b.n - 2 - 16 + 12] = 2;
    src = open_bytes(ctx, &b, NULL);
    cr_assert_eq(nf_source_next(src, r, NF_BATCH), 4);
    cr_expect_eq(r[0].time_ns, 12000001000);
    cr_expect_eq(r[1].time_ns, 9999999000);
    cr_expect_eq(r[1].flags, NF_RECORD_TIME_BACKWARDS);
    cr_expect_eq(r[2].time_ns, 4294967295000);
    cr_expect_eq(r[2].flags, 0);
    cr_expect_eq(r[3].flags, NF_RECORD_TIME_BACKWARDS);
    cr_expect_eq(nf_source_next(src, r, NF_BATCH), 0);
    for (int i = 1; netfeat_source_count_name(i) != NULL; i++) {
        if (i != NETFEAT_COUNT_BYTES) {
            cr_expect_eq(netfeat_source_count(src, i), want[i], "%s", netfeat_source_count_name(i));
        }
    }
    cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_BYTES), (int64_t)b.n);
    netfeat_source_unref(src);

    b.n = 0; /* captured > wire: kept in 2.4, exchanged in 2.3 */
    put_pcap(&b, 0xa1b2c3d4, 2, 4, 1);
    put_record(&b, 1, 1, 8, 2);
    src = open_bytes(ctx, &b, NULL);
    cr_assert_eq(nf_source_next(src, r, 1), 1);
    cr_expect(r[0].captured_length == 8 && r[0].wire_length == 2);
    netfeat_source_unref(src);
    b.p[6] = 3;
    src = open_bytes(ctx, &b, NULL);
    cr_assert_eq(nf_source_next(src, r, 1), 1);
    cr_expect(r[0].captured_length == 2 && r[0].wire_length == 8);
    netfeat_source_unref(src);
    free(b.p);
    netfeat_ctx_unref(ctx);
}

Test(capture, a_cut_at_every_byte)
{
    static const size_t starts[] = {24, 50, 66, 103}; /* of the records, and the end */
    netfeat_ctx *ctx = new_ctx();

    for (int big = 0; big < 2; big++) {
        bytes b = small_pcap(big);

        cr_assert_eq(b.n, 103);
        for (size_t n = 0; n <= b.n; n++) {
            outcome o = read_memory(ctx, NULL, b.p, n, NF_BATCH);
            int64_t whole = 0;

            while (whole < 3 && starts[whole + 1] <= n) {
                whole++;
            }
            if (n < 24) {
                cr_expect_eq(o.open_code, NETFEAT_ERR_TRUNCATED, "%zu bytes", n);
                continue;
            }
            cr_expect_eq(o.records, whole, "%zu bytes", n);
            cr_expect_eq(o.code, n == starts[whole] ? 0 : NETFEAT_ERR_TRUNCATED, "%zu bytes", n);
            if (o.code < 0) {
                cr_expect_eq(o.packet, whole + 1, "%zu bytes", n);
                cr_expect_eq(o.offset, (int64_t)starts[whole], "%zu bytes", n);
            }
            for (size_t piece = 1; piece < 40; piece += 19) {
                outcome p = read_pieces(ctx, NULL, b.p, n, piece);
                cr_expect(same(&o, &p), "%zu bytes in pieces of %zu", n, piece);
            }
        }
        free(b.p);
    }
    netfeat_ctx_unref(ctx);
}

Test(capture, records_are_the_same_however_they_come)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = NULL;
    bytes b = {0};
    outcome want;

    put_pcap(&b, 0xa1b23c4d, 2, 4, 1);
    for (uint32_t i = 0; i < 700; i++) {
        put_record(&b, i, i, i * 37 % 300 + (i == 500 ? 20000 : 0), 400);
    }
    put_bytes(&b, "\1\2\3", 3);
    want = read_memory(ctx, NULL, b.p, b.n, NF_BATCH);
    cr_expect_eq(want.records, 700);
    cr_expect_eq(want.code, NETFEAT_ERR_TRUNCATED);
    cr_expect_eq(want.packet, 701);
    cr_expect_eq(want.offset, (int64_t)b.n - 3);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    for (int k = 0; k < 8; k++) {
        static const int maxima[] = {1, 2, 3, 7, 13, 63, 64, 5};
        outcome o = read_memory(ctx, NULL, b.p, b.n, maxima[k]);
        cr_expect(same(&o, &want), "at most %d", maxima[k]);
        cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_BUFFER_BYTES, 4096 + 333 * k), 0);
        o = read_file(ctx, opts, b.p, b.n);
        cr_expect(same(&o, &want), "file, buffer %d", 4096 + 333 * k);
        o = read_pieces(ctx, opts, b.p, b.n, (size_t)k * 500 + 17);
        cr_expect(same(&o, &want), "pieces of %d", k * 500 + 17);
    }
    netfeat_options_unref(opts);
    free(b.p);
    netfeat_ctx_unref(ctx);
}

Test(capture, a_lie_about_a_length_costs_no_memory_and_stays)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    bytes b = small_pcap(false);
    uint64_t before;
    outcome o;

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    before = netfeat_ctx_memory_used(ctx);
    put_record(&b, 1, 1, 100000, 100000); /* real bytes, but not as many as the record says */
    b.p[103 + 8] = 0xff;
    b.p[103 + 10] = 0xff;
    b.p[103 + 11] = 0x07; /* 0x7ff..ff <= default of max_packet_bytes */
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_BUFFER_BYTES, 4096), 0);
    o = read_file(ctx, opts, b.p, b.n);
    cr_expect_eq(o.code, NETFEAT_ERR_TRUNCATED);
    cr_expect_eq(o.records, 3);
    cr_expect_eq(o.packet, 4);
    cr_expect_eq(o.offset, 103);
    cr_expect_lt(netfeat_ctx_memory_peak(ctx), before + 2 * b.n + 8192);

    b.p[103 + 11] = 0x08; /* more than allowed */
    for (int big_enough = 0; big_enough < 2; big_enough++) {
        src = open_bytes(ctx, &b, opts);
        for (int i = 0; i < 3; i++) {
            cr_assert_eq(netfeat_source_step(src), 1);
        }
        for (int again = 0; again < 3; again++) {
            netfeat_ctx_error_clear(ctx);
            cr_expect_eq(netfeat_source_step(src), big_enough ? NETFEAT_ERR_TRUNCATED : NETFEAT_ERR_FORMAT);
            cr_expect_eq(netfeat_ctx_error_packet(ctx), 4);
            cr_expect_eq(netfeat_ctx_error_offset(ctx), 103);
            cr_expect_gt(strlen(netfeat_ctx_error_message(ctx)), 10);
            cr_expect_eq(netfeat_source_packet_number(src), 0);
            cr_expect_eq(netfeat_source_ended(src), 0);
        }
        netfeat_source_unref(src);
        cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_PACKET_BYTES, INT32_MAX), 0);
    }
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_MAX_PACKET_BYTES, 64), 0);
    b.n = 24;
    put_record(&b, 1, 1, 64, 64);
    put_record(&b, 1, 1, 65, 65);
    o = read_memory(ctx, opts, b.p, b.n, NF_BATCH);
    cr_expect(o.code == NETFEAT_ERR_FORMAT && o.records == 1 && o.packet == 2 && o.offset == 24 + 80);
    netfeat_options_unref(opts);
    free(b.p);
    netfeat_ctx_unref(ctx);
}

Test(capture, what_is_no_capture_is_named)
{
    static const struct {
        const char *start;
        size_t size;
        int code;
        const char *message;
    } cases[] = {
        {"", 0, NETFEAT_ERR_TRUNCATED, "empty"},
        {"\xd4\xc3", 2, NETFEAT_ERR_TRUNCATED, "file header"},
        {"\xa1\xb2", 2, NETFEAT_ERR_TRUNCATED, "file header"},
        {"\n\r\r", 3, NETFEAT_ERR_TRUNCATED, "file header"},
        {"\n\r\r\n\x1c\0\0\0", 8, NETFEAT_ERR_TRUNCATED, "section header"},
        {"\n\n", 2, NETFEAT_ERR_FORMAT, "not a pcap"},
        {"hello, this is no capture", 25, NETFEAT_ERR_FORMAT, "not a pcap"},
        {"\0\0\0\0\0\0\0\0", 8, NETFEAT_ERR_FORMAT, "not a pcap"},
        {"snoop\0\0\0\0\0\0\2", 12, NETFEAT_ERR_UNSUPPORTED, "snoop"},
        {"\xcd\x34\xb2\xa1\2\0\4\0", 8, NETFEAT_ERR_UNSUPPORTED, "a1b234cd"},
        {"\xd4\xc3\xb2\xa1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24, NETFEAT_ERR_UNSUPPORTED,
         "version 1.0"},
        {"\xd4\xc3\xb2\xa1\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24, NETFEAT_ERR_UNSUPPORTED,
         "version 3.0"},
    };
    netfeat_ctx *ctx = new_ctx();

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        netfeat_source *src = (netfeat_source *)&cases;
        outcome o;

        cr_expect_eq(netfeat_source_open_memory(ctx, cases[i].start, cases[i].size, NULL, &src),
                     cases[i].code, "case %zu", i);
        cr_expect_eq(src, (netfeat_source *)&cases, "ret is left alone");
        cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), cases[i].message), "case %zu: %s", i,
                           netfeat_ctx_error_message(ctx));
        o = read_pieces(ctx, NULL, cases[i].start, cases[i].size, 1);
        cr_expect_eq(o.open_code, cases[i].code, "case %zu by the byte", i);
    }
    netfeat_ctx_unref(ctx);
}

Test(capture, files_and_descriptors)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_source *src = NULL;
    bytes b = small_pcap(false);
    outcome want = read_memory(ctx, NULL, b.p, b.n, NF_BATCH);
    char path[32];
    outcome o;
    int fd;

    cr_expect_eq(want.records, 3);
    cr_expect_eq(netfeat_source_open_file(ctx, "/nonexistent/file", NULL, &src), NETFEAT_ERR_NOTFOUND);
    cr_expect_eq(netfeat_ctx_error_errno(ctx), ENOENT);
    cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), "/nonexistent/file"));
    cr_expect_eq(netfeat_source_open_file(ctx, "/", NULL, &src), NETFEAT_ERR_IO);
    cr_expect_eq(netfeat_ctx_error_errno(ctx), EISDIR);
    cr_expect_eq(netfeat_source_open_fd(ctx, 987, NULL, &src), NETFEAT_ERR_IO);
    cr_expect_eq(netfeat_ctx_error_errno(ctx), EBADF);
    cr_expect_eq(netfeat_source_open_file(ctx, "/dev/null", NULL, &src), NETFEAT_ERR_TRUNCATED);

    /* a descriptor is read from where it stands, and stays the caller's */
    write_temporary(path, b.p, b.n);
    fd = open(path, O_RDWR);
    cr_assert(fd >= 0 && lseek(fd, 0, SEEK_END) == (off_t)b.n && write(fd, b.p, b.n) == (ssize_t)b.n);
    cr_assert_eq(lseek(fd, (off_t)b.n, SEEK_SET), (off_t)b.n);
    cr_assert_eq(netfeat_source_open_fd(ctx, fd, NULL, &src), 0);
    o = drain(ctx, 0, src, NF_BATCH);
    cr_expect(same(&o, &want));
    cr_expect_eq(fcntl(fd, F_GETFD), 0);

    /* standard input, and the source outlives the descriptor and the context's own reference */
    cr_assert_eq(lseek(fd, (off_t)b.n, SEEK_SET), (off_t)b.n);
    cr_assert_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    cr_assert_eq(netfeat_source_open_file(ctx, "-", NULL, &src), 0);
    close(STDIN_FILENO);
    close(fd);
    cr_expect_eq(netfeat_source_ref(src), src);
    netfeat_ctx_unref(ctx);
    cr_expect_null(netfeat_source_unref(src));
    o = drain(ctx, 0, src, NF_BATCH);
    cr_expect(same(&o, &want));
    unlink(path);
    free(b.p);
}

Test(capture, a_failing_read_is_told_again_with_errno)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_source *src = NULL;
    bytes b = small_pcap(false);
    int fds[2];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    cr_assert_eq(write(fds[1], b.p, 24 + 26), 50);
    cr_assert_eq(write(fds[0], "x", 1), 1); /* unread by the other end when it closes: reset */
    cr_assert_eq(netfeat_source_open_fd(ctx, fds[0], NULL, &src), 0);
    cr_assert_eq(netfeat_source_step(src), 1);
    close(fds[1]);
    for (int again = 0; again < 2; again++) {
        netfeat_ctx_error_clear(ctx);
        cr_expect_eq(netfeat_source_step(src), NETFEAT_ERR_IO);
        cr_expect_eq(netfeat_ctx_error_errno(ctx), ECONNRESET);
        cr_expect_eq(netfeat_ctx_error_packet(ctx), 2);
        cr_expect_eq(netfeat_ctx_error_offset(ctx), 50);
        cr_expect_str_eq(netfeat_ctx_error_message(ctx), NF_READ_FAILED ": Connection reset by peer");
    }
    netfeat_source_unref(src);
    close(fds[0]);
    free(b.p);
    netfeat_ctx_unref(ctx);
}

Test(capture, arguments_are_checked)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_source *src = NULL;
    bytes b = small_pcap(false);
    int64_t time = 77;

    cr_expect_eq(netfeat_source_open_file(NULL, "x", NULL, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_file(ctx, NULL, NULL, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_file(ctx, "x", NULL, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_fd(NULL, 0, NULL, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_fd(ctx, -1, NULL, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_fd(ctx, 0, NULL, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_memory(NULL, b.p, b.n, NULL, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_memory(ctx, NULL, 1, NULL, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_memory(ctx, NULL, 0, NULL, &src), NETFEAT_ERR_TRUNCATED);
    cr_expect_eq(netfeat_source_open_memory(ctx, b.p, b.n, NULL, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_memory(ctx, b.p, SIZE_MAX, NULL, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_null(src);
    cr_expect_eq(netfeat_source_step(NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_ended(NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_count(NULL, 1), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_packet_time(NULL, &time), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_packet_number(NULL), 0);
    cr_expect_eq(netfeat_source_packet_wire_length(NULL), 0);
    cr_expect_eq(netfeat_source_packet_link_type(NULL), 0);
    cr_expect_eq(netfeat_source_packet_interface(NULL), 0);
    cr_expect_null(netfeat_source_packet_data(NULL, NULL));
    cr_expect_null(netfeat_source_ref(NULL));
    cr_expect_null(netfeat_source_unref(NULL));
    src = open_bytes(ctx, &b, NULL);
    cr_expect_eq(netfeat_source_packet_time(src, &time), NETFEAT_ERR_STATE);
    cr_assert_eq(netfeat_source_step(src), 1);
    cr_expect_eq(netfeat_source_packet_time(src, NULL), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(time, 77);
    cr_expect_eq(netfeat_source_count(src, 0), NETFEAT_ERR_NOTFOUND);
    cr_expect_eq(netfeat_source_count(src, 15), NETFEAT_ERR_NOTFOUND);
    cr_expect_null(netfeat_source_count_name(0));
    cr_expect_null(netfeat_source_count_name(15));
    cr_expect_null(netfeat_source_count_name(-5));
    netfeat_source_unref(src);
    free(b.p);
    netfeat_ctx_unref(ctx);
}

static netfeat_ctx *alarmed;

static void on_alarm(int signal_number)
{
    (void)signal_number;
    netfeat_ctx_interrupt(alarmed);
}

Test(capture, an_interrupt_ends_the_wait_and_loses_nothing)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_source *src = NULL;
    bytes b = small_pcap(false);
    struct itimerval soon = {{0, 0}, {0, 20000}};
    int fds[2];

    alarmed = ctx;
    signal(SIGALRM, on_alarm); /* restarts system calls: the source must wake up all the same */
    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(write(fds[1], b.p, 60), 60);
    cr_assert_eq(netfeat_source_open_fd(ctx, fds[0], NULL, &src), 0);
    cr_assert_eq(netfeat_source_step(src), 1);
    setitimer(ITIMER_REAL, &soon, NULL);
    cr_expect_eq(netfeat_source_step(src), NETFEAT_ERR_CANCELLED);
    cr_expect_eq(netfeat_ctx_error_packet(ctx), 2);
    cr_expect_eq(netfeat_source_packet_number(src), 0);
    cr_assert_eq(write(fds[1], b.p + 60, b.n - 60), (ssize_t)b.n - 60);
    close(fds[1]);
    cr_expect_eq(netfeat_source_step(src), 1);
    cr_expect_eq(netfeat_source_packet_number(src), 2);
    cr_expect_eq(netfeat_source_step(src), 1);
    cr_expect_eq(netfeat_source_step(src), 0);
    netfeat_source_unref(src);

    /* nothing to read now, on a descriptor that does not block */
    cr_assert_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    close(fds[0]);
    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    setitimer(ITIMER_REAL, &soon, NULL);
    cr_expect_eq(netfeat_source_open_fd(ctx, fds[0], NULL, &src), NETFEAT_ERR_CANCELLED);
    close(fds[0]);
    close(fds[1]);
    free(b.p);
    netfeat_ctx_unref(ctx);
}

typedef struct {
    int calls, stop_at;
    int64_t packets, bytes, total;
} progress;

static int on_progress(void *user, int64_t packets, int64_t bytes_done, int64_t total)
{
    progress *p = user;

    p->packets = packets;
    p->bytes = bytes_done;
    p->total = total;
    return ++p->calls == p->stop_at;
}

Test(capture, progress_is_told_and_can_stop)
{
    enum { N = 20000 };
    netfeat_ctx *ctx = new_ctx();
    netfeat_source *src;
    bytes b = {0};
    progress seen = {.stop_at = 2};
    nf_record r[NF_BATCH];
    int64_t got = 0;
    int64_t estimate;
    int n;

    put_pcap(&b, 0xa1b2c3d4, 2, 4, 1);
    for (uint32_t i = 0; i < N; i++) {
        put_record(&b, i, 0, 20, 20);
    }
    netfeat_ctx_set_progress(ctx, on_progress, &seen);
    src = open_bytes(ctx, &b, NULL);
    cr_expect_eq(nf_source_estimate(src), -1);
    while ((n = nf_source_next(src, r, NF_BATCH)) > 0) {
        got += n;
    }
    cr_expect_eq(n, NETFEAT_ERR_CANCELLED);
    cr_expect_eq(seen.packets, got);
    cr_expect_eq(seen.bytes, 24 + 36 * got);
    cr_expect_eq(seen.total, (int64_t)b.n);
    estimate = nf_source_estimate(src);
    cr_expect(estimate > N - got - 20 && estimate < N - got + 20, "%lld", (long long)estimate);
    while ((n = nf_source_next(src, r, NF_BATCH)) > 0) {
        got += n;
    }
    cr_expect_eq(n, 0);
    cr_expect_eq(got, N);
    cr_expect_geq(seen.calls, 4);
    cr_expect_eq(nf_source_estimate(src), 0);
    netfeat_source_unref(src);
    free(b.p);
    netfeat_ctx_unref(ctx);
}

Test(capture, options_reach_the_source)
{
    netfeat_ctx *ctx = new_ctx();
    netfeat_options *opts = NULL;
    netfeat_source *src;
    nf_record r;
    bytes b = small_pcap(true);

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_FILE_INDEX, UINT32_MAX), 0);
    src = open_bytes(ctx, &b, opts);
    netfeat_options_unref(opts); /* not needed any more */
    cr_assert_eq(nf_source_next(src, &r, 1), 1);
    cr_expect_eq(r.file_index, UINT32_MAX);
    cr_expect_eq(nf_source_ctx(src), ctx);
    netfeat_source_unref(src);
    free(b.p);
    netfeat_ctx_unref(ctx);
}
