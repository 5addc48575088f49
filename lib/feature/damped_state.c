/* Tables of damped statistics: memory, saving, loading. */
#include <string.h>

#include "feature/damped.h"

/* Key lengths of profile 0; profile 1 has texts. */
enum { HOST = 17, MAC_HOST = 7 + HOST, SOCKET = HOST + 3 };

typedef struct {
    const char *name;
    size_t offset;
    size_t key;
} table_def;

static const table_def stream_defs[] = {
    {"mi", offsetof(nf_damped, mi), MAC_HOST},
    {"host", offsetof(nf_damped, host), HOST},
    {"jitter", offsetof(nf_damped, jitter), 2 * HOST},
    {"socket", offsetof(nf_damped, socket), SOCKET},
};
static const table_def pair_defs[] = {
    {"hosts", offsetof(nf_damped, hosts), 2 * HOST},
    {"sockets", offsetof(nf_damped, sockets), 2 * SOCKET},
};

enum {
    N_STREAMS = sizeof stream_defs / sizeof stream_defs[0],
    N_PAIRS = sizeof pair_defs / sizeof pair_defs[0]
};

static nf_stream_table *stream_table(const nf_step *step, int i)
{
    return (nf_stream_table *)(void *)((char *)step->state + stream_defs[i].offset);
}

static nf_pair_table *pair_table(const nf_step *step, int i)
{
    return (nf_pair_table *)(void *)((char *)step->state + pair_defs[i].offset);
}

void nf_damped_init_tables(nf_step *step)
{
    const nf_damped *s = step->state;
    int64_t limit = nf_step_option(step, NETFEAT_OPT_FEATURE_DAMPED_STREAMS);

    for (int i = 0; i < N_STREAMS; i++) {
        nf_groups_init_bytes(&stream_table(step, i)->groups, step->ctx, s->kitsune ? 0 : stream_defs[i].key,
                             !s->kitsune, limit);
    }
    for (int i = 0; i < N_PAIRS; i++) {
        nf_groups_init_bytes(&pair_table(step, i)->groups, step->ctx, s->kitsune ? 0 : pair_defs[i].key,
                             !s->kitsune, limit);
    }
}

void nf_damped_free_tables(nf_step *step)
{
    for (int i = 0; i < N_STREAMS; i++) {
        nf_stream_table *t = stream_table(step, i);
        nf_groups_free(&t->groups);
        nf_free(step->ctx, t->streams, t->cap * sizeof *t->streams);
        nf_free(step->ctx, t->lists, t->lists_cap * sizeof *t->lists);
    }
    for (int i = 0; i < N_PAIRS; i++) {
        nf_pair_table *t = pair_table(step, i);
        nf_groups_free(&t->groups);
        nf_free(step->ctx, t->pairs, t->cap * sizeof *t->pairs);
        nf_free(step->ctx, t->links, t->links_cap * sizeof *t->links);
    }
}

int nf_damped_stream_room(netfeat_ctx *ctx, nf_stream_table *t, bool lists)
{
    void *p = t->streams;
    int code = nf_grow(ctx, &p, &t->cap, t->groups.count, sizeof *t->streams);

    t->streams = p;
    if (code == 0 && lists) {
        p = t->lists;
        code = nf_grow(ctx, &p, &t->lists_cap, t->groups.count, sizeof *t->lists);
        t->lists = p;
    }
    return code;
}

int nf_damped_pair_room(netfeat_ctx *ctx, nf_pair_table *t, bool links)
{
    void *p = t->pairs;
    int code = nf_grow(ctx, &p, &t->cap, t->groups.count, sizeof *t->pairs);

    t->pairs = p;
    if (code == 0 && links) {
        p = t->links;
        code = nf_grow(ctx, &p, &t->links_cap, t->groups.count, sizeof *t->links);
        t->links = p;
    }
    return code;
}

int64_t nf_damped_count(const nf_step *step, int which)
{
    uint64_t keys = 0, evicted = 0;

    for (int i = 0; i < N_STREAMS + N_PAIRS; i++) {
        const nf_groups *g =
            i < N_STREAMS ? &stream_table(step, i)->groups : &pair_table(step, i - N_STREAMS)->groups;
        keys += g->count;
        evicted += g->evicted;
    }
    switch (which) {
    case NETFEAT_COUNT_KEYS:
        return (int64_t)keys;
    case NETFEAT_COUNT_EVICTED:
        return (int64_t)evicted;
    default:
        return 0;
    }
}

/* ---- saving: every state is a run of 64-bit words, links are 32-bit ones ---- */

#define WORDS(type)  (sizeof(type) / sizeof(uint64_t))
#define HALVES(type) (sizeof(type) / sizeof(uint32_t))

int nf_damped_save(const nf_step *step, nf_state_writer *w)
{
    const nf_damped *s = step->state;
    int code = NETFEAT_OK;

    for (int i = 0; code == 0 && i < N_STREAMS; i++) {
        const nf_stream_table *t = stream_table(step, i);
        const char *name = stream_defs[i].name;
        code = nf_groups_save(&t->groups, w, name);
        code = code != 0 ? code
                         : nf_state_put(w, name, "state", NETFEAT_TYPE_U64, t->streams,
                                        t->groups.count * WORDS(nf_damped_stream));
        if (code == 0 && s->kitsune) {
            code = nf_state_put(w, name, "lists", NETFEAT_TYPE_U32, t->lists,
                                t->groups.count * HALVES(nf_damped_list));
        }
    }
    for (int i = 0; code == 0 && i < N_PAIRS; i++) {
        const nf_pair_table *t = pair_table(step, i);
        const char *name = pair_defs[i].name;
        code = nf_groups_save(&t->groups, w, name);
        code = code != 0 ? code
                         : nf_state_put(w, name, "state", NETFEAT_TYPE_U64, t->pairs,
                                        t->groups.count * WORDS(nf_damped_pair));
        if (code == 0 && s->kitsune) {
            code = nf_state_put(w, name, "links", NETFEAT_TYPE_U32, t->links,
                                t->groups.count * HALVES(nf_damped_link));
        }
    }
    return code;
}

/* An array of `words` elements of `type` for each of count groups, into memory that is there. */
static int load_array(nf_state_reader *r, const char *name, const char *item, int type, size_t each,
                      uint32_t count, void *to)
{
    const uint8_t *data;
    int64_t n = (int64_t)(each * count);
    int code = nf_state_get(r, name, item, type, &n, &data);

    if (code == 0 && n > 0) {
        memcpy(to, data, (size_t)n * (size_t)nf_type_width(type));
    }
    return code;
}

static int load_streams(nf_step *step, nf_state_reader *r, int i)
{
    const nf_damped *s = step->state;
    nf_stream_table *t = stream_table(step, i);
    const char *name = stream_defs[i].name;
    int code = nf_groups_load(&t->groups, r, name);

    code = code != 0 ? code : nf_damped_stream_room(step->ctx, t, s->kitsune);
    code = code != 0 ? code
                     : load_array(r, name, "state", NETFEAT_TYPE_U64, WORDS(nf_damped_stream),
                                  t->groups.count, t->streams);
    if (code == 0 && s->kitsune) {
        code =
            load_array(r, name, "lists", NETFEAT_TYPE_U32, HALVES(nf_damped_list), t->groups.count, t->lists);
    }
    return code;
}

static int load_pairs(nf_step *step, nf_state_reader *r, int i)
{
    const nf_damped *s = step->state;
    nf_pair_table *t = pair_table(step, i);
    const char *name = pair_defs[i].name;
    int code = nf_groups_load(&t->groups, r, name);

    code = code != 0 ? code : nf_damped_pair_room(step->ctx, t, s->kitsune);
    code = code != 0 ? code
                     : load_array(r, name, "state", NETFEAT_TYPE_U64, WORDS(nf_damped_pair), t->groups.count,
                                  t->pairs);
    if (code == 0 && s->kitsune) {
        code =
            load_array(r, name, "links", NETFEAT_TYPE_U32, HALVES(nf_damped_link), t->groups.count, t->links);
    }
    return code;
}

/* Pairs only refer to pairs that came later, so that no list is a circle; and to streams that exist. */
static bool are_links(const nf_stream_table *streams, const nf_pair_table *pairs)
{
    uint32_t n = pairs->groups.count;

    for (uint32_t i = 0; i < streams->groups.count; i++) {
        if (streams->lists[i].first > n || streams->lists[i].last > n ||
            (streams->lists[i].first == 0) != (streams->lists[i].last == 0)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        const nf_damped_link *l = &pairs->links[i];
        for (int k = 0; k < 2; k++) {
            if (l->stream[k] >= streams->groups.count || l->next[k] > n ||
                (l->next[k] != 0 && l->next[k] <= i + 1)) {
                return false;
            }
        }
    }
    return true;
}

int nf_damped_load(nf_step *step, nf_state_reader *r)
{
    const nf_damped *s = step->state;
    int code = NETFEAT_OK;

    for (int i = 0; code == 0 && i < N_STREAMS; i++) {
        code = load_streams(step, r, i);
    }
    for (int i = 0; code == 0 && i < N_PAIRS; i++) {
        code = load_pairs(step, r, i);
    }
    if (code == 0 && s->kitsune && (!are_links(&s->host, &s->hosts) || !are_links(&s->socket, &s->sockets))) {
        code = nf_state_bad(r, "links of pairs");
    }
    return code;
}
