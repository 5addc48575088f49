/* version.h - of these headers (macros) and of the library that is running (functions). */
#ifndef NETFEAT_VERSION_H
#define NETFEAT_VERSION_H

#include <netfeat/base.h>

#define NETFEAT_VERSION_MAJOR 0
#define NETFEAT_VERSION_MINOR 1
#define NETFEAT_VERSION_PATCH 0
#define NETFEAT_VERSION_NUMBER                                                                               \
    ((NETFEAT_VERSION_MAJOR << 16) | (NETFEAT_VERSION_MINOR << 8) | NETFEAT_VERSION_PATCH)
/* Becomes the soname; changes only when a program built against an older header could break. */
#define NETFEAT_ABI_VERSION 0

NETFEAT_BEGIN_DECLS

/* "0.1.0" of the running library. Static string, never NULL. */
NETFEAT_API const char *netfeat_version_string(void);
/* 0x00MMmmpp of the running library; compare with NETFEAT_VERSION_NUMBER. */
NETFEAT_API uint32_t netfeat_version_number(void);
/* ABI number of the running library; equals NETFEAT_ABI_VERSION of the header it was built from. */
NETFEAT_API uint32_t netfeat_abi_version(void);
/* 1 if this build has the optional part ("filter", "live", "zlib", "zstd", "lz4", "xz", "bzip2", "anonymize"), 0 if
   not, unknown or NULL. */
NETFEAT_API int netfeat_build_has(const char *feature);

NETFEAT_END_DECLS

#endif
