#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* getrandom, strerror_r in its GNU form is avoided below */
#endif
#include "base/context.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/checked.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/recycle.h"
#include "base/ref.h"

#define MESSAGE_BYTES 512

struct netfeat_ctx {
    nf_ref refs;
    netfeat_realloc_fn realloc_fn;
    void *realloc_user;
    bool recycles; /* the allocator is ours: freed blocks may be kept */
    nf_recycler kept;
    _Atomic uint64_t used;
    _Atomic uint64_t peak;
    _Atomic uint64_t limit;
    netfeat_log_fn log_fn;
    void *log_user;
    int log_level;
    netfeat_progress_fn progress_fn;
    void *progress_user;
    _Atomic int interrupted;
    int code;
    int error_number;
    int64_t packet;
    int64_t offset;
    char message[MESSAGE_BYTES];
    uint8_t secret[NF_SECRET_BYTES];
};

static uint64_t mix64(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void nf_ctx_set_secret_seed(netfeat_ctx *ctx, uint64_t seed)
{
    for (size_t i = 0; i < sizeof ctx->secret; i += sizeof seed) {
        uint64_t word = mix64(&seed);
        memcpy(ctx->secret + i, &word, sizeof word);
    }
}

/* The kernel's generator; where it is not to be had, the clock and addresses: weaker, but never a fixed key.
 */
static void choose_secret(netfeat_ctx *ctx)
{
    struct timespec now;

    if (getrandom(ctx->secret, sizeof ctx->secret, GRND_NONBLOCK) == (ssize_t)sizeof ctx->secret) {
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    nf_ctx_set_secret_seed(ctx, (uint64_t)now.tv_nsec * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)now.tv_sec ^
                                    (uint64_t)(uintptr_t)ctx);
}

int netfeat_ctx_new(netfeat_ctx **ret)
{
    return netfeat_ctx_new_alloc(NULL, NULL, ret);
}

int netfeat_ctx_new_alloc(netfeat_realloc_fn fn, void *user, netfeat_ctx **ret)
{
    netfeat_realloc_fn f = fn != NULL ? fn : nf_default_realloc;
    netfeat_ctx *ctx;

    if (ret == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    ctx = f(user, NULL, 0, sizeof *ctx);
    if (ctx == NULL) {
        return NETFEAT_ERR_NOMEM;
    }
    memset(ctx, 0, sizeof *ctx);
    nf_ref_init(&ctx->refs);
    ctx->realloc_fn = f;
    ctx->realloc_user = user;
    ctx->recycles = fn == NULL && !NF_PLAIN_MALLOC;
    atomic_init(&ctx->used, sizeof *ctx);
    atomic_init(&ctx->peak, sizeof *ctx);
    ctx->packet = -1;
    ctx->offset = -1;
    choose_secret(ctx);
    *ret = ctx;
    return NETFEAT_OK;
}

netfeat_ctx *netfeat_ctx_ref(netfeat_ctx *ctx)
{
    if (ctx != NULL) {
        nf_ref_get(&ctx->refs);
    }
    return ctx;
}

netfeat_ctx *netfeat_ctx_unref(netfeat_ctx *ctx)
{
    void *block;
    size_t size;

    if (ctx != NULL && nf_ref_put(&ctx->refs)) {
        while ((block = nf_recycle_drain(&ctx->kept, &size)) != NULL) {
            ctx->realloc_fn(ctx->realloc_user, block, size, 0);
        }
        ctx->realloc_fn(ctx->realloc_user, ctx, sizeof *ctx, 0);
    }
    return NULL;
}

void netfeat_ctx_set_log(netfeat_ctx *ctx, netfeat_log_fn fn, void *user, int max_level)
{
    if (ctx != NULL) {
        ctx->log_fn = fn;
        ctx->log_user = user;
        ctx->log_level = max_level;
    }
}

void netfeat_ctx_set_progress(netfeat_ctx *ctx, netfeat_progress_fn fn, void *user)
{
    if (ctx != NULL) {
        ctx->progress_fn = fn;
        ctx->progress_user = user;
    }
}

void netfeat_ctx_interrupt(netfeat_ctx *ctx)
{
    if (ctx != NULL) {
        atomic_store_explicit(&ctx->interrupted, 1, memory_order_relaxed);
    }
}

int netfeat_ctx_set_memory_limit(netfeat_ctx *ctx, uint64_t bytes)
{
    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    atomic_store_explicit(&ctx->limit, bytes, memory_order_relaxed);
    return NETFEAT_OK;
}

uint64_t netfeat_ctx_memory_used(const netfeat_ctx *ctx)
{
    return ctx != NULL ? atomic_load_explicit(&ctx->used, memory_order_relaxed) : 0;
}

uint64_t netfeat_ctx_memory_peak(const netfeat_ctx *ctx)
{
    return ctx != NULL ? atomic_load_explicit(&ctx->peak, memory_order_relaxed) : 0;
}

/* ---- memory ---- */

/* True when it fits; *ret_before is what was in use. */
static bool charge(netfeat_ctx *ctx, size_t size, uint64_t *ret_before)
{
    uint64_t limit = atomic_load_explicit(&ctx->limit, memory_order_relaxed);
    uint64_t before = atomic_fetch_add_explicit(&ctx->used, size, memory_order_relaxed);
    uint64_t now = before + size;
    uint64_t peak = atomic_load_explicit(&ctx->peak, memory_order_relaxed);

    *ret_before = before;
    if (limit != 0 && now > limit) {
        atomic_fetch_sub_explicit(&ctx->used, size, memory_order_relaxed);
        return false;
    }
    while (now > peak && !atomic_compare_exchange_weak_explicit(&ctx->peak, &peak, now, memory_order_relaxed,
                                                                memory_order_relaxed)) {
    }
    return true;
}

int nf_charge(netfeat_ctx *ctx, size_t size)
{
    uint64_t before;

    if (!charge(ctx, size, &before)) {
        return nf_error(ctx, NETFEAT_ERR_LIMIT,
                        "%zu more bytes would exceed the memory limit of %llu bytes (%llu in use)", size,
                        (unsigned long long)atomic_load_explicit(&ctx->limit, memory_order_relaxed),
                        (unsigned long long)before);
    }
    return NETFEAT_OK;
}

void nf_uncharge(netfeat_ctx *ctx, size_t size)
{
    atomic_fetch_sub_explicit(&ctx->used, size, memory_order_relaxed);
}

/* The allocator as the accounting calls it. With our own one, blocks of a batch's size come from those kept and go
   back there; what is kept is not charged: it is bounded by NF_RECYCLE_TOTAL. */
static void *call_allocator(netfeat_ctx *ctx, void *ptr, size_t old_size, size_t new_size)
{
    void *p;

    if (!ctx->recycles) {
        return ctx->realloc_fn(ctx->realloc_user, ptr, old_size, new_size);
    }
    old_size = nf_recycle_round(old_size);
    new_size = nf_recycle_round(new_size);
    if (ptr != NULL && old_size == new_size) {
        return ptr;
    }
    p = new_size != 0 ? nf_recycle_take(&ctx->kept, new_size) : NULL;
    if (p == NULL && new_size != 0) {
        return ctx->realloc_fn(ctx->realloc_user, ptr, old_size, new_size);
    }
    if (p != NULL && ptr != NULL) {
        memcpy(p, ptr, old_size < new_size ? old_size : new_size);
    }
    if (ptr != NULL && !nf_recycle_put(&ctx->kept, ptr, old_size)) {
        ctx->realloc_fn(ctx->realloc_user, ptr, old_size, 0);
    }
    return p;
}

void *nf_resize(netfeat_ctx *ctx, void *ptr, size_t old_size, size_t new_size)
{
    void *p;

    assert(new_size > 0);
    if (new_size > old_size && nf_charge(ctx, new_size - old_size) != 0) {
        return NULL;
    }
    p = call_allocator(ctx, ptr, old_size, new_size);
    if (p == NULL) {
        if (new_size > old_size) {
            nf_uncharge(ctx, new_size - old_size);
        }
        nf_error(ctx, NETFEAT_ERR_NOMEM, "out of memory: %zu bytes", new_size);
        return NULL;
    }
    if (new_size < old_size) {
        nf_uncharge(ctx, old_size - new_size);
    }
    return p;
}

void *nf_alloc(netfeat_ctx *ctx, size_t size)
{
    return nf_resize(ctx, NULL, 0, size);
}

void *nf_alloc_quiet(netfeat_ctx *ctx, size_t size)
{
    uint64_t before;
    void *p;

    assert(size > 0);
    if (!charge(ctx, size, &before)) {
        return NULL;
    }
    p = call_allocator(ctx, NULL, 0, size);
    if (p == NULL) {
        nf_uncharge(ctx, size);
    }
    return p;
}

void *nf_alloc_zero(netfeat_ctx *ctx, size_t size)
{
    void *p = nf_alloc(ctx, size);
    if (p != NULL) {
        memset(p, 0, size);
    }
    return p;
}

void *nf_alloc_array(netfeat_ctx *ctx, size_t n, size_t size)
{
    size_t bytes;

    if (!nf_mul_size(n, size, &bytes)) {
        nf_error(ctx, NETFEAT_ERR_NOMEM, "out of memory: %zu elements of %zu bytes", n, size);
        return NULL;
    }
    return nf_alloc(ctx, bytes);
}

void nf_free(netfeat_ctx *ctx, void *ptr, size_t size)
{
    if (ptr != NULL) {
        call_allocator(ctx, ptr, size, 0);
        nf_uncharge(ctx, size);
    }
}

char *nf_strndup(netfeat_ctx *ctx, const char *s, size_t n)
{
    char *copy = nf_alloc(ctx, n + 1);
    if (copy != NULL) {
        memcpy(copy, s, n);
        copy[n] = '\0';
    }
    return copy;
}

/* Small arrays double; large ones, which grow without copying, by a quarter, so that a limit is not hit
 * early. */
static size_t next_capacity(size_t cap, size_t size)
{
    size_t step = cap > ((size_t)4 << 20) / size ? cap / 4 : cap;
    return step > SIZE_MAX - cap ? SIZE_MAX : cap + step;
}

int nf_grow(netfeat_ctx *ctx, void **ptr, size_t *cap, size_t need, size_t size)
{
    size_t want = next_capacity(*cap, size);
    size_t bytes;
    void *p;

    if (need <= *cap) {
        return NETFEAT_OK;
    }
    if (want < need) {
        want = need;
    }
    if (want < 8) {
        want = 8;
    }
    if (!nf_mul_size(want, size, &bytes)) {
        return nf_error(ctx, NETFEAT_ERR_NOMEM, "out of memory: %zu elements of %zu bytes", want, size);
    }
    p = nf_resize(ctx, *ptr, *cap * size, bytes);
    if (p == NULL) {
        return nf_ctx_code(ctx);
    }
    *ptr = p;
    *cap = want;
    return NETFEAT_OK;
}

/* ---- error slot ---- */

/* One line, and nothing that a terminal would obey. */
__attribute__((format(printf, 2, 0))) static void format_message(char text[MESSAGE_BYTES], const char *format,
                                                                 va_list args)
{
    vsnprintf(text, MESSAGE_BYTES, format, args);
    for (char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            *p = '?';
        }
    }
}

static void set_slot(netfeat_ctx *ctx, int code, int error_number, int64_t packet, int64_t offset)
{
    ctx->code = code;
    ctx->error_number = error_number;
    ctx->packet = packet;
    ctx->offset = offset;
}

int nf_error(netfeat_ctx *ctx, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    format_message(ctx->message, format, args);
    va_end(args);
    set_slot(ctx, code, 0, -1, -1);
    return code;
}

int nf_error_at(netfeat_ctx *ctx, int code, int64_t packet, int64_t offset, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    format_message(ctx->message, format, args);
    va_end(args);
    set_slot(ctx, code, 0, packet, offset);
    return code;
}

int nf_error_errno(netfeat_ctx *ctx, int error_number, const char *format, ...)
{
    int code = NETFEAT_ERR_IO;
    size_t length;
    va_list args;

    if (error_number == EINTR && nf_interrupted(ctx)) {
        return nf_checkpoint(ctx, -1, -1, -1);
    }
    if (error_number == ENOENT || error_number == ENODEV) {
        code = NETFEAT_ERR_NOTFOUND;
    } else if (error_number == EACCES || error_number == EPERM) {
        code = NETFEAT_ERR_PERMISSION;
    } else if (error_number == ENOMEM) {
        code = NETFEAT_ERR_NOMEM;
    }
    va_start(args, format);
    format_message(ctx->message, format, args);
    va_end(args);
    length = strlen(ctx->message);
    snprintf(ctx->message + length, sizeof ctx->message - length, ": %s", strerrordesc_np(error_number));
    set_slot(ctx, code, error_number, -1, -1);
    return code;
}

int nf_error_locate(netfeat_ctx *ctx, int64_t packet, int64_t offset)
{
    ctx->packet = packet;
    ctx->offset = offset;
    return nf_ctx_code(ctx);
}

int nf_error_again(netfeat_ctx *ctx, int code, int error_number, int64_t packet, int64_t offset,
                   const char *message)
{
    size_t length = strnlen(message, sizeof ctx->message - 1);

    memmove(ctx->message, message, length);
    ctx->message[length] = '\0';
    set_slot(ctx, code, error_number, packet, offset);
    return code;
}

int nf_error_name(netfeat_ctx *ctx, const char *name)
{
    char message[MESSAGE_BYTES];
    int code = nf_ctx_code(ctx);
    int64_t packet = ctx->packet;
    int64_t offset = ctx->offset;
    int error_number = ctx->error_number;

    if (strstr(ctx->message, name) == NULL) {
        memcpy(message, ctx->message, sizeof message);
        nf_error(ctx, code, "%s: %s", name, message);
        set_slot(ctx, code, error_number, packet, offset);
    }
    return code;
}

int(nf_ctx_code)(const netfeat_ctx *ctx)
{
    return ctx->code != 0 ? ctx->code : NETFEAT_ERR_INTERNAL;
}

int netfeat_ctx_error_code(const netfeat_ctx *ctx)
{
    return ctx != NULL ? ctx->code : 0;
}

const char *netfeat_ctx_error_message(const netfeat_ctx *ctx)
{
    return ctx != NULL ? ctx->message : "";
}

int64_t netfeat_ctx_error_packet(const netfeat_ctx *ctx)
{
    return ctx != NULL ? ctx->packet : -1;
}

int64_t netfeat_ctx_error_offset(const netfeat_ctx *ctx)
{
    return ctx != NULL ? ctx->offset : -1;
}

int netfeat_ctx_error_errno(const netfeat_ctx *ctx)
{
    return ctx != NULL ? ctx->error_number : 0;
}

void netfeat_ctx_error_clear(netfeat_ctx *ctx)
{
    if (ctx != NULL) {
        set_slot(ctx, 0, 0, -1, -1);
        ctx->message[0] = '\0';
    }
}

/* ---- log, progress, interruption ---- */

void nf_log(netfeat_ctx *ctx, int level, const char *format, ...)
{
    char text[MESSAGE_BYTES];
    va_list args;

    if (ctx->log_fn == NULL || level > ctx->log_level) {
        return;
    }
    va_start(args, format);
    format_message(text, format, args);
    va_end(args);
    ctx->log_fn(ctx->log_user, level, text);
}

int nf_checkpoint(netfeat_ctx *ctx, int64_t packets, int64_t bytes, int64_t total_bytes)
{
    if (atomic_exchange_explicit(&ctx->interrupted, 0, memory_order_relaxed) != 0) {
        return nf_error_at(ctx, NETFEAT_ERR_CANCELLED, packets, bytes, "interrupted");
    }
    if (ctx->progress_fn != NULL && ctx->progress_fn(ctx->progress_user, packets, bytes, total_bytes) != 0) {
        return nf_error_at(ctx, NETFEAT_ERR_CANCELLED, packets, bytes, "stopped by the progress callback");
    }
    return NETFEAT_OK;
}

bool nf_interrupted(const netfeat_ctx *ctx)
{
    return atomic_load_explicit(&ctx->interrupted, memory_order_relaxed) != 0;
}

const void *nf_ctx_secret(const netfeat_ctx *ctx)
{
    return ctx->secret;
}
