/* Fuzz target: bytes become a packet script (tests/support/random_script.h), which goes through the library and through
   the naive reassembler: the events must be the same. One in four goes through once more while an allocation, chosen
   by a hash of the input, is refused: nothing may break, and what is delivered must still tile. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/context.h"
#include "naive_reassembler.h"
#include "random_script.h"
#include "torture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void differ(const script_case *c, const script_result *r, const char *naive)
{
    script_text dump = {NULL, 0, 0};

    script_dump(c, &dump);
    fprintf(stderr, "code %d, %s\n%s--- library\n%s--- naive\n%s", r->code,
            r->broken != NULL ? r->broken : "", dump.p, r->events.p, naive);
    abort();
}

static void compare(const script_case *c, int mode, uint64_t hash)
{
    netfeat_ctx *ctx = NULL;
    script_text naive = {NULL, 0, 0};
    script_how how = {NULL, mode, hash % 2 == 1, false};
    script_result r;

    naive_run(c, &naive);
    if (netfeat_ctx_new(&ctx) != 0) {
        abort();
    }
    nf_ctx_set_secret_seed(ctx, hash);
    how.ctx = ctx;
    script_run(c, &how, &r);
    if (r.code != 0 || r.broken != NULL || strcmp(naive.p, r.events.p) != 0) {
        differ(c, &r, naive.p);
    }
    script_result_free(&r);
    free(naive.p);
    netfeat_ctx_unref(ctx);
}

static int run_refused(torture *t, void *user)
{
    /* whoever refuses for ever is not asked again */
    script_how how = {NULL, SCRIPT_PACKETS, false, !t->all_from_there};
    netfeat_ctx *ctx = NULL;
    script_result r;
    int code = netfeat_ctx_new_alloc(torture_realloc, t, &ctx);

    if (code != 0) {
        return code;
    }
    how.ctx = ctx;
    script_run(user, &how, &r);
    if (r.broken != NULL && r.code != NETFEAT_ERR_NOMEM) {
        differ(user, &r, "");
    }
    code = r.code;
    script_result_free(&r);
    netfeat_ctx_unref(ctx);
    return code;
}

static void refuse(script_case *c, uint64_t hash)
{
    torture t;
    int code;
    const char *wrong = torture_once(&t, run_refused, c, 2 + hash % 40, hash % 3 == 0, &code);

    if (wrong != NULL) {
        fprintf(stderr, "%s\n", wrong);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    choices from = {data, size, 0};
    bool wild;
    script_case *c;

    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
    }
    wild = choose(&from, 8) != 0;
    c = random_script(&from, wild, 12 + (unsigned)(size < 2000 ? size / 2 : 1000));
    compare(c, hash % 4 == 0 ? SCRIPT_SOURCES(7) : SCRIPT_PACKETS, hash);
    if ((hash >> 32 & 3) == 0) {
        refuse(c, hash);
    }
    script_free(c, 1);
    return 0;
}
