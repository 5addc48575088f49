/* Where flows live: a dense array of entries, an index of the open ones by key, and three chains through one
   array of links: open flows by last packet, ended flows in order of ending, free entries. */
#include <assert.h>
#include <string.h>

#include "flow/flow.h"

void nf_flow_slots_free(netfeat_flows *fl)
{
    nf_free(fl->ctx, fl->entries, fl->cap * fl->config.stride);
    nf_free(fl->ctx, fl->links, fl->links_cap * sizeof *fl->links);
    nf_map_free(fl->ctx, &fl->map);
    fl->entries = NULL;
    fl->links = NULL;
    fl->cap = fl->links_cap = 0;
}

/* Double while small, then by a sixteenth, up to what may be open; beyond that only flows that ended and wait
   need room: an eighth at a time, for which the budget leaves space. */
static size_t next_capacity(const netfeat_flows *fl)
{
    size_t most = fl->config.max_open;
    size_t cap = fl->cap;
    size_t step = cap * fl->config.stride > ((size_t)4 << 20) ? cap / 16 : cap;
    size_t want = cap + (step > 64 ? step : 64);

    if (cap >= most) {
        want = cap + (most / 8 > 64 ? most / 8 : 64);
    } else if (want > most) {
        want = most;
    }
    return want < NF_MAP_NONE ? want : NF_MAP_NONE - 1;
}

static int grow(netfeat_flows *fl)
{
    size_t want = next_capacity(fl);
    void *p;

    if (want <= fl->cap) {
        return nf_error(fl->ctx, NETFEAT_ERR_LIMIT, "too many flows: %zu", fl->cap);
    }
    if (want > fl->links_cap) {
        p = nf_resize(fl->ctx, fl->links, fl->links_cap * sizeof *fl->links, want * sizeof *fl->links);
        if (p == NULL) {
            return nf_ctx_code(fl->ctx);
        }
        fl->links = p;
        fl->links_cap = want;
    }
    p = nf_resize(fl->ctx, fl->entries, fl->cap * fl->config.stride, want * fl->config.stride);
    if (p == NULL) {
        return nf_ctx_code(fl->ctx);
    }
    fl->entries = p;
    fl->cap = want;
    return NETFEAT_OK;
}

int nf_flow_slots_ready(netfeat_flows *fl)
{
    int code = nf_map_ready(fl->ctx, &fl->map);

    if (code == 0 && fl->free == NF_MAP_NONE && fl->used == fl->cap) {
        code = grow(fl);
    }
    return code;
}

uint32_t nf_flow_find(const netfeat_flows *fl, const nf_flow_key *key, uint64_t hash)
{
    uint64_t pos = nf_map_start(&fl->map, hash);
    uint32_t index;

    for (; (index = nf_map_next(&fl->map, hash, &pos)) != NF_MAP_NONE; pos++) {
        if (nf_flow_has_key(&fl->config, nf_flow_at(fl, index), key)) {
            return index;
        }
    }
    return NF_MAP_NONE;
}

static void append_open(netfeat_flows *fl, uint32_t index)
{
    fl->links[index].prev = fl->open_last;
    fl->links[index].next = NF_MAP_NONE;
    if (fl->open_last != NF_MAP_NONE) {
        fl->links[fl->open_last].next = index;
    } else {
        fl->open_first = index;
    }
    fl->open_last = index;
}

static void unlink_open(netfeat_flows *fl, uint32_t index)
{
    nf_flow_link link = fl->links[index];

    if (link.prev != NF_MAP_NONE) {
        fl->links[link.prev].next = link.next;
    } else {
        fl->open_first = link.next;
    }
    if (link.next != NF_MAP_NONE) {
        fl->links[link.next].prev = link.prev;
    } else {
        fl->open_last = link.prev;
    }
}

uint32_t nf_flow_slot_new(netfeat_flows *fl, const nf_flow_key *key, uint64_t hash)
{
    uint32_t index = fl->free;
    nf_flow *f;

    if (index != NF_MAP_NONE) {
        fl->free = fl->links[index].next;
    } else {
        assert(fl->used < fl->cap);
        index = fl->used++;
    }
    f = nf_flow_at(fl, index);
    memset(f, 0, fl->config.clear_bytes);
    memcpy(f + 1, key, fl->config.key_bytes);
    f->tag = (uint32_t)(hash >> 32);
    nf_map_insert(&fl->map, hash, index);
    append_open(fl, index);
    fl->count[NETFEAT_FLOWS_OPEN]++;
    return index;
}

void nf_flow_slot_touch(netfeat_flows *fl, uint32_t index)
{
    if (fl->open_last != index) {
        unlink_open(fl, index);
        append_open(fl, index);
    }
}

static void remove_from_map(netfeat_flows *fl, uint32_t index)
{
    uint64_t hash = (uint64_t)nf_flow_at(fl, index)->tag << 32;
    uint64_t pos = nf_map_start(&fl->map, hash);

    while (nf_map_next(&fl->map, hash, &pos) != index) {
        pos++;
    }
    nf_map_remove(&fl->map, pos);
}

void nf_flow_slot_end(netfeat_flows *fl, uint32_t index)
{
    remove_from_map(fl, index);
    unlink_open(fl, index);
    fl->links[index].next = NF_MAP_NONE;
    if (fl->ended_last != NF_MAP_NONE) {
        fl->links[fl->ended_last].next = index;
    } else {
        fl->ended_first = index;
    }
    fl->ended_last = index;
    fl->count[NETFEAT_FLOWS_OPEN]--;
    fl->count[NETFEAT_FLOWS_WAITING]++;
}

/* The chain as it is, behind that of those that ended before; nobody looks for any of them in the index. */
void nf_flow_slots_end_all(netfeat_flows *fl)
{
    if (fl->open_first == NF_MAP_NONE) {
        return;
    }
    if (fl->ended_last != NF_MAP_NONE) {
        fl->links[fl->ended_last].next = fl->open_first;
    } else {
        fl->ended_first = fl->open_first;
    }
    fl->ended_last = fl->open_last;
    fl->open_first = fl->open_last = NF_MAP_NONE;
    nf_map_clear(&fl->map);
    fl->count[NETFEAT_FLOWS_WAITING] += fl->count[NETFEAT_FLOWS_OPEN];
    fl->count[NETFEAT_FLOWS_OPEN] = 0;
}

void nf_flow_slots_recycle(netfeat_flows *fl)
{
    if (fl->ended_first != NF_MAP_NONE) {
        fl->links[fl->ended_last].next = fl->free;
        fl->free = fl->ended_first;
        fl->ended_first = fl->ended_last = NF_MAP_NONE;
        fl->count[NETFEAT_FLOWS_WAITING] = 0;
    }
    if (fl->count[NETFEAT_FLOWS_OPEN] == 0) { /* nobody left: new flows lie in order again */
        fl->used = 0;
        fl->free = NF_MAP_NONE;
    }
}
