/* The index of streams by their endpoints: keyed hashing, and memory fetched ahead. */
#include <assert.h>
#include <string.h>

#include "stream/streams.h"

/* A chain this long does not happen by chance: somebody knows the secret, or has found a weakness. */
#define LONG_CHAIN 1024
#define CACHE_LINE 64

/* A key in words: the addresses, and what is behind them. */
typedef struct {
    uint64_t word[NF_HASH_WORDS];
} key_words;

static uint64_t rest_of(uint16_t first_port, uint16_t second_port, uint8_t protocol)
{
    return (uint64_t)first_port | (uint64_t)second_port << 16 | (uint64_t)protocol << 32;
}

static key_words words_of(const nf_stream_key *key)
{
    key_words w;

    memcpy(w.word, key->ip, sizeof key->ip);
    w.word[4] = rest_of(key->port[0], key->port[1], key->protocol);
    return w;
}

static uint64_t hash_key(const netfeat_streams *st, const nf_stream_key *key)
{
    key_words w = words_of(key);

    return nf_hash_words(st->secret, w.word);
}

/* The hash is made from registers: what was just stored in pieces cannot be loaded in words without waiting. */
void nf_segment_key(const netfeat_streams *st, nf_segment *seg, int protocol, const uint8_t *src_ip,
                    const uint8_t *dst_ip, uint16_t src_port, uint16_t dst_port)
{
    nf_stream_key *key = &seg->key;
    uint64_t src[2], dst[2];
    bool swap;
    key_words w;

    memcpy(src, src_ip, sizeof src);
    memcpy(dst, dst_ip, sizeof dst);
    swap = src[1] != dst[1] ? src[1] > dst[1] : src[0] != dst[0] ? src[0] > dst[0] : src_port > dst_port;
    w.word[0] = swap ? dst[0] : src[0];
    w.word[1] = swap ? dst[1] : src[1];
    w.word[2] = swap ? src[0] : dst[0];
    w.word[3] = swap ? src[1] : dst[1];
    w.word[4] = swap ? rest_of(dst_port, src_port, (uint8_t)protocol)
                     : rest_of(src_port, dst_port, (uint8_t)protocol);
    memcpy(key->ip, w.word, sizeof key->ip);
    key->port[0] = (uint16_t)w.word[4];
    key->port[1] = (uint16_t)(w.word[4] >> 16);
    key->protocol = (uint8_t)protocol;
    key->zero = 0;
    seg->swapped = swap;
    seg->guess = NULL;
    seg->hash = nf_hash_words(st->secret, w.word);
    seg->seed = st->seed;
}

/* Keys of equal size, without a call: this is done for every segment. */
static bool same_key(const nf_stream_key *a, const nf_stream_key *b)
{
    key_words x = words_of(a), y = words_of(b);

    return ((x.word[0] ^ y.word[0]) | (x.word[1] ^ y.word[1]) | (x.word[2] ^ y.word[2]) |
            (x.word[3] ^ y.word[3]) | (x.word[4] ^ y.word[4])) == 0;
}

/* A new secret out of the old one, and the whole index again. At most once per as many packets as there are
   streams, so that it stays cheap on average. */
static void reseed(netfeat_streams *st)
{
    if (st->totals[NF_TOTAL_PACKETS] - st->packets_at_reseed < st->n_flows) {
        return;
    }
    st->packets_at_reseed = st->totals[NF_TOTAL_PACKETS];
    st->seed++;
    for (size_t i = 0; i < sizeof st->secret; i += 8) {
        uint64_t word = nf_hash(nf_ctx_secret(st->ctx), st->secret + i, 8) + st->seed;
        memcpy(st->secret + i, &word, 8);
    }
    nf_map_clear(&st->map);
    for (uint32_t i = st->oldest; i != NF_NONE; i = nf_stream_at(st, i)->newer) {
        nf_index_add(st, nf_stream_at(st, i));
    }
    st->totals[NF_TOTAL_RESEEDS]++;
}

nf_stream *nf_stream_find(netfeat_streams *st, const nf_segment *seg, int *ret_side)
{
    uint64_t hash, start, pos;
    uint32_t i;

    if (seg->guess != NULL && seg->guess->alive && same_key(&seg->guess->key, &seg->key)) {
        *ret_side = seg->swapped != seg->guess->swapped;
        return seg->guess;
    }
    hash = seg->seed == st->seed ? seg->hash : hash_key(st, &seg->key);
    start = pos = nf_map_start(&st->map, hash);
    while ((i = nf_map_next(&st->map, hash, &pos)) != NF_MAP_NONE) {
        nf_stream *flow = nf_stream_at(st, i);
        if (same_key(&flow->key, &seg->key)) {
            *ret_side = seg->swapped != flow->swapped;
            break;
        }
        pos++;
    }
    if (pos > start && pos - start > LONG_CHAIN) {
        reseed(st);
    }
    return i != NF_MAP_NONE ? nf_stream_at(st, i) : NULL;
}

void nf_index_add(netfeat_streams *st, const nf_stream *flow)
{
    nf_map_insert(&st->map, hash_key(st, &flow->key), flow->index);
}

void nf_index_remove(netfeat_streams *st, const nf_stream *flow)
{
    uint64_t hash = hash_key(st, &flow->key);
    uint64_t pos = nf_map_start(&st->map, hash);

    while (nf_map_next(&st->map, hash, &pos) != flow->index) {
        pos++;
    }
    nf_map_remove(&st->map, pos);
}

/* ---- fetching ahead ---- */

void nf_prefetch_slot(const netfeat_streams *st, const nf_segment *seg)
{
    nf_map_prefetch(&st->map, seg->hash);
}

/* The likely record is the first with that tag; unless the chain is so long that nf_stream_find() has to see it. */
void nf_prefetch_record(const netfeat_streams *st, nf_segment *seg)
{
    uint64_t start = nf_map_start(&st->map, seg->hash), pos = start;
    uint32_t i = nf_map_next(&st->map, seg->hash, &pos);

    if (i != NF_MAP_NONE && pos >= start && pos - start <= LONG_CHAIN) {
        seg->guess = nf_stream_at(st, i);
        __builtin_prefetch(seg->guess, 1);
    }
}

void nf_prefetch_conn(const nf_segment *seg)
{
    const char *conn = seg->guess != NULL ? (const char *)nf_conn_of(seg->guess) : NULL;

    for (size_t at = 0; conn != NULL && at < NF_CONN_HOT; at += CACHE_LINE) {
        __builtin_prefetch(conn + at, 1);
    }
}
