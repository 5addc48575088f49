#include "capture/interface.h"

#include <string.h>

#include "base/utf8.h"
#include "capture/reader.h"

/* ---- texts ---- */

int nf_text_set(netfeat_ctx *ctx, char **text, const void *bytes, size_t n)
{
    char *copy;

    if (*text != NULL) {
        return NETFEAT_OK;
    }
    n = strnlen(bytes, n);
    copy = nf_strndup(ctx, bytes, n);
    if (copy == NULL) {
        return nf_ctx_code(ctx);
    }
    if (!nf_utf8_valid(copy, n)) {
        for (char *p = copy; *p != '\0'; p++) {
            *p = (unsigned char)*p < 0x80 ? *p : '?';
        }
    }
    *text = copy;
    return NETFEAT_OK;
}

static void free_text(netfeat_ctx *ctx, char *text)
{
    if (text != NULL) {
        nf_free(ctx, text, strlen(text) + 1);
    }
}

/* ---- interfaces ---- */

int nf_interfaces_add(netfeat_ctx *ctx, nf_interfaces *in, uint16_t link_type, uint32_t snaplen)
{
    void *list = in->list;
    int code = nf_grow(ctx, &list, &in->cap, in->count + 1, sizeof *in->list);

    in->list = list;
    if (code < 0) {
        return code;
    }
    in->list[in->count++] = (nf_interface_info){.link_type = link_type, .snaplen = snaplen};
    return NETFEAT_OK;
}

void nf_interfaces_close(netfeat_ctx *ctx, nf_interfaces *in)
{
    for (size_t i = 0; i < in->count; i++) {
        free_text(ctx, in->list[i].name);
        free_text(ctx, in->list[i].description);
    }
    nf_free(ctx, in->list, in->cap * sizeof *in->list);
    memset(in, 0, sizeof *in);
}

int64_t netfeat_source_interface_count(const netfeat_source *src)
{
    return src != NULL ? (int64_t)src->interfaces.count : NETFEAT_ERR_ARGUMENT;
}

static const nf_interface_info *find(const netfeat_source *src, uint32_t id)
{
    return src != NULL && id < src->interfaces.count ? &src->interfaces.list[id] : NULL;
}

static int no_interface(const netfeat_source *src, uint32_t id)
{
    return src == NULL ? NETFEAT_ERR_ARGUMENT
                       : nf_error(src->ctx, NETFEAT_ERR_NOTFOUND, "the source has no interface %u", id);
}

const char *netfeat_source_interface_name(const netfeat_source *src, uint32_t id)
{
    const nf_interface_info *in = find(src, id);
    return in != NULL ? in->name : NULL;
}

const char *netfeat_source_interface_description(const netfeat_source *src, uint32_t id)
{
    const nf_interface_info *in = find(src, id);
    return in != NULL ? in->description : NULL;
}

int netfeat_source_interface_link_type(const netfeat_source *src, uint32_t id)
{
    const nf_interface_info *in = find(src, id);
    return in != NULL ? in->link_type : no_interface(src, id);
}

int64_t netfeat_source_interface_snaplen(const netfeat_source *src, uint32_t id)
{
    const nf_interface_info *in = find(src, id);
    return in != NULL ? (int64_t)in->snaplen : no_interface(src, id);
}

static int give(const netfeat_source *src, bool there, int64_t value, int64_t *ret)
{
    if (ret == NULL) {
        return nf_error(src->ctx, NETFEAT_ERR_ARGUMENT, "source_interface: ret is NULL");
    }
    if (there) {
        *ret = value;
    }
    return there;
}

int netfeat_source_interface_received(const netfeat_source *src, uint32_t id, int64_t *ret_packets)
{
    const nf_interface_info *in = find(src, id);

    if (in == NULL) {
        return no_interface(src, id);
    }
    return src->live != NULL
               ? give(src, true, nf_live_count(src->live, NETFEAT_COUNT_KERNEL_RECEIVED), ret_packets)
               : give(src, in->has_received, in->received, ret_packets);
}

int netfeat_source_interface_dropped(const netfeat_source *src, uint32_t id, int64_t *ret_packets)
{
    const nf_interface_info *in = find(src, id);

    if (in == NULL) {
        return no_interface(src, id);
    }
    return src->live != NULL
               ? give(src, true, nf_live_count(src->live, NETFEAT_COUNT_KERNEL_DROPPED), ret_packets)
               : give(src, in->has_dropped, in->dropped, ret_packets);
}

/* ---- notes ---- */

int nf_notes_add(netfeat_ctx *ctx, nf_notes *notes, const nf_note *note, const void *text, size_t n)
{
    void *list;
    nf_note copy = *note;
    int code;

    if (notes->count - notes->at >= notes->max) {
        return 0;
    }
    if (notes->at > 1) { /* taken ones go, but for the current one */
        for (size_t i = 0; i + 1 < notes->at; i++) {
            free_text(ctx, notes->list[i].text);
        }
        memmove(notes->list, notes->list + notes->at - 1,
                (notes->count - notes->at + 1) * sizeof *notes->list);
        notes->count -= notes->at - 1;
        notes->at = 1;
    }
    list = notes->list;
    code = nf_grow(ctx, &list, &notes->cap, notes->count + 1, sizeof *notes->list);
    notes->list = list;
    code = code < 0 ? code : nf_text_set(ctx, &copy.text, text, n);
    if (code < 0) {
        return code;
    }
    notes->list[notes->count++] = copy;
    return 1;
}

void nf_notes_close(netfeat_ctx *ctx, nf_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        free_text(ctx, notes->list[i].text);
    }
    nf_free(ctx, notes->list, notes->cap * sizeof *notes->list);
    memset(notes, 0, sizeof *notes);
}

int netfeat_source_note_next(netfeat_source *src)
{
    if (src == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (src->notes.at == src->notes.count) {
        return 0;
    }
    src->notes.at++;
    return 1;
}

static const nf_note *current(const netfeat_source *src)
{
    return src != NULL && src->notes.at > 0 ? &src->notes.list[src->notes.at - 1] : NULL;
}

int netfeat_source_note_kind(const netfeat_source *src)
{
    const nf_note *note = current(src);
    return note != NULL ? note->kind : 0;
}

const char *netfeat_source_note_text(const netfeat_source *src)
{
    const nf_note *note = current(src);
    return note != NULL ? note->text : NULL;
}

int64_t netfeat_source_note_packet(const netfeat_source *src)
{
    const nf_note *note = current(src);
    return note != NULL ? note->packet : 0;
}

uint32_t netfeat_source_note_interface(const netfeat_source *src)
{
    const nf_note *note = current(src);
    return note != NULL ? note->interface_id : 0;
}

const void *netfeat_source_note_address(const netfeat_source *src)
{
    const nf_note *note = current(src);
    return note != NULL && note->has_address ? note->address : NULL;
}
