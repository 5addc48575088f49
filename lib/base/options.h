/* options.h - reading options inside the library, where the key is known to exist and to be a number. */
#ifndef NF_BASE_OPTIONS_H
#define NF_BASE_OPTIONS_H

#include <netfeat/options.h>

#include <assert.h>

static inline int64_t nf_option(const netfeat_options *opts, int key)
{
    int64_t value = 0;
    int code = netfeat_options_get_int(opts, key, &value);
    assert(code == 0);
    (void)code;
    return value;
}

#endif
