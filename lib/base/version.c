#include <netfeat/version.h>

#include <string.h>

#include "config.h"

#define STRING_(x) #x
#define STRING(x)  STRING_(x)

const char *netfeat_version_string(void)
{
    return STRING(NETFEAT_VERSION_MAJOR) "." STRING(NETFEAT_VERSION_MINOR) "." STRING(NETFEAT_VERSION_PATCH);
}

uint32_t netfeat_version_number(void)
{
    return NETFEAT_VERSION_NUMBER;
}

uint32_t netfeat_abi_version(void)
{
    return NETFEAT_ABI_VERSION;
}

int netfeat_build_has(const char *feature)
{
    static const struct {
        const char *name;
        int has;
    } parts[] = {
        {"filter", 1},        {"live", NF_HAVE_LIVE}, {"zlib", NF_HAVE_ZLIB},   {"zstd", NF_HAVE_ZSTD},
        {"lz4", NF_HAVE_LZ4}, {"xz", NF_HAVE_XZ},     {"bzip2", NF_HAVE_BZIP2}, {"anonymize", NF_HAVE_NETTLE},
    };

    for (size_t i = 0; feature != NULL && i < sizeof parts / sizeof parts[0]; i++) {
        if (strcmp(parts[i].name, feature) == 0) {
            return parts[i].has;
        }
    }
    return 0;
}
