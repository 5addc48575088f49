/* The table of datagrams being put together. */
#include "stream/frag.h"

#include <assert.h>
#include <string.h>

#include <netfeat/stream.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/options.h"
#include "stream/checksum.h"
#include "stream/ip6.h"
#include "stream/pieces.h"
#include "stream/streams.h"

#define MAX_END        65535
#define FRAGMENT_BYTES 8 /* of the IPv6 fragment header */
#define MAX_HEADER                                                                                           \
    1280 /* headers in front of the fragment header that are kept; more than any honest sender has */
#define KEEP_DATAGRAMS 64

typedef struct {
    uint8_t src[16], dst[16];
    uint64_t tunnel_id;
    uint32_t id;
    uint16_t vlan, vlan_outer;
    uint8_t version, protocol;
    uint8_t tunnel_type, tunnel_depth;
} frag_key;

typedef struct {
    frag_key key;
    int64_t first_time;
    uint32_t index, prev, next; /* in the list of its version, oldest first; next also links free ones */
    nf_pieces pieces;
    uint8_t *header; /* of the fragment with offset 0: all IP headers in front of the data, but not IPv6's
                        fragment header */
    uint32_t header_size;
    uint32_t total; /* of the data; 0: not known */
    bool dead;      /* dropped; stays until its time-out so that what follows cannot complete it */
} datagram;

typedef struct {
    uint32_t head, tail;
} age_list;

struct nf_frags {
    netfeat_ctx *ctx;
    uint64_t *totals;
    int policy;
    uint32_t max_datagrams, max_pieces;
    uint64_t max_bytes;
    int64_t timeout[2]; /* IPv4, IPv6 */
    nf_map map;
    datagram **list; /* by index */
    size_t n_list, list_cap;
    uint32_t free, alive;
    age_list ages[2];
    uint64_t memory; /* pieces, headers, records */
    uint8_t *whole[NF_FRAG_LEVELS];
    size_t whole_cap[NF_FRAG_LEVELS];
};

/* One fragment, looked at. */
typedef struct {
    frag_key key;
    const uint8_t *data;
    uint32_t s, e;
    bool more;
    const uint8_t *header;
    uint32_t header_size;
    uint32_t next_at; /* IPv6: where the header announces the fragment header */
    uint8_t next;     /* ... and what comes instead */
} fragment;

static int version_index(const frag_key *key)
{
    return key->version == 6;
}

/* ---- open and close ---- */

int nf_frags_new(netfeat_ctx *ctx, const netfeat_options *opts, uint64_t *totals, nf_frags **ret)
{
    nf_frags *f = nf_alloc_zero(ctx, sizeof *f);

    if (f == NULL) {
        return nf_ctx_code(ctx);
    }
    f->ctx = ctx;
    f->totals = totals;
    f->policy = (int)nf_option(opts, NETFEAT_OPT_STREAM_FRAGMENT_POLICY);
    f->max_datagrams = (uint32_t)nf_option(opts, NETFEAT_OPT_STREAM_FRAGMENT_MAX_DATAGRAMS);
    f->max_pieces = (uint32_t)nf_option(opts, NETFEAT_OPT_STREAM_FRAGMENT_MAX_PIECES);
    f->max_bytes = (uint64_t)nf_option(opts, NETFEAT_OPT_STREAM_FRAGMENT_MAX_BYTES);
    f->timeout[0] = nf_option(opts, NETFEAT_OPT_STREAM_FRAGMENT_TIMEOUT4_NS);
    f->timeout[1] = nf_option(opts, NETFEAT_OPT_STREAM_FRAGMENT_TIMEOUT6_NS);
    f->free = NF_NONE;
    f->ages[0] = f->ages[1] = (age_list){NF_NONE, NF_NONE};
    *ret = f;
    return NETFEAT_OK;
}

static void drop_bytes(nf_frags *f, datagram *d)
{
    nf_pieces_clear(f->ctx, &d->pieces, &f->memory);
    f->memory -= d->header_size;
    nf_free(f->ctx, d->header, d->header_size);
    d->header = NULL;
    d->header_size = 0;
}

void nf_frags_free(nf_frags *f)
{
    if (f == NULL) {
        return;
    }
    for (size_t i = 0; i < f->n_list; i++) {
        drop_bytes(f, f->list[i]);
        nf_free(f->ctx, f->list[i], sizeof *f->list[i]);
    }
    for (int i = 0; i < NF_FRAG_LEVELS; i++) {
        nf_free(f->ctx, f->whole[i], f->whole_cap[i]);
    }
    nf_free(f->ctx, f->list, f->list_cap * sizeof *f->list);
    nf_map_free(f->ctx, &f->map);
    nf_free(f->ctx, f, sizeof *f);
}

/* ---- records ---- */

static uint64_t hash_key(const nf_frags *f, const frag_key *key)
{
    return nf_hash(nf_ctx_secret(f->ctx), key, sizeof *key);
}

static datagram *find(const nf_frags *f, const frag_key *key, uint64_t *ret_pos)
{
    uint64_t hash = hash_key(f, key);
    uint64_t pos = nf_map_start(&f->map, hash);
    uint32_t i;

    while ((i = nf_map_next(&f->map, hash, &pos)) != NF_MAP_NONE) {
        if (memcmp(&f->list[i]->key, key, sizeof *key) == 0) {
            *ret_pos = pos;
            return f->list[i];
        }
        pos++;
    }
    return NULL;
}

static void remove_datagram(nf_frags *f, datagram *d)
{
    age_list *ages = &f->ages[version_index(&d->key)];
    uint64_t pos = 0;
    datagram *found = find(f, &d->key, &pos);

    assert(found == d);
    (void)found;
    nf_map_remove(&f->map, pos);
    *(d->prev != NF_NONE ? &f->list[d->prev]->next : &ages->head) = d->next;
    *(d->next != NF_NONE ? &f->list[d->next]->prev : &ages->tail) = d->prev;
    drop_bytes(f, d);
    d->next = f->free;
    f->free = d->index;
    f->alive--;
    f->memory -= sizeof *d;
}

static void expire(nf_frags *f, int64_t now)
{
    for (int v = 0; v < 2; v++) {
        for (int i = 0; i < 8 && f->ages[v].head != NF_NONE; i++) {
            datagram *d = f->list[f->ages[v].head];

            if (nf_elapsed(now, d->first_time) < f->timeout[v]) {
                break;
            }
            f->totals[NF_TOTAL_FRAGMENT_TIMEOUT] += !d->dead;
            remove_datagram(f, d);
        }
    }
}

static bool evict_oldest(nf_frags *f)
{
    datagram *a = f->ages[0].head != NF_NONE ? f->list[f->ages[0].head] : NULL;
    datagram *b = f->ages[1].head != NF_NONE ? f->list[f->ages[1].head] : NULL;
    datagram *d = a == NULL || (b != NULL && b->first_time < a->first_time) ? b : a;

    if (d == NULL) {
        return false;
    }
    f->totals[NF_TOTAL_FRAGMENT_EVICTED]++;
    remove_datagram(f, d);
    return true;
}

/* A free record; NULL on failure. */
static datagram *new_record(nf_frags *f)
{
    datagram *d;

    if (f->free != NF_NONE) {
        d = f->list[f->free];
        f->free = d->next;
        return d;
    }
    if (nf_grow(f->ctx, (void **)&f->list, &f->list_cap, f->n_list + 1, sizeof *f->list) != 0) {
        return NULL;
    }
    d = nf_alloc_zero(f->ctx, sizeof *d);
    if (d != NULL) {
        d->index = (uint32_t)f->n_list;
        f->list[f->n_list++] = d;
    }
    return d;
}

static datagram *add_datagram(nf_frags *f, const frag_key *key, int64_t now)
{
    age_list *ages = &f->ages[version_index(key)];
    datagram *d;

    if (f->alive >= f->max_datagrams) {
        (void)evict_oldest(f);
    }
    if (nf_map_ready(f->ctx, &f->map) != 0 || (d = new_record(f)) == NULL) {
        return NULL;
    }
    d->key = *key;
    d->first_time = now;
    d->total = 0;
    d->dead = false;
    d->prev = ages->tail;
    d->next = NF_NONE;
    *(ages->tail != NF_NONE ? &f->list[ages->tail]->next : &ages->head) = d->index;
    ages->tail = d->index;
    nf_map_insert(&f->map, hash_key(f, key), d->index);
    f->alive++;
    f->memory += sizeof *d;
    return d;
}

/* Dropped, and remembered as such (RFC 5722). */
static int drop(nf_frags *f, datagram *d, int total)
{
    f->totals[total]++;
    drop_bytes(f, d);
    d->dead = true;
    return 0;
}

/* ---- one fragment ---- */

static void fill_key(const nf_packet *pkt, frag_key *key)
{
    memset(key, 0, sizeof *key);
    memcpy(key->src, pkt->src_ip, sizeof key->src);
    memcpy(key->dst, pkt->dst_ip, sizeof key->dst);
    key->id = pkt->ip_id;
    key->version = pkt->ip_version;
    key->protocol = pkt->ip_version == 4 ? pkt->ip_protocol : 0;
    key->vlan = pkt->present & NF_BIT(VLAN_ID) ? pkt->vlan_id : UINT16_MAX;
    key->vlan_outer = pkt->present & NF_BIT(VLAN_OUTER_ID) ? pkt->vlan_outer_id : UINT16_MAX;
    key->tunnel_id = pkt->present & NF_BIT(TUNNEL_ID) ? pkt->tunnel_id : UINT64_MAX;
    key->tunnel_type = pkt->present & NF_BIT(TUNNEL_TYPE) ? pkt->tunnel_type : 0;
    key->tunnel_depth = pkt->tunnel_depth;
}

/* False: its bytes are not all there. */
static bool look_at(const nf_packet *pkt, const uint8_t *data, fragment *fr)
{
    const uint64_t need = NF_BIT(IP_HEADER_LENGTH) | NF_BIT(IP_LENGTH) | NF_BIT(SRC_IP) | NF_BIT(DST_IP) |
                          NF_BIT(IP_ID) | NF_BIT(IP_FLAGS) | NF_BIT(FRAGMENT_OFFSET) | NF_BIT(IP_PROTOCOL);
    const uint8_t *ip = data + pkt->l3_offset;
    size_t at, next;

    if ((pkt->present & need) != need || pkt->ip_length < pkt->ip_header_length ||
        pkt->ip_length > pkt->captured_length || pkt->l3_offset > pkt->captured_length - pkt->ip_length) {
        return false;
    }
    fill_key(pkt, &fr->key);
    fr->header = ip;
    fr->header_size = pkt->ip_header_length;
    if (pkt->ip_version == 6) {
        at = nf_ip6_find_fragment(ip, pkt->ip_header_length, &next);
        if (at == 0 || at + FRAGMENT_BYTES != pkt->ip_header_length || at > MAX_HEADER) {
            return false;
        }
        fr->header_size = (uint32_t)at;
        fr->next_at = (uint32_t)next;
        fr->next = ip[at];
    }
    fr->data = ip + pkt->ip_header_length;
    fr->s = pkt->fragment_offset;
    fr->e = fr->s + (pkt->ip_length - pkt->ip_header_length);
    fr->more = (pkt->ip_flags & NETFEAT_IP_MORE_FRAGMENTS) != 0;
    return true;
}

static void note_oddities(nf_frags *f, const nf_packet *pkt, const fragment *fr)
{
    uint32_t least = pkt->ip_protocol == NF_PROTOCOL_TCP ? 20 : 8;

    if (pkt->ip_version == 4 && (pkt->ip_flags & NETFEAT_IP_DONT_FRAGMENT)) {
        f->totals[NF_TOTAL_FRAGMENT_DONT]++;
    }
    if (fr->s == 0 && fr->e < least) {
        f->totals[NF_TOTAL_FRAGMENT_TINY]++;
    }
}

/* The length is one that a fragment can have. */
static bool check_length(nf_frags *f, const fragment *fr)
{
    uint64_t pos;
    datagram *d;

    if (fr->s == fr->e) {
        f->totals[NF_TOTAL_FRAGMENT_EMPTY]++;
        return false;
    }
    if (fr->more && (fr->e - fr->s) % 8 != 0) {
        f->totals[NF_TOTAL_FRAGMENT_BAD_LENGTH]++;
        return false;
    }
    if (fr->e > MAX_END) {
        f->totals[NF_TOTAL_FRAGMENT_TOO_BIG]++;
        d = find(f, &fr->key, &pos);
        if (d != NULL && !d->dead) {
            drop(f, d, NF_TOTAL_FRAGMENT_DROP_TOO_BIG);
        }
        return false;
    }
    return true;
}

/* The fragments agree about where the datagram ends. */
static bool check_end(const datagram *d, const fragment *fr)
{
    if (!fr->more) {
        return (d->total == 0 || d->total == fr->e) && nf_pieces_end(&d->pieces) <= fr->e;
    }
    return d->total == 0 || fr->e <= d->total;
}

static int keep_header(nf_frags *f, datagram *d, const fragment *fr)
{
    if (fr->s != 0 || d->header != NULL) {
        return NETFEAT_OK;
    }
    d->header = nf_alloc(f->ctx, fr->header_size);
    if (d->header == NULL) {
        return nf_ctx_code(f->ctx);
    }
    d->header_size = fr->header_size;
    f->memory += fr->header_size;
    memcpy(d->header, fr->header, fr->header_size);
    if (d->key.version == 6) {
        d->header[fr->next_at] = fr->next;
    }
    return NETFEAT_OK;
}

/* Bring the header up to date with the whole datagram. False: its length field cannot hold that. */
static bool finish_header(const datagram *d, uint8_t *header)
{
    uint32_t fixed = d->key.version == 6 ? 40 : 0;
    uint32_t length = d->header_size - fixed + d->total;
    uint16_t sum;

    if (length > UINT16_MAX) {
        return false;
    }
    if (d->key.version == 6) {
        header[4] = (uint8_t)(length >> 8);
        header[5] = (uint8_t)length;
        return true;
    }
    header[2] = (uint8_t)(length >> 8);
    header[3] = (uint8_t)length;
    header[6] = header[7] = header[10] = header[11] = 0;
    sum = (uint16_t)~nf_checksum(header, d->header_size, 0);
    header[10] = (uint8_t)(sum >> 8);
    header[11] = (uint8_t)sum;
    return true;
}

static int finish(nf_frags *f, datagram *d, int level, const uint8_t **ret_data, uint32_t *ret_size)
{
    uint32_t size = d->header_size + d->total;
    int code = nf_grow(f->ctx, (void **)&f->whole[level], &f->whole_cap[level], size, 1);

    if (code != 0) {
        return code;
    }
    memcpy(f->whole[level], d->header, d->header_size);
    nf_pieces_copy(&d->pieces, f->whole[level] + d->header_size);
    if (!finish_header(d, f->whole[level])) {
        return drop(f, d, NF_TOTAL_FRAGMENT_DROP_TOO_BIG);
    }
    f->totals[NF_TOTAL_FRAGMENT_OK]++;
    remove_datagram(f, d);
    *ret_data = f->whole[level];
    *ret_size = size;
    return 1;
}

/* 0 to go on, 1 when the fragment is dealt with. */
static int check_overlap(nf_frags *f, datagram *d, const fragment *fr, int policy)
{
    uint64_t conflict;
    uint32_t covered = nf_pieces_overlap(&d->pieces, fr->s, fr->e, fr->data, &conflict);

    if (covered == 0) {
        return 0;
    }
    f->totals[NF_TOTAL_FRAGMENT_OVERLAP]++;
    f->totals[NF_TOTAL_FRAGMENT_CONFLICT_BYTES] += conflict;
    if (policy != NETFEAT_FRAGMENT_DROP) {
        return 0;
    }
    if (covered == fr->e - fr->s) {
        f->totals[NF_TOTAL_FRAGMENT_DUP]++;
    } else {
        drop(f, d, NF_TOTAL_FRAGMENT_DROP_OVERLAP);
    }
    return 1;
}

/* Oldest out until the memory fits. */
static void enforce_memory(nf_frags *f)
{
    if (f->totals[NF_TOTAL_FRAGMENT_BYTES_HIGH] < f->memory) {
        f->totals[NF_TOTAL_FRAGMENT_BYTES_HIGH] = f->memory;
    }
    while (f->memory > f->max_bytes && evict_oldest(f)) {
    }
}

int nf_frags_add(nf_frags *f, const nf_packet *pkt, const uint8_t *data, int64_t now, int level,
                 const uint8_t **ret_data, uint32_t *ret_size)
{
    fragment fr = {.data = NULL};
    uint64_t pos;
    datagram *d;
    int policy, code;

    expire(f, now);
    f->totals[NF_TOTAL_FRAGMENTS]++;
    if (!look_at(pkt, data, &fr)) {
        f->totals[NF_TOTAL_FRAGMENTS_SKIPPED]++;
        return 0;
    }
    note_oddities(f, pkt, &fr);
    if (!check_length(f, &fr)) {
        return 0;
    }
    d = find(f, &fr.key, &pos);
    if (d == NULL && (d = add_datagram(f, &fr.key, now)) == NULL) {
        return nf_ctx_code(f->ctx);
    }
    if (d->dead) {
        f->totals[NF_TOTAL_FRAGMENT_TOMB]++;
        return 0;
    }
    if (!check_end(d, &fr)) {
        return drop(f, d, NF_TOTAL_FRAGMENT_DROP_SIZE);
    }
    policy = fr.key.version == 6 ? NETFEAT_FRAGMENT_DROP : f->policy;
    if (check_overlap(f, d, &fr, policy) != 0) {
        return 0;
    }
    code = keep_header(f, d, &fr);
    code = code != 0 ? code : nf_pieces_add(f->ctx, &d->pieces, fr.s, fr.e, fr.data, policy, &f->memory);
    if (code != 0) {
        return code;
    }
    d->total = fr.more ? d->total : fr.e;
    if (d->pieces.n > f->max_pieces) {
        return drop(f, d, NF_TOTAL_FRAGMENT_DROP_PIECES);
    }
    if (d->total != 0 && nf_pieces_complete(&d->pieces, d->total)) {
        return finish(f, d, level, ret_data, ret_size);
    }
    enforce_memory(f);
    return 0;
}
