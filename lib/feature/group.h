/* group.h - rows to dense numbers of their keys, in order of first appearance; the numbers carry over from batch
   to batch. Results never depend on the hash: only numbers come out. */
#ifndef NF_FEATURE_GROUP_H
#define NF_FEATURE_GROUP_H

#include <stdbool.h>

#include "base/probe.h"
#include "feature/feature.h"

#define NF_GROUP_NONE UINT32_MAX /* a key is NULL, or (look-up) the keys are unknown */
#define NF_GROUP_FRESH                                                                                       \
    UINT32_C(0x80000000) /* on top of the number: first row of these keys, state is not set */
#define NF_GROUP_ID(x) ((x) & ~NF_GROUP_FRESH) /* of anything but NONE */

typedef struct {
    netfeat_ctx *ctx;             /* borrowed */
    int n;                        /* key columns; 0: the whole table is one group */
    int types[NF_INPUTS_MAX + 1]; /* windows put one more in front */
    bool null_is_key;
    bool evict;
    bool
        drop; /* instead of LIMIT, new keys get NF_GROUP_NONE and are counted as evicted; keys of 6 bytes or more */
    uint32_t limit;

    nf_map map;
    uint32_t count;
    uint32_t null_id; /* one key column: the group of NULL, or NF_GROUP_NONE */
    size_t stride;    /* bytes of a key, 0 when they differ */
    uint8_t *keys;
    size_t keys_used, keys_cap;
    uint64_t *ends; /* stride 0: end of each key in keys */
    size_t ends_cap;
    uint32_t *direct; /* one key column of 1, 2 or 4 bytes: small values to numbers without hashing */
    size_t direct_n;
    uint32_t same;    /* 4 bytes: values below this are their own numbers */
    uint8_t *touched; /* evict: seen since the hand passed */
    size_t touched_cap;
    uint32_t hand;
    uint64_t evicted;
    uint64_t hashes[NF_PROBE_LANES]; /* of the rows under way */
    bool clean; /* no NONE in the block assigned last, and FRESH only on numbers never given before */
    uint8_t *scratch;
    size_t scratch_cap;
} nf_groups;

/* Types of the key columns are checked (TYPE: LIST; text together with evict). Zeroed memory is valid to free. */
int nf_groups_init(nf_groups *g, netfeat_ctx *ctx, const int *types, int n, bool null_is_key, bool evict,
                   int64_t limit);
/* Keys are plain bytes of one length, given with nf_groups_put(). */
void nf_groups_init_bytes(nf_groups *g, netfeat_ctx *ctx, size_t stride, bool evict, int64_t limit);
void nf_groups_free(nf_groups *g);

/* Numbers of rows first .. first + n - 1, n <= NF_BLOCK; new keys get new ones. LIMIT, NOMEM. A number may be
   given to other keys in the middle of a block when keys are evicted: take the rows in order. */
int nf_groups_assign(nf_groups *g, netfeat_column *const *cols, int64_t first, int n, uint32_t *ids);
/* The same without learning; safe for any number of threads when `scratch` is the caller's. Types were checked.
   Unknown keys give NF_GROUP_NONE. NOMEM (long texts). */
int nf_groups_look_up(netfeat_ctx *ctx, const nf_groups *g, netfeat_column *const *cols, int64_t first, int n,
                      uint32_t *ids);
/* Number of a key given as bytes. */
int nf_groups_put(nf_groups *g, const void *key, size_t size, uint32_t *ret);
/* The key of a group as bytes: the value, or (more columns, text) for each column 1, its bytes, or a length of
   four bytes and the text; 0 for NULL. */
const uint8_t *nf_groups_key(const nf_groups *g, uint32_t id, size_t *ret_size);
/* Ascending order of keys, column by column; NULL comes first. For qsort-like use. */
int nf_groups_compare(const nf_groups *g, uint32_t a, uint32_t b);
/* Key column `k` of the groups ids[0 .. n) as a column. */
int nf_groups_column(const nf_groups *g, netfeat_ctx *ctx, int k, const uint32_t *ids, size_t n,
                     netfeat_column **ret);
/* Number in g of group `id` of other, which has the same key types. */
int nf_groups_adopt(nf_groups *g, const nf_groups *other, uint32_t id, uint32_t *ret);

/* Keys to and from state columns "<prefix>.keys" and so on; the order of the numbers is kept. */
int nf_groups_save(const nf_groups *g, nf_state_writer *w, const char *prefix);
int nf_groups_load(nf_groups *g, nf_state_reader *r, const char *prefix);

/* Words 0 and 1 of a key, whose order as numbers is that of nf_groups_compare(). For one key column of fixed width. */
bool nf_groups_has_words(const nf_groups *g);
uint64_t nf_groups_word(const nf_groups *g, uint32_t id, int which);
/* ids[0 .. n) in ascending order of word(user, id), equal ones as they were. NOMEM, LIMIT. */
typedef uint64_t (*nf_word_fn)(const void *user, uint32_t id);
int nf_sort_by_word(netfeat_ctx *ctx, uint32_t *ids, size_t n, nf_word_fn word, const void *user);
/* ids[0 .. n) sorted; less(user, a, b) is a strict order. No recursion, no allocation but `tmp`, n long. */
typedef bool (*nf_less_fn)(const void *user, uint32_t a, uint32_t b);
void nf_sort_ids(uint32_t *ids, uint32_t *tmp, size_t n, nf_less_fn less, const void *user);

#endif
