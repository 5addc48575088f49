#include "capture/queue.h"

#include <string.h>

#define CHUNK_BYTES ((size_t)128 << 10)

struct nf_chunk {
    nf_chunk *next;
    size_t size, used; /* of bytes */
    uint8_t bytes[];
};

typedef struct {
    int64_t time_ns;
    uint32_t captured_length, wire_length;
} head; /* the packet's bytes follow, filled up to a multiple of 8 */

static size_t entry_bytes(uint32_t captured_length)
{
    return sizeof(head) + (((size_t)captured_length + 7) & ~(size_t)7);
}

static void free_first(netfeat_ctx *ctx, nf_queue *q)
{
    nf_chunk *c = q->first;

    q->first = c->next;
    if (q->first == NULL) {
        q->last = NULL;
    }
    nf_free(ctx, c, sizeof *c + c->size);
}

static nf_chunk *add_chunk(netfeat_ctx *ctx, nf_queue *q, size_t need)
{
    size_t size = need > CHUNK_BYTES ? need : CHUNK_BYTES;
    nf_chunk *c = nf_alloc(ctx, sizeof *c + size);

    if (c == NULL) {
        return NULL;
    }
    c->next = NULL;
    c->size = size;
    c->used = 0;
    if (q->last != NULL) {
        q->last->next = c;
    } else {
        q->first = c;
        q->reading = c;
        q->at = 0;
    }
    q->last = c;
    return c;
}

int nf_queue_put(netfeat_ctx *ctx, nf_queue *q, int64_t time_ns, uint32_t wire_length, const void *data,
                 uint32_t captured_length)
{
    const head h = {time_ns, captured_length, wire_length};
    size_t need = entry_bytes(captured_length);
    nf_chunk *c = q->last;

    if (q->packets >= q->max_packets || need > q->max_bytes - q->bytes) {
        return 0;
    }
    if (c == NULL || need > c->size - c->used) {
        c = add_chunk(ctx, q, need);
        if (c == NULL) {
            return nf_ctx_code(ctx);
        }
    }
    memcpy(c->bytes + c->used, &h, sizeof h);
    if (captured_length > 0) {
        memcpy(c->bytes + c->used + sizeof h, data, captured_length);
    }
    c->used += need;
    q->packets++;
    q->bytes += need;
    return 1;
}

/* Give back the chunks that were read to their end; one of the usual size is used again. */
static void forget_read(netfeat_ctx *ctx, nf_queue *q)
{
    while (q->first != q->reading) {
        free_first(ctx, q);
    }
    if (q->packets == 0 && q->reading != NULL) {
        if (q->reading->size > CHUNK_BYTES) {
            free_first(ctx, q);
            q->reading = NULL;
        } else {
            q->reading->used = 0;
            q->at = 0;
        }
    }
}

/* The next packet; there is one. */
static head take(nf_queue *q, const uint8_t **ret_data)
{
    head h;

    while (q->at == q->reading->used) {
        q->reading = q->reading->next;
        q->at = 0;
    }
    memcpy(&h, q->reading->bytes + q->at, sizeof h);
    *ret_data = q->reading->bytes + q->at + sizeof h;
    q->at += entry_bytes(h.captured_length);
    q->packets--;
    q->bytes -= entry_bytes(h.captured_length);
    return h;
}

int nf_queue_next(netfeat_source *src, nf_queue *q, uint16_t link_type, nf_record *recs, int max)
{
    uint64_t number = (uint64_t)nf_source_records(src);
    int n = 0;

    forget_read(src->ctx, q);
    src->batch_snapped = 0;
    src->batch_backwards = 0;
    for (; n < max && q->packets > 0; n++) {
        nf_record *r = &recs[n];
        head h = take(q, &r->data);

        r->number = ++number;
        r->time_ns = h.time_ns;
        r->captured_length = h.captured_length;
        r->wire_length = h.wire_length;
        r->interface_id = 0;
        r->link_type = link_type;
        r->flags = h.time_ns < src->last_time ? NF_RECORD_TIME_BACKWARDS : 0;
        r->file_index = src->file_index;
        src->batch_backwards += h.time_ns < src->last_time;
        src->batch_snapped += h.captured_length < h.wire_length;
        src->last_time = h.time_ns;
        src->queued_bytes += h.captured_length;
    }
    return n;
}

void nf_queue_close(netfeat_ctx *ctx, nf_queue *q)
{
    while (q->first != NULL) {
        free_first(ctx, q);
    }
    memset(q, 0, sizeof *q);
}
