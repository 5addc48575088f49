/* Where flows live: entries by number, an index of the open ones by key, and three chains through one array of
   links: open flows by last packet, ended flows in order of ending, free entries. */
#include <assert.h>
#include <string.h>

#include "flow/flow.h"

void nf_flow_slots_free(netfeat_flows *fl)
{
    nf_entries_free(fl->ctx, &fl->entries);
    nf_free(fl->ctx, fl->links, fl->links_cap * sizeof *fl->links);
    nf_map_free(fl->ctx, &fl->map);
    fl->links = NULL;
    fl->links_cap = 0;
}

/* How many entries there may be: as many as may be open; beyond that only flows that ended and wait need room, an
   eighth at a time, for which the budget leaves space. */
static size_t most_entries(const netfeat_flows *fl)
{
    size_t most = fl->config.max_open;
    size_t cap = fl->entries.cap;

    if (cap >= most) {
        most = cap + (most / 8 > 64 ? most / 8 : 64);
    }
    return most < NF_MAP_NONE ? most : NF_MAP_NONE - 1;
}

/* A link for each entry, and for a quarter more while there may be more. */
static int grow_links(netfeat_flows *fl, size_t want, size_t most)
{
    size_t cap = want + want / 4 < most ? want + want / 4 : most;
    void *p;

    cap = cap > want ? cap : want;
    p = nf_resize(fl->ctx, fl->links, fl->links_cap * sizeof *fl->links, cap * sizeof *fl->links);
    if (p == NULL) {
        return nf_ctx_code(fl->ctx);
    }
    fl->links = p;
    fl->links_cap = cap;
    return NETFEAT_OK;
}

static int grow(netfeat_flows *fl)
{
    size_t cap = fl->entries.cap;
    size_t most = most_entries(fl);
    int code;

    if (most <= cap) {
        return nf_error(fl->ctx, NETFEAT_ERR_LIMIT, "too many flows: %zu", cap);
    }
    code = fl->used < cap ? NETFEAT_OK : nf_entries_grow(fl->ctx, &fl->entries, cap + 1, most);
    if (code == 0 && fl->entries.cap > fl->links_cap) {
        code = grow_links(fl, fl->entries.cap, most); /* also when it failed the last time */
    }
    return code;
}

int nf_flow_slots_ready(netfeat_flows *fl)
{
    int code = nf_map_ready(fl->ctx, &fl->map);

    if (code == 0 && fl->free == NF_MAP_NONE && (fl->used == fl->entries.cap || fl->used == fl->links_cap)) {
        code = grow(fl);
    }
    return code;
}

uint32_t nf_flow_find(const netfeat_flows *fl, const nf_flow_key *key, uint64_t hash)
{
    uint64_t pos = nf_map_start(&fl->map, hash);
    uint32_t index;

    for (; (index = nf_map_next(&fl->map, hash, &pos)) != NF_MAP_NONE; pos++) {
        if (nf_key_equal(nf_flow_key_of(nf_flow_at(fl, index)), key, fl->config.key_bytes)) {
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
        assert(fl->used < fl->entries.cap && fl->used < fl->links_cap);
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
