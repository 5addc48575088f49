/* naive_model.h - for tests: inside of the naive reassembler. */
#ifndef TESTS_NAIVE_MODEL_H
#define TESTS_NAIVE_MODEL_H

#include "naive_store.h"
#include "script.h"

#define NONE    INT64_MIN
#define SECONDS INT64_C(1000000000)

enum { S_NEW, S_SYN, S_EST, S_CLOSING, S_CLOSED, S_RESET };
enum { F = 1, S = 2, R = 4, A = 16, U = 32 };

typedef struct {
    bool has_isn, has_base, locked, has_right, has_window, syn, ts_opt, has_ts, md5, truncated, cut, eof,
        has_ack_sent;
    uint32_t isn, base, cand[4], ack_sent, ts;
    int n_cand, scale, packets;
    int64_t ts_time, next, acked, max_end, right, window, max_window, fin, hole_since, acked_since;
    naive_store store;
    int64_t *urgent; /* marks */
    int n_urgent;
    const script_packet *syn_data;
} direction;

typedef struct {
    int64_t policy, deliver, depth, max_buffered, max_segments, half_open, idle, linger, gap_timeout, grace,
        midstream, strict, ack_strict, checksum, urgent, gate, async_bytes;
} settings;

typedef struct {
    settings set;
    script_text *out;
    int64_t now;
    bool open, started;
    direction d[2];
    int first; /* network side of direction 0 */
    int state;
    bool est, lossy, async, mid, gate;
    int64_t last;
    bool has_resyn;
    int resyn_dir;
    script_packet resyn;
    int data_dir; /* data event being joined */
    int64_t data_at;
    script_text data;
} model;

void naive_say(model *m, int dir, const char *what, int64_t a, int64_t b, const char *more);
void naive_finish_data(model *m);
bool naive_gap(model *m, int dir, const char *why);
void naive_pump(model *m, int dir, bool force);
void naive_flush(model *m, int dir, const char *why);
void naive_drop_from(model *m, int dir, int64_t from);
void naive_payload(model *m, int dir, int64_t o, const uint8_t *data, int64_t len, int64_t captured,
                   int urgent);
void naive_syn_payload(model *m, int dir, int64_t taken);
void naive_acknowledge(model *m, int dir, int64_t ao);
void naive_finish_dir(model *m, int dir, int64_t at);
int64_t naive_offset_of(const direction *d, uint32_t seq);

#endif
