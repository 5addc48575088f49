/* error.h - every fallible call returns int (or int64_t): <0 error, 0 done or nothing, >0 got something.
   The code says what to do; the context holds the message, the packet number, the byte offset and errno. */
#ifndef NETFEAT_ERROR_H
#define NETFEAT_ERROR_H

#include <netfeat/base.h>

NETFEAT_BEGIN_DECLS

enum { /* values never change and are never reused */
       NETFEAT_OK = 0,
       NETFEAT_ERR_NOMEM = -1,       /* the allocator said no */
       NETFEAT_ERR_ARGUMENT = -2,    /* the caller passed something impossible */
       NETFEAT_ERR_STATE = -3,       /* right call, wrong moment (e.g. append after seal) */
       NETFEAT_ERR_IO = -4,          /* a system call failed; see netfeat_ctx_error_errno() */
       NETFEAT_ERR_FORMAT = -5,      /* input bytes are not what they claim to be */
       NETFEAT_ERR_TRUNCATED = -6,   /* input ends in mid record; everything before is usable */
       NETFEAT_ERR_UNSUPPORTED = -7, /* valid, but not handled by this build or version */
       NETFEAT_ERR_LIMIT = -8,       /* a configured limit was reached */
       NETFEAT_ERR_NOTFOUND = -9,    /* no such file, column, option, device or category */
       NETFEAT_ERR_TYPE = -10,       /* the column's or option's type does not fit the operation */
       NETFEAT_ERR_RANGE = -11,      /* index or value out of bounds */
       NETFEAT_ERR_CANCELLED = -12,  /* interrupt, or a callback asked to stop */
       NETFEAT_ERR_PERMISSION = -13, /* the system does not allow it */
       NETFEAT_ERR_INTERNAL = -14    /* a bug in libnetfeat */
};

/* "NOMEM" for NETFEAT_ERR_NOMEM, "OK" for 0, "UNKNOWN" for codes this version does not know. Static string.
 */
NETFEAT_API const char *netfeat_error_name(int code);
/* One English sentence for a code. Static string, never NULL. */
NETFEAT_API const char *netfeat_error_text(int code);
/* Code of the last failed call made with this context or a handle born from it; 0 if none or ctx is NULL. */
NETFEAT_API int netfeat_ctx_error_code(const netfeat_ctx *ctx);
/* One-line message of that failure; "" if none. Borrowed: valid until the next call on the same context. */
NETFEAT_API const char *netfeat_ctx_error_message(const netfeat_ctx *ctx);
/* 1-based packet number where it happened, or -1. */
NETFEAT_API int64_t netfeat_ctx_error_packet(const netfeat_ctx *ctx);
/* Byte offset in the file or buffer where it happened, or -1. */
NETFEAT_API int64_t netfeat_ctx_error_offset(const netfeat_ctx *ctx);
/* errno of the system call behind the failure, else 0. */
NETFEAT_API int netfeat_ctx_error_errno(const netfeat_ctx *ctx);
/* Forget the last failure. */
NETFEAT_API void netfeat_ctx_error_clear(netfeat_ctx *ctx);

NETFEAT_END_DECLS

#endif
