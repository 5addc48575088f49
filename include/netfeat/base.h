/* base.h - export macro, must-check, and the names of the opaque handles. */
#ifndef NETFEAT_BASE_H
#define NETFEAT_BASE_H

#include <stddef.h>
#include <stdint.h>

#if defined(NETFEAT_STATIC)
#define NETFEAT_API
#elif defined(_WIN32)
#if defined(NETFEAT_BUILDING)
#define NETFEAT_API __declspec(dllexport)
#else
#define NETFEAT_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define NETFEAT_API __attribute__((visibility("default")))
#else
#define NETFEAT_API
#endif

#if defined(__GNUC__)
#define NETFEAT_MUST_CHECK __attribute__((warn_unused_result))
#else
#define NETFEAT_MUST_CHECK
#endif

#ifdef __cplusplus
#define NETFEAT_BEGIN_DECLS extern "C" {
#define NETFEAT_END_DECLS   }
#else
#define NETFEAT_BEGIN_DECLS
#define NETFEAT_END_DECLS
#endif

typedef struct netfeat_ctx netfeat_ctx;         /* allocator, log, limits, last error; one thread at a time */
typedef struct netfeat_options netfeat_options; /* a bag of checked settings; NULL means all defaults */
typedef struct netfeat_source netfeat_source;   /* where packets come from; one thread at a time */
typedef struct netfeat_column netfeat_column;   /* immutable, reference counted, shareable */
typedef struct netfeat_table netfeat_table;     /* grows until sealed, then immutable and shareable */
/* learns until sealed, then immutable and shareable */
typedef struct netfeat_encoder netfeat_encoder;
/* carries state from batch to batch; one thread at a time */
typedef struct netfeat_accumulator netfeat_accumulator;
/* a list of features; one thread at a time */
typedef struct netfeat_pipeline netfeat_pipeline;
typedef struct netfeat_writer netfeat_writer; /* an open output for tables; one thread at a time */

#endif
