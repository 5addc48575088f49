#include "flow/fragments.h"

#include <string.h>

#include "base/hash.h"

typedef struct {
    nf_flow_key key; /* of the first fragment, as its sender sees it */
    uint32_t ip_id;
    uint32_t tag; /* upper half of the hash */
    uint32_t in_use;
    uint32_t reserved;
} fragment;
_Static_assert(sizeof(fragment) == NF_FRAGMENT_BYTES, "fragments have no padding");

/* A ring: entries before `next` are younger, the one at `next` is the oldest once the ring is full. */
struct nf_fragments {
    nf_map map;
    uint32_t max;
    uint32_t next;
    uint32_t count;
    size_t cap;
    fragment *ring;
};

int nf_fragments_new(netfeat_ctx *ctx, uint32_t max, nf_fragments **ret)
{
    nf_fragments *fr = nf_alloc_zero(ctx, sizeof *fr);

    if (fr == NULL) {
        return nf_ctx_code(ctx);
    }
    fr->max = max;
    *ret = fr;
    return NETFEAT_OK;
}

void nf_fragments_free(netfeat_ctx *ctx, nf_fragments *fr)
{
    if (fr != NULL) {
        nf_map_free(ctx, &fr->map);
        nf_free(ctx, fr->ring, fr->cap * sizeof *fr->ring);
        nf_free(ctx, fr, sizeof *fr);
    }
}

uint32_t nf_fragments_count(const nf_fragments *fr)
{
    return fr != NULL ? fr->count : 0;
}

/* Everything but the ports says that two fragments are of one datagram. */
static bool same_datagram(const fragment *e, const nf_flow_key *key, uint32_t ip_id)
{
    return e->ip_id == ip_id && memcmp(e->key.ip, key->ip, sizeof key->ip) == 0 &&
           e->key.protocol == key->protocol && e->key.tunnel_id == key->tunnel_id &&
           e->key.interface_id == key->interface_id && e->key.vlan_id == key->vlan_id &&
           e->key.tunnel_type == key->tunnel_type && e->key.extra == key->extra;
}

static uint64_t hash_datagram(const netfeat_flows *fl, const nf_flow_key *key, uint32_t ip_id)
{
    uint8_t bytes[40] = {0};

    memcpy(bytes, key->ip, 32);
    memcpy(bytes + 32, &ip_id, sizeof ip_id);
    bytes[36] = key->protocol;
    return nf_hash(nf_ctx_secret(fl->ctx), bytes, sizeof bytes);
}

static fragment *find(nf_fragments *fr, const nf_flow_key *key, uint32_t ip_id, uint64_t hash)
{
    uint64_t pos = nf_map_start(&fr->map, hash);
    uint32_t index;

    for (; (index = nf_map_next(&fr->map, hash, &pos)) != NF_MAP_NONE; pos++) {
        if (same_datagram(&fr->ring[index], key, ip_id)) {
            return &fr->ring[index];
        }
    }
    return NULL;
}

static void forget(nf_fragments *fr, uint32_t index)
{
    uint64_t hash = (uint64_t)fr->ring[index].tag << 32;
    uint64_t pos = nf_map_start(&fr->map, hash);

    while (nf_map_next(&fr->map, hash, &pos) != index) {
        pos++;
    }
    nf_map_remove(&fr->map, pos);
    fr->ring[index].in_use = 0;
    fr->count--;
}

/* Room for one more before anything changes. */
static int make_room(netfeat_ctx *ctx, nf_fragments *fr)
{
    int code = nf_map_ready(ctx, &fr->map);

    if (code == 0 && fr->next == fr->cap && fr->cap < fr->max) {
        size_t want = fr->cap < 32 ? 64 : 2 * fr->cap;
        fragment *p;
        want = want < fr->max ? want : fr->max;
        p = nf_resize(ctx, fr->ring, fr->cap * sizeof *p, want * sizeof *p);
        if (p == NULL) {
            return nf_ctx_code(ctx);
        }
        memset(p + fr->cap, 0, (want - fr->cap) * sizeof *p);
        fr->ring = p;
        fr->cap = want;
    }
    return code;
}

static int remember(netfeat_flows *fl, const nf_flow_key *key, uint32_t ip_id)
{
    nf_fragments *fr = fl->fragments;
    uint64_t hash = hash_datagram(fl, key, ip_id);
    fragment *e = find(fr, key, ip_id, hash);
    int code;

    if (e != NULL) { /* the number is used again */
        e->key = *key;
        return NETFEAT_OK;
    }
    code = make_room(fl->ctx, fr);
    if (code != 0) {
        return code;
    }
    if (fr->next == fr->max) {
        fr->next = 0;
    }
    e = &fr->ring[fr->next];
    if (e->in_use != 0) {
        forget(fr, fr->next);
    }
    memset(e, 0, sizeof *e);
    e->key = *key;
    e->ip_id = ip_id;
    e->tag = (uint32_t)(hash >> 32);
    e->in_use = 1;
    nf_map_insert(&fr->map, hash, fr->next);
    fr->next++;
    fr->count++;
    return NETFEAT_OK;
}

int nf_fragments_assign(netfeat_flows *fl, nf_flow_packet *p)
{
    fragment *e;

    if (!p->fragment) {
        return (p->ip_flags & NETFEAT_IP_MORE_FRAGMENTS) != 0 ? remember(fl, &p->key, p->ip_id) : NETFEAT_OK;
    }
    e = find(fl->fragments, &p->key, p->ip_id, hash_datagram(fl, &p->key, p->ip_id));
    if (e != NULL) {
        p->key = e->key;
    } else {
        p->key.kind = NF_KEY_FRAGMENT;
    }
    return NETFEAT_OK;
}

void nf_fragments_save(const nf_fragments *fr, uint32_t i, uint8_t ret[NF_FRAGMENT_BYTES])
{
    bool wrapped = fr->count == fr->max;
    fragment e = fr->ring[wrapped ? (fr->next + i) % fr->max : i];

    e.tag = 0; /* of this context's secret */
    memcpy(ret, &e, sizeof e);
}

int nf_fragments_load(netfeat_flows *fl, const uint8_t bytes[NF_FRAGMENT_BYTES])
{
    fragment e;

    memcpy(&e, bytes, sizeof e);
    return remember(fl, &e.key, e.ip_id);
}
