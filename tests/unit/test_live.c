/* Live sources, as far as this machine permits: errors everywhere, packets on the loopback device. */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "../support/capture_bytes.h"
#include "../support/torture.h"

#define PORT "52719"

/* NULL: not permitted, or no live capture in this build. */
static netfeat_source *open_loopback(netfeat_ctx *ctx, const netfeat_options *opts)
{
    netfeat_source *src = NULL;
    int code = netfeat_source_open_live(ctx, "lo", opts, &src);

    cr_assert(code == 0 || code == NETFEAT_ERR_PERMISSION || code == NETFEAT_ERR_NOTFOUND ||
                  code == NETFEAT_ERR_UNSUPPORTED,
              "%s", netfeat_ctx_error_message(ctx));
    return src;
}

static netfeat_options *loopback_options(netfeat_ctx *ctx, int wait_ms)
{
    netfeat_options *opts = NULL;

    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_text(opts, NETFEAT_OPT_SOURCE_FILTER, "udp dst port " PORT), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_WAIT_MS, wait_ms), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_SNAPLEN, 60), 0);
    cr_assert_eq(netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_FILE_INDEX, 3), 0);
    return opts;
}

static void send_packets(int n)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(PORT))};
    char payload[100] = "a payload longer than the snap length leaves";
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < n; i++) {
        cr_assert_eq(sendto(fd, payload, sizeof payload, 0, (struct sockaddr *)&to, sizeof to),
                     sizeof payload);
    }
    close(fd);
}

Test(live, packets_of_the_loopback_device)
{
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts;
    netfeat_source *src;
    int64_t last = 0;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    opts = loopback_options(ctx, 5000);
    src = open_loopback(ctx, opts);
    if (src != NULL) {
        send_packets(20);
        for (int i = 1; i <= 20; i++) {
            const uint8_t *data;
            uint32_t captured = 0;
            int64_t time = 0;
            cr_assert_eq(netfeat_source_step(src), 1, "packet %d: %s", i, netfeat_ctx_error_message(ctx));
            data = netfeat_source_packet_data(src, &captured);
            cr_expect_eq(captured, 60);
            cr_expect_eq(netfeat_source_packet_wire_length(src), 14 + 20 + 8 + 100);
            cr_expect_eq(memcmp(data + 14 + 20 + 8, "a payload", 9), 0);
            cr_expect_eq(netfeat_source_packet_number(src), i);
            cr_expect_eq(netfeat_source_packet_link_type(src), 1);
            cr_expect_eq(netfeat_source_packet_file(src), 3);
            cr_expect_eq(netfeat_source_packet_time(src, &time), 1);
            cr_expect_geq(time, last);
            last = time;
        }
        cr_expect_eq(netfeat_source_ended(src), 0);
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_RECORDS), 20);
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_SNAPPED), 20);
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_BYTES), 20 * 60);
        cr_expect_geq(netfeat_source_count(src, NETFEAT_COUNT_KERNEL_RECEIVED), 20);
        cr_expect_eq(netfeat_source_count(src, NETFEAT_COUNT_KERNEL_DROPPED), 0);
        cr_expect_eq(nf_source_estimate(src), -1);
        cr_expect_str_eq(netfeat_source_interface_name(src, 0), "lo");
        cr_expect_eq(netfeat_source_interface_dropped(src, 0, &last), 1);
        cr_expect_eq(last, 0);
        netfeat_source_unref(src);
    }
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}

static netfeat_ctx *alarmed;

static void on_alarm(int signal_number)
{
    (void)signal_number;
    netfeat_ctx_interrupt(alarmed);
}

Test(live, a_wait_ends)
{
    struct itimerval soon = {{0, 0}, {0, 20000}};
    netfeat_ctx *ctx = NULL;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    alarmed = ctx;
    signal(SIGALRM, on_alarm);
    for (int wait_ms = 0; wait_ms <= 30; wait_ms += 30) {
        netfeat_options *opts = loopback_options(ctx, wait_ms);
        netfeat_source *src = open_loopback(ctx, opts);
        if (src != NULL && wait_ms == 0) { /* for ever, but for a signal; then it goes on */
            setitimer(ITIMER_REAL, &soon, NULL);
            cr_expect_eq(netfeat_source_step(src), NETFEAT_ERR_CANCELLED);
            send_packets(1);
            cr_expect_eq(netfeat_source_step(src), 1);
        } else if (src != NULL) {
            cr_expect_eq(netfeat_source_step(src), 0);
            cr_expect_eq(netfeat_source_ended(src), 0);
        }
        netfeat_source_unref(src);
        netfeat_options_unref(opts);
    }
    netfeat_ctx_unref(ctx);
}

Test(live, what_cannot_be_opened)
{
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    int code;

    cr_assert_eq(netfeat_ctx_new(&ctx), 0);
    code = netfeat_source_open_live(ctx, "no-such-device", NULL, &src);
    cr_expect(netfeat_build_has("live") ? code == NETFEAT_ERR_NOTFOUND || code == NETFEAT_ERR_PERMISSION
                                        : code == NETFEAT_ERR_UNSUPPORTED);
    cr_expect_not_null(strstr(netfeat_ctx_error_message(ctx), "no-such-device"));
    cr_expect_eq(netfeat_source_open_live(NULL, "lo", NULL, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_live(ctx, NULL, NULL, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_live(ctx, "", NULL, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_eq(netfeat_source_open_live(ctx, "lo", NULL, NULL), NETFEAT_ERR_ARGUMENT);
    cr_assert_eq(netfeat_options_new(ctx, &opts), 0);
    cr_assert_eq(netfeat_options_set_text(opts, NETFEAT_OPT_SOURCE_FILTER, "no filter"), 0);
    cr_expect_eq(netfeat_source_open_live(ctx, "lo", opts, &src), NETFEAT_ERR_ARGUMENT);
    cr_expect_null(src);
    cr_assert_eq(netfeat_ctx_set_memory_limit(ctx, 1 << 20), 0);
    code = netfeat_source_open_live(ctx, "lo", NULL, &src);
    cr_expect(code == (netfeat_build_has("live") ? NETFEAT_ERR_LIMIT : NETFEAT_ERR_UNSUPPORTED),
              "the kernel's buffer counts");
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
}

/* The device cannot be opened everywhere: that is a result, too. */
static int open_and_wait(netfeat_ctx *ctx, const netfeat_options *opts, int *ret_step)
{
    netfeat_source *src = NULL;
    int code = netfeat_source_open_live(ctx, "lo", opts, &src);

    *ret_step = code;
    if (code == 0) {
        code = netfeat_source_step(src);
        *ret_step = code > 0;
    }
    netfeat_source_unref(src);
    return code == NETFEAT_ERR_NOMEM ? code : 0;
}

static int live_case(torture *t, void *user)
{
    netfeat_ctx *ctx = NULL;
    netfeat_options *opts = NULL;
    int step = 0;
    int code = torture_ctx(t, &ctx);

    (void)user;
    if (code != 0) {
        return code;
    }
    TRY(t, netfeat_options_new(ctx, &opts));
    TRY(t, netfeat_options_set_int(opts, NETFEAT_OPT_SOURCE_WAIT_MS, 1));
    TRY(t, netfeat_options_set_text(opts, NETFEAT_OPT_SOURCE_FILTER, "udp dst port " PORT));
    TRY(t, open_and_wait(ctx, opts, &step));
    torture_saw(t, &step, sizeof step);
out:
    netfeat_options_unref(opts);
    netfeat_ctx_unref(ctx);
    return code;
}

Test(live, every_allocation_may_fail)
{
    uint64_t points = 0;
    const char *wrong = torture_run(live_case, NULL, &points);

    cr_expect_null(wrong, "%s", wrong);
    cr_expect_gt(points, netfeat_build_has("live") ? 10 : 4);
}
