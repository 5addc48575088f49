#include "flow/fragments.h"

#include <string.h>

#include "base/hash.h"

typedef struct {
    nf_flow_key key;   /* of the first fragment, as its sender sees it */
    uint64_t position; /* its place in the input */
    uint32_t ip_id;
    uint32_t tag; /* upper half of the hash */
} fragment;
_Static_assert(sizeof(fragment) == NF_FRAGMENT_BYTES, "fragments have no padding");

/* By age, that of the latest first fragment: what is remembered depends on the last `max` datagrams alone, and shards can
   be merged. */
typedef struct {
    uint32_t older, younger;
} age_link;

struct nf_fragments {
    nf_map map;
    uint32_t max;
    uint32_t count;
    uint32_t oldest, youngest;
    size_t cap, links_cap;
    fragment *list;
    age_link *links;
};

int nf_fragments_new(netfeat_ctx *ctx, uint32_t max, nf_fragments **ret)
{
    nf_fragments *fr = nf_alloc_zero(ctx, sizeof *fr);

    if (fr == NULL) {
        return nf_ctx_code(ctx);
    }
    fr->max = max;
    fr->oldest = fr->youngest = NF_MAP_NONE;
    *ret = fr;
    return NETFEAT_OK;
}

void nf_fragments_free(netfeat_ctx *ctx, nf_fragments *fr)
{
    if (fr != NULL) {
        nf_map_free(ctx, &fr->map);
        nf_free(ctx, fr->list, fr->cap * sizeof *fr->list);
        nf_free(ctx, fr->links, fr->links_cap * sizeof *fr->links);
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

static uint32_t find(const nf_fragments *fr, const nf_flow_key *key, uint32_t ip_id, uint64_t hash)
{
    uint64_t pos = nf_map_start(&fr->map, hash);
    uint32_t index;

    for (; (index = nf_map_next(&fr->map, hash, &pos)) != NF_MAP_NONE; pos++) {
        if (same_datagram(&fr->list[index], key, ip_id)) {
            return index;
        }
    }
    return NF_MAP_NONE;
}

static void leave(nf_fragments *fr, uint32_t index)
{
    age_link l = fr->links[index];

    *(l.older != NF_MAP_NONE ? &fr->links[l.older].younger : &fr->oldest) = l.younger;
    *(l.younger != NF_MAP_NONE ? &fr->links[l.younger].older : &fr->youngest) = l.older;
}

static void become_youngest(nf_fragments *fr, uint32_t index)
{
    fr->links[index].older = fr->youngest;
    fr->links[index].younger = NF_MAP_NONE;
    *(fr->youngest != NF_MAP_NONE ? &fr->links[fr->youngest].younger : &fr->oldest) = index;
    fr->youngest = index;
}

static void forget(nf_fragments *fr, uint32_t index)
{
    uint64_t hash = (uint64_t)fr->list[index].tag << 32;
    uint64_t pos = nf_map_start(&fr->map, hash);

    while (nf_map_next(&fr->map, hash, &pos) != index) {
        pos++;
    }
    nf_map_remove(&fr->map, pos);
    leave(fr, index);
}

/* Room for one more before anything changes. */
static int make_room(netfeat_ctx *ctx, nf_fragments *fr)
{
    void *list = fr->list, *links = fr->links;
    int code = nf_map_ready(ctx, &fr->map);

    if (code == 0 && fr->count < fr->max) {
        code = nf_grow(ctx, &list, &fr->cap, fr->count + 1, sizeof *fr->list);
        fr->list = list;
        code = code != 0 ? code : nf_grow(ctx, &links, &fr->links_cap, fr->count + 1, sizeof *fr->links);
        fr->links = links;
    }
    return code;
}

/* The place of a datagram that is not there yet: a new one, or that of the oldest. */
static uint32_t take_place(nf_fragments *fr)
{
    uint32_t index = fr->oldest;

    if (fr->count < fr->max) {
        return fr->count++;
    }
    forget(fr, index);
    return index;
}

static int remember(netfeat_flows *fl, const fragment *first)
{
    nf_fragments *fr = fl->fragments;
    uint64_t hash = hash_datagram(fl, &first->key, first->ip_id);
    uint32_t index = find(fr, &first->key, first->ip_id, hash);

    if (index != NF_MAP_NONE) { /* the number is used again */
        leave(fr, index);
    } else {
        int code = make_room(fl->ctx, fr);
        if (code != 0) {
            return code;
        }
        index = take_place(fr);
        nf_map_insert(&fr->map, hash, index);
    }
    fr->list[index] = *first;
    fr->list[index].tag = (uint32_t)(hash >> 32);
    become_youngest(fr, index);
    return NETFEAT_OK;
}

int nf_fragments_assign(netfeat_flows *fl, nf_flow_packet *p)
{
    uint32_t index;

    if (!p->fragment) {
        fragment first = {.key = p->key, .position = p->position, .ip_id = p->ip_id};
        return (p->ip_flags & NETFEAT_IP_MORE_FRAGMENTS) != 0 ? remember(fl, &first) : NETFEAT_OK;
    }
    index = find(fl->fragments, &p->key, p->ip_id, hash_datagram(fl, &p->key, p->ip_id));
    if (index != NF_MAP_NONE) {
        p->key = fl->fragments->list[index].key;
    } else {
        p->key.kind = NF_KEY_FRAGMENT;
    }
    return NETFEAT_OK;
}

uint32_t nf_fragments_next(const nf_fragments *fr, uint32_t index)
{
    if (fr == NULL) {
        return NF_MAP_NONE;
    }
    return index != NF_MAP_NONE ? fr->links[index].younger : fr->oldest;
}

uint64_t nf_fragments_position(const nf_fragments *fr, uint32_t index)
{
    return fr->list[index].position;
}

void nf_fragments_save(const nf_fragments *fr, uint32_t index, uint8_t ret[NF_FRAGMENT_BYTES])
{
    fragment e = fr->list[index];

    e.tag = 0; /* of this context's secret */
    memcpy(ret, &e, sizeof e);
}

int nf_fragments_load(netfeat_flows *fl, const uint8_t bytes[NF_FRAGMENT_BYTES])
{
    fragment e;

    memcpy(&e, bytes, sizeof e);
    return remember(fl, &e);
}
