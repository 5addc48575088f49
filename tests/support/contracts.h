/* For static analysers, which see one file at a time: what functions of other files promise. Included in front of every
   file by tests/deep.sh analyzer. */
#include "base/context.h"

/* never 0 */
static inline int contract_ctx_code(const netfeat_ctx *ctx)
{
    int code = (nf_ctx_code)(ctx);

    if (code >= 0) {
        __builtin_unreachable();
    }
    return code;
}
#define nf_ctx_code(ctx) contract_ctx_code(ctx)
