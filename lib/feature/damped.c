/* Damped incremental statistics: for each packet, what its sender, its channel and its sockets have been doing, with
   the past fading by 2^(-lambda dt). Definitions of Kitsune's AfterImage (Mirsky et al., NDSS 2018); profile 1 copies
   what its published code computes instead. */
#include <math.h>
#include <string.h>

#include "base/bitmap.h"
#include "feature/damped.h"
#include "feature/fmath.h"
#include "table/text.h"

static const double lambdas[NF_DECAYS] = {5.0, 3.0, 1.0, 0.1, 0.01};

enum { TIME, LENGTH, SRC_MAC, DST_MAC, SRC_IP, DST_IP, SRC_PORT, DST_PORT, PROTOCOL, N_INPUTS };
static const int input_types[N_INPUTS] = {
    NETFEAT_TYPE_TIME_NS, NETFEAT_TYPE_U32, NETFEAT_TYPE_BYTES6, NETFEAT_TYPE_BYTES6, NETFEAT_TYPE_BYTES16,
    NETFEAT_TYPE_BYTES16, NETFEAT_TYPE_U16, NETFEAT_TYPE_U16,    NETFEAT_TYPE_U8,
};

static int open_state(nf_step *step)
{
    nf_damped *s = step->state;
    int64_t columns = nf_step_option(step, NETFEAT_OPT_FEATURE_DAMPED_COLUMNS);

    if (columns != 100 && columns != 115) {
        return nf_error(step->ctx, NETFEAT_ERR_ARGUMENT, "damped: layouts have 100 or 115 columns, not %lld",
                        (long long)columns);
    }
    s->wide = columns == 115;
    s->kitsune = nf_step_option(step, NETFEAT_OPT_FEATURE_DAMPED_PROFILE) != 0;
    return NETFEAT_OK;
}

static int bind(nf_step *step)
{
    for (int i = 0; i < N_INPUTS; i++) {
        if (step->types[i] != input_types[i]) {
            return nf_type_error(step, i, netfeat_type_name(input_types[i]));
        }
    }
    nf_damped_init_tables(step);
    return NETFEAT_OK;
}

/* ---- keys ---- */

/* A key: plain bytes in profile 0, the text that the published code concatenates in profile 1. */
typedef struct {
    uint8_t at[128];
    size_t size;
} key;

static void add_bytes(key *k, const void *data, size_t size)
{
    memcpy(k->at + k->size, data, size);
    k->size += size;
}

static void add_key(key *k, const key *other)
{
    add_bytes(k, other->at, other->size);
}

static const uint8_t *value_at(netfeat_column *const *in, int input, int64_t row)
{
    return nf_column_present(in[input], row)
               ? in[input]->data + (size_t)row * (size_t)nf_type_width(input_types[input])
               : NULL;
}

/* The address, else the MAC address: 17 bytes, or text. False when there is neither. */
static bool host_key(const nf_damped *s, netfeat_column *const *in, int ip, int mac, int64_t row, key *ret)
{
    const uint8_t *p = value_at(in, ip, row);
    uint8_t plain[17] = {0};
    char text[NF_TEXT_MAX];

    ret->size = 0;
    if (p != NULL) {
        plain[0] = 1;
        memcpy(plain + 1, p, 16);
        if (s->kitsune) {
            add_bytes(ret, text, nf_text_ip(text, p));
        }
    } else {
        p = value_at(in, mac, row);
        if (p == NULL) {
            return false;
        }
        plain[0] = 2;
        memcpy(plain + 1, p, 6);
        if (s->kitsune) {
            add_bytes(ret, text, nf_text_mac(text, p));
        }
    }
    if (!s->kitsune) {
        add_bytes(ret, plain, sizeof plain);
    }
    return true;
}

/* Source MAC and host. */
static void mi_key(const nf_damped *s, netfeat_column *const *in, int64_t row, const key *host, key *ret)
{
    const uint8_t *mac = value_at(in, SRC_MAC, row);
    uint8_t plain[7] = {0};
    char text[NF_TEXT_MAX];

    ret->size = 0;
    if (s->kitsune && mac != NULL) {
        add_bytes(ret, text, nf_text_mac(text, mac));
    } else if (!s->kitsune) {
        plain[0] = mac != NULL;
        if (mac != NULL) {
            memcpy(plain + 1, mac, 6);
        }
        add_bytes(ret, plain, sizeof plain);
    }
    add_key(ret, host);
}

/* Host and port; without a port host and protocol. */
static void socket_key(const nf_damped *s, netfeat_column *const *in, int port, int64_t row, const key *host,
                       key *ret)
{
    const uint8_t *p = value_at(in, port, row);
    const uint8_t *protocol = value_at(in, PROTOCOL, row);
    uint8_t plain[3] = {0};
    char text[NF_TEXT_MAX];
    uint16_t number = 0;

    ret->size = 0;
    add_key(ret, host);
    if (p != NULL) {
        memcpy(&number, p, sizeof number);
    }
    if (s->kitsune && p != NULL) {
        add_bytes(ret, text, nf_text_u64(text, number));
    } else if (s->kitsune && protocol != NULL && *protocol == 1) {
        add_bytes(ret, "icmp", 4);
    } else if (!s->kitsune) {
        plain[0] = p != NULL ? 1 : protocol != NULL ? 2 : 0;
        plain[1] = (uint8_t)(p != NULL ? number >> 8 : protocol != NULL ? *protocol : 0);
        plain[2] = (uint8_t)(p != NULL ? number : 0);
        add_bytes(ret, plain, sizeof plain);
    }
}

static int compare_keys(const key *a, const key *b)
{
    size_t n = a->size < b->size ? a->size : b->size;
    int c = memcmp(a->at, b->at, n);

    return c != 0 ? c : (a->size > b->size) - (a->size < b->size);
}

/* ---- one stream ---- */

/* Seconds from `last` to now, as each profile reckons them. */
static double elapsed(const nf_damped *s, int64_t last, int64_t now)
{
    if (s->kitsune) {
        return (double)now / 1e9 - (double)last / 1e9;
    }
    return now > last ? (double)((uint64_t)now - (uint64_t)last) / 1e9 : 0.0;
}

static void start_stream(const nf_damped *s, nf_damped_stream *st, int64_t now)
{
    memset(st, 0, sizeof *st);
    st->last = now;
    for (int k = 0; k < NF_DECAYS && s->kitsune; k++) {
        st->w[k] = 1e-20;
    }
}

static void decay_stream(const nf_damped *s, nf_damped_stream *st, int64_t now)
{
    double dt = elapsed(s, st->last, now);

    if (!(dt > 0.0)) {
        return;
    }
    for (int k = 0; k < NF_DECAYS; k++) {
        double f = nf_exp2_decay(-lambdas[k] * dt);
        st->w[k] *= f;
        st->sum[k] *= f;
        st->squares[k] *= f;
    }
    st->last = now;
}

static void insert_value(const nf_damped *s, nf_damped_stream *st, double v, int64_t now)
{
    decay_stream(s, st, now);
    for (int k = 0; k < NF_DECAYS; k++) {
        st->sum[k] += v;
        st->squares[k] += v * v;
        st->w[k] += 1.0;
    }
}

/* What a stream says for each lambda. */
typedef struct {
    double mean[NF_DECAYS], variance[NF_DECAYS];
} moments;

static void find_moments(const nf_damped_stream *st, moments *m)
{
    for (int k = 0; k < NF_DECAYS; k++) {
        double w = st->w[k] != 0.0 ? st->w[k] : 1.0; /* then the sums are 0, too */
        m->mean[k] = st->sum[k] / w;
        m->variance[k] = fabs(st->squares[k] / w - m->mean[k] * m->mean[k]);
    }
}

/* The stream of a key, fresh ones being started. The pointer holds until the next call for the same table. */
static int find_stream(netfeat_ctx *ctx, const nf_damped *s, nf_stream_table *t, const key *k, int64_t now,
                       uint32_t *ret_id, nf_damped_stream **ret)
{
    uint32_t id = 0;
    int code = nf_groups_put(&t->groups, k->at, k->size, &id);

    code = code != 0 ? code : nf_damped_stream_room(ctx, t, s->kitsune);
    if (code != 0) {
        return code;
    }
    *ret_id = NF_GROUP_ID(id);
    *ret = &t->streams[*ret_id];
    if ((id & NF_GROUP_FRESH) != 0) {
        start_stream(s, *ret, now);
        if (s->kitsune) {
            t->lists[*ret_id] = (nf_damped_list){0, 0};
        }
    }
    return NETFEAT_OK;
}

/* ---- a pair of streams ---- */

static void start_pair(const nf_damped *s, nf_damped_pair *p, int64_t now)
{
    memset(p, 0, sizeof *p);
    p->last = now;
    for (int k = 0; k < NF_DECAYS && s->kitsune; k++) {
        p->w[k] = 1e-20;
    }
}

/* A value v of side `side`, whose stream has it already; means are those of that stream. */
static void update_pair(const nf_damped *s, nf_damped_pair *p, int side, const double *means, double v,
                        int64_t now)
{
    double dt = elapsed(s, p->last, now);

    for (int k = 0; k < NF_DECAYS; k++) {
        double residue = v - means[k];
        if (dt > 0.0) {
            double f = nf_exp2_decay(-lambdas[k] * dt);
            p->products[k] *= f;
            p->w[k] *= f;
            p->residue[side][k] *= f; /* both profiles; it is seen only by a pair of a stream with itself */
        }
        p->products[k] += residue * p->residue[!side][k];
        p->w[k] += 1.0;
        p->residue[side][k] = residue;
    }
    p->last = dt > 0.0 ? now : p->last;
}

/* Profile 1: whoever inserts into a stream updates all its pairs, and their other streams fade to now. */
static void update_all_pairs(const nf_damped *s, nf_stream_table *streams, nf_pair_table *pairs, uint32_t id,
                             double v, int64_t now)
{
    uint32_t at = streams->lists[id].first;
    moments own;

    find_moments(&streams->streams[id], &own);
    while (at != 0) {
        const nf_damped_link *link = &pairs->links[at - 1];
        int side = link->stream[0] == id ? 0 : 1;
        decay_stream(s, &streams->streams[link->stream[!side]], now);
        update_pair(s, &pairs->pairs[at - 1], side, own.mean, v, now);
        at = link->next[side];
    }
}

static void append_to_list(nf_stream_table *streams, nf_pair_table *pairs, uint32_t stream, uint32_t pair)
{
    nf_damped_list *list = &streams->lists[stream];

    if (list->first == 0) {
        list->first = pair + 1;
    } else {
        nf_damped_link *last = &pairs->links[list->last - 1];
        last->next[last->stream[0] == stream ? 0 : 1] = pair + 1;
    }
    list->last = pair + 1;
}

/* The pair of two keys, whichever sends; *ret_side says which side `from` is. */
static int find_pair(netfeat_ctx *ctx, const nf_damped *s, nf_stream_table *streams, nf_pair_table *t,
                     const key *from, const key *to, uint32_t from_id, uint32_t to_id, int64_t now,
                     nf_damped_pair **ret, int *ret_side)
{
    bool swapped = compare_keys(from, to) > 0;
    key both = swapped ? *to : *from;
    uint32_t id = 0;
    int code;

    if (s->kitsune) { /* two texts side by side could be read in two ways */
        add_bytes(&both, "|", 1);
    }
    add_key(&both, swapped ? from : to);
    code = nf_groups_put(&t->groups, both.at, both.size, &id);
    code = code != 0 ? code : nf_damped_pair_room(ctx, t, s->kitsune);
    if (code != 0) {
        return code;
    }
    *ret_side = swapped ? 1 : 0;
    *ret = &t->pairs[NF_GROUP_ID(id)];
    if ((id & NF_GROUP_FRESH) != 0) {
        id = NF_GROUP_ID(id);
        start_pair(s, *ret, now);
        if (s->kitsune) {
            uint32_t side0 = swapped ? to_id : from_id;
            uint32_t side1 = swapped ? from_id : to_id;
            t->links[id] = (nf_damped_link){{side0, side1}, {0, 0}};
            append_to_list(streams, t, side0, id);
            if (side1 != side0) {
                append_to_list(streams, t, side1, id);
            }
        }
    }
    return NETFEAT_OK;
}

/* ---- one packet ---- */

static double *put_stream(double *to, const nf_damped_stream *st, const moments *m, int k)
{
    *to++ = st->w[k];
    *to++ = m->mean[k];
    *to++ = m->variance[k];
    return to;
}

static double *put_pair(double *to, const moments *a, const moments *b, const nf_damped_pair *p, int k)
{
    double va = a->variance[k], vb = b->variance[k];
    double ma = a->mean[k], mb = b->mean[k];
    double covariance = p->w[k] != 0.0 ? p->products[k] / p->w[k] : 0.0;
    double deviations = sqrt(va) * sqrt(vb);

    *to++ = sqrt(va * va + vb * vb);
    *to++ = sqrt(ma * ma + mb * mb);
    *to++ = covariance;
    *to++ = deviations != 0.0 ? covariance / deviations : 0.0;
    return to;
}

/* One-dimensional statistics of a key after inserting v (jitter: the time since its last packet). */
static int put_single(netfeat_ctx *ctx, nf_damped *s, nf_stream_table *t, const key *k, bool jitter, double v,
                      int64_t now, double **to)
{
    nf_damped_stream *st = NULL;
    moments m;
    uint32_t id;
    int code = find_stream(ctx, s, t, k, now, &id, &st);

    if (code != 0) {
        return code;
    }
    if (jitter) {
        double dt = elapsed(s, st->last, now);
        v = dt > 0.0 ? dt : 0.0;
    }
    insert_value(s, st, v, now);
    find_moments(st, &m);
    for (int i = 0; i < NF_DECAYS; i++) {
        *to = put_stream(*to, st, &m, i);
    }
    return NETFEAT_OK;
}

/* The sender's stream and its pair with the receiver. The sender's state is copied: finding the receiver may make
   the table forget the sender. */
static int put_double(netfeat_ctx *ctx, nf_damped *s, nf_stream_table *streams, nf_pair_table *pairs,
                      const key *from, const key *to_key, double v, int64_t now, double **to)
{
    nf_damped_stream *st = NULL;
    nf_damped_pair *pair = NULL;
    nf_damped_stream own;
    moments own_moments, other;
    uint32_t from_id = 0, to_id = 0;
    int side = 0;
    int code = find_stream(ctx, s, streams, from, now, &from_id, &st);

    if (code != 0) {
        return code;
    }
    insert_value(s, st, v, now);
    if (s->kitsune) {
        update_all_pairs(s, streams, pairs, from_id, v, now);
    }
    own = streams->streams[from_id];
    find_moments(&own, &own_moments);
    code = find_stream(ctx, s, streams, to_key, now, &to_id, &st);
    if (code != 0) {
        return code;
    }
    decay_stream(s, st, now);
    find_moments(st, &other);
    code = find_pair(ctx, s, streams, pairs, from, to_key, from_id, to_id, now, &pair, &side);
    if (code != 0) {
        return code;
    }
    update_pair(s, pair, side, own_moments.mean, v, now);
    for (int k = 0; k < NF_DECAYS; k++) {
        *to = put_stream(*to, &own, &own_moments, k);
        *to = put_pair(*to, &own_moments, &other, pair, k);
    }
    return NETFEAT_OK;
}

/* The statistics of one row; *ret_known is false when it has no time, length, sender or receiver. */
static int run_row(netfeat_ctx *ctx, nf_damped *s, netfeat_column *const *in, int64_t row, double *to,
                   bool *ret_known)
{
    const int64_t *times = (const int64_t *)(const void *)in[TIME]->data;
    const uint32_t *lengths = (const uint32_t *)(const void *)in[LENGTH]->data;
    key src, dst, mi, channel, src_socket, dst_socket;
    int64_t now = times[row];
    double v = (double)lengths[row];
    double *after_mi;
    int code;

    *ret_known = nf_column_present(in[TIME], row) && nf_column_present(in[LENGTH], row) &&
                 host_key(s, in, SRC_IP, SRC_MAC, row, &src) && host_key(s, in, DST_IP, DST_MAC, row, &dst);
    if (!*ret_known) {
        return NETFEAT_OK;
    }
    mi_key(s, in, row, &src, &mi);
    socket_key(s, in, SRC_PORT, row, &src, &src_socket);
    socket_key(s, in, DST_PORT, row, &dst, &dst_socket);
    channel = src;
    add_key(&channel, &dst);

    code = put_single(ctx, s, &s->mi, &mi, false, v, now, &to);
    after_mi = to;
    to += s->wide ? 3 * NF_DECAYS : 0;
    code = code != 0 ? code : put_double(ctx, s, &s->host, &s->hosts, &src, &dst, v, now, &to);
    for (int k = 0; s->wide && code == 0 && k < NF_DECAYS; k++) { /* H is the one-dimensional part of HH */
        memcpy(after_mi + 3 * k, after_mi + 3 * NF_DECAYS + 7 * k, 3 * sizeof *to);
    }
    code = code != 0 ? code : put_single(ctx, s, &s->jitter, &channel, true, 0.0, now, &to);
    return code != 0 ? code
                     : put_double(ctx, s, &s->socket, &s->sockets, &src_socket, &dst_socket, v, now, &to);
}

/* ---- many packets ---- */

/* Columns are far apart, at distances that share one set of the cache: rows are gathered in a tile first. */
#define TILE_ROWS  64
#define TILE_PITCH 72

typedef struct {
    double values[NF_DAMPED_COLUMNS_MAX][TILE_PITCH];
} tile;

static int run_tile(netfeat_ctx *ctx, nf_damped *s, netfeat_column *const *in, int64_t first, int rows,
                    tile *t, double *const *data, uint8_t *const *validity)
{
    int n = s->wide ? 115 : 100;

    for (int i = 0; i < rows; i++) {
        double values[NF_DAMPED_COLUMNS_MAX];
        bool known = false;
        int code = run_row(ctx, s, in, first + i, values, &known);
        if (code != 0) {
            return code;
        }
        for (int k = 0; k < n; k++) {
            t->values[k][i] = known ? values[k] : 0.0;
        }
        for (int k = 0; k < n && !known; k++) {
            nf_bitmap_clear(validity[k], first + i);
        }
    }
    for (int k = 0; k < n; k++) {
        memcpy(data[k] + first, t->values[k], (size_t)rows * sizeof(double));
    }
    return NETFEAT_OK;
}

static int apply(netfeat_ctx *ctx, nf_step *step, netfeat_column *const *in, nf_outputs *out)
{
    nf_damped *s = step->state;
    double *data[NF_DAMPED_COLUMNS_MAX];
    uint8_t *validity[NF_DAMPED_COLUMNS_MAX];
    size_t from = out->n;
    tile *t = nf_alloc(ctx, sizeof *t);
    int code =
        t != NULL ? nf_damped_add_columns(ctx, step, in[0]->length, out, data, validity) : nf_ctx_code(ctx);

    for (int64_t first = 0; code == 0 && first < in[0]->length; first += TILE_ROWS) {
        int rows = in[0]->length - first < TILE_ROWS ? (int)(in[0]->length - first) : TILE_ROWS;
        code = run_tile(ctx, s, in, first, rows, t, data, validity);
    }
    nf_free(ctx, t, sizeof *t);
    for (size_t i = from; code == 0 && i < out->n; i++) {
        nf_column_count_nulls(out->cols[i]);
    }
    return code;
}

const nf_feature_class nf_damped_class = {
    .id = NETFEAT_FEATURE_DAMPED,
    .kind = NF_ACCUMULATOR,
    .min_inputs = N_INPUTS,
    .max_inputs = N_INPUTS,
    .state_bytes = sizeof(nf_damped),
    .open = open_state,
    .bind = bind,
    .close = nf_damped_free_tables,
    .apply = apply,
    .save = nf_damped_save,
    .load = nf_damped_load,
    .count = nf_damped_count,
};

int netfeat_feature_damped(netfeat_ctx *ctx, const netfeat_table *tab, const netfeat_options *opts,
                           netfeat_table **ret)
{
    static const char *const names[N_INPUTS] = {"timestamp", "frame_length", "src_mac",
                                                "dst_mac",   "src_ip",       "dst_ip",
                                                "src_port",  "dst_port",     "ip_protocol"};
    netfeat_column *in[N_INPUTS];
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    code = nf_feature_table(ctx, tab);
    for (int i = 0; code == 0 && i < N_INPUTS; i++) {
        code = nf_feature_named(ctx, tab, names[i], &in[i]);
    }
    return code != 0 ? code : nf_feature_run(ctx, NETFEAT_FEATURE_DAMPED, in, N_INPUTS, opts, ret);
}
