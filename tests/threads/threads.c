#include "threads.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void threads_fail(netfeat_ctx *ctx, const char *file, int line, const char *what, int code)
{
    fprintf(stderr, "not ok: %s:%d: %s", file, line, what);
    if (code != 0) {
        fprintf(stderr, ": %s: %s", netfeat_error_name(code),
                ctx != NULL ? netfeat_ctx_error_message(ctx) : "");
    }
    fputc('\n', stderr);
    exit(1);
}

uint32_t threads_random(uint64_t *state, uint32_t below)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(((z ^ z >> 31) >> 32) * below >> 32);
}

/* ---- a capture ---- */

struct writer {
    uint8_t *data;
    size_t used, cap;
    int64_t packets;
};

static void put(struct writer *w, const void *data, size_t size)
{
    if (w->used + size > w->cap) {
        w->cap = 2 * (w->used + size);
        w->data = realloc(w->data, w->cap);
        CHECK(w->data != NULL);
    }
    memcpy(w->data + w->used, data, size);
    w->used += size;
}

static void put_be(uint8_t *at, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    }
}

/* A packet of connection c, from the client (side 0) or the server. */
static void put_packet(struct writer *w, int c, int side, uint32_t seq, uint32_t ack, int flags,
                       uint32_t payload)
{
    uint8_t p[14 + 20 + 20 + 256] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45};
    uint8_t *ip = p + 14, *tcp = ip + 20;
    uint32_t size = 54 + payload, client = 0x0a000000u + (uint32_t)(c % 251),
             server = 0x0a010000u + (uint32_t)(c % 7);
    uint32_t head[4] = {(uint32_t)(1700000000 + w->packets / 10000), (uint32_t)(w->packets % 10000 * 100),
                        size, size};

    put_be(ip + 2, size - 14, 2);
    ip[8] = 64;
    ip[9] = 6;
    put_be(ip + 12, side == 0 ? client : server, 4);
    put_be(ip + 16, side == 0 ? server : client, 4);
    put_be(tcp, side == 0 ? 1024 + (uint32_t)c % 60000 : 80, 2);
    put_be(tcp + 2, side == 0 ? 80 : 1024 + (uint32_t)c % 60000, 2);
    put_be(tcp + 4, seq, 4);
    put_be(tcp + 8, ack, 4);
    tcp[12] = 0x50;
    tcp[13] = (uint8_t)flags;
    put_be(tcp + 14, 8192, 2);
    memset(tcp + 20, c % 256, payload);
    put(w, head, sizeof head);
    put(w, p, size);
    w->packets++;
}

void *threads_capture(int connections, size_t *ret_size)
{
    const uint16_t version[2] = {2, 4}; /* all in this machine's byte order */
    uint32_t head[6] = {0xa1b2c3d4, 0, 0, 0, 65535, 1};
    struct writer w = {NULL, 0, 0, 0};
    const int at_once = 50;

    memcpy(&head[1], version, sizeof version);
    put(&w, head, sizeof head);
    for (int first = 0; first < connections; first += at_once) {
        for (int step = 0; step < 10; step++) { /* each connection takes a step in turn */
            for (int c = first; c < first + at_once && c < connections; c++) {
                uint32_t a = (uint32_t)c * 1000, b = (uint32_t)c * 3000, up = 100, down = 200;
                switch (step) {
                case 0:
                    put_packet(&w, c, 0, a, 0, NETFEAT_TCP_SYN, 0);
                    break;
                case 1:
                    put_packet(&w, c, 1, b, a + 1, NETFEAT_TCP_SYN | NETFEAT_TCP_ACK, 0);
                    break;
                case 2:
                    put_packet(&w, c, 0, a + 1, b + 1, NETFEAT_TCP_ACK, 0);
                    break;
                case 3:
                    put_packet(&w, c, 0, a + 1, b + 1, NETFEAT_TCP_ACK | NETFEAT_TCP_PSH, up);
                    break;
                case 4:
                    put_packet(&w, c, 1, b + 1 + down, a + 1 + up, NETFEAT_TCP_ACK, down);
                    break;
                case 5:
                    put_packet(&w, c, 1, b + 1, a + 1 + up, NETFEAT_TCP_ACK, down);
                    break;
                case 6:
                    put_packet(&w, c, 0, a + 1 + up, b + 1 + 2 * down, NETFEAT_TCP_ACK, 0);
                    break;
                case 7:
                    put_packet(&w, c, 0, a + 1 + up, b + 1 + 2 * down, NETFEAT_TCP_ACK | NETFEAT_TCP_FIN, 0);
                    break;
                case 8:
                    put_packet(&w, c, 1, b + 1 + 2 * down, a + 2 + up, NETFEAT_TCP_ACK | NETFEAT_TCP_FIN, 0);
                    break;
                default:
                    put_packet(&w, c, 0, a + 2 + up, b + 2 + 2 * down, NETFEAT_TCP_ACK, 0);
                }
            }
        }
    }
    *ret_size = w.used;
    return w.data;
}

/* ---- digests ---- */

static uint64_t mix(uint64_t h, const void *data, size_t size)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < size; i++) {
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    }
    return h;
}

static uint64_t mix_number(uint64_t h, uint64_t n)
{
    h = (h ^ n) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static uint64_t mix_value(uint64_t h, const netfeat_column *col, int64_t row)
{
    const int64_t *offsets = netfeat_column_offsets(col);
    const uint8_t *data = netfeat_column_data(col);
    size_t width = (size_t)netfeat_column_value_bytes(col);
    uint64_t number = 0;

    if (netfeat_column_is_null(col, row) == 1) {
        return mix_number(h, 77);
    }
    if (netfeat_column_type(col) == NETFEAT_TYPE_BOOL) {
        CHECK(netfeat_column_get_u64(col, row, &number) == 1);
        return mix_number(h, number);
    }
    if (offsets == NULL) {
        return mix(h, data + width * (size_t)row, width);
    }
    h = mix_number(h, (uint64_t)(offsets[row + 1] - offsets[row]));
    return data == NULL ? h : mix(h, data + offsets[row], (size_t)(offsets[row + 1] - offsets[row]));
}

uint64_t threads_digest_column(const netfeat_column *col)
{
    int64_t rows = netfeat_column_length(col);
    const netfeat_column *child = netfeat_column_child(col);
    uint64_t h = mix_number((uint64_t)netfeat_column_type(col), (uint64_t)rows);

    h = mix_number(h, (uint64_t)netfeat_column_nulls(col));
    for (int64_t i = 0; i < rows; i++) {
        h = mix_value(h, col, i);
    }
    for (int64_t i = 0; child != NULL && rows > 0 && i < netfeat_column_offsets(col)[rows]; i++) {
        h = mix_value(h, child, i);
    }
    return h;
}

uint64_t threads_digest(const netfeat_table *tab)
{
    uint64_t h = mix_number(1, (uint64_t)netfeat_table_rows(tab));

    for (int i = 0; i < netfeat_table_width(tab); i++) {
        const char *name = netfeat_table_name(tab, i);
        h = mix(h, name, strlen(name));
        h = mix_number(h, threads_digest_column(netfeat_table_column(tab, i)));
    }
    return h;
}

/* ---- threads ---- */

struct start {
    void (*work)(int index, void *user);
    void *user;
    int index;
    pthread_barrier_t *together;
};

static void *begin(void *user)
{
    struct start *s = user;

    pthread_barrier_wait(s->together);
    s->work(s->index, s->user);
    return NULL;
}

void threads_run(void (*work)(int index, void *user), void *user)
{
    pthread_t ids[THREADS];
    struct start starts[THREADS];
    pthread_barrier_t together;

    CHECK(pthread_barrier_init(&together, NULL, THREADS) == 0);
    for (int i = 0; i < THREADS; i++) {
        starts[i] = (struct start){work, user, i, &together};
        CHECK(pthread_create(&ids[i], NULL, begin, &starts[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(ids[i], NULL);
    }
    pthread_barrier_destroy(&together);
}
