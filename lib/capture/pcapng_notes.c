/* pcapng_notes.c - what pcapng blocks say beside packets: options with names and comments, statistics, names of
   addresses. Nothing here can make a capture unreadable: what does not fit its block is left out. */
#include <string.h>

#include "capture/reader.h"

#define OPTION_END     0U
#define OPTION_COMMENT 1U

typedef struct {
    unsigned kind;
    size_t length;
    const uint8_t *value;
} option;

/* The next option, or false. */
static bool next_option(nf_cursor *c, bool big, option *ret)
{
    const uint8_t *head = nf_cursor_take(c, 4);

    if (head == NULL) {
        return false;
    }
    ret->kind = nf_load16(head, big);
    ret->length = nf_load16(head + 2, big);
    ret->value = nf_cursor_take(c, ret->length);
    if (ret->value == NULL || ret->kind == OPTION_END) {
        return false;
    }
    (void)nf_cursor_take(c, (0U - ret->length) % 4); /* behind the last one it may be missing */
    return true;
}

static int add_note(netfeat_source *src, const nf_note *note, const void *text, size_t n)
{
    int code = nf_notes_add(src->ctx, &src->notes, note, text, n);

    if (code < 0) {
        return nf_error_locate(src->ctx, nf_source_records(src) + 1, nf_window_offset(&src->window));
    }
    src->counts[NETFEAT_COUNT_NOTES_DROPPED] += code == 0;
    return NETFEAT_OK;
}

int nf_pcapng_section_notes(netfeat_source *src, nf_cursor c, bool big)
{
    static const int kinds[] = {0, NETFEAT_NOTE_SECTION_COMMENT, NETFEAT_NOTE_HARDWARE, NETFEAT_NOTE_SYSTEM,
                                NETFEAT_NOTE_APPLICATION};
    option o;
    int code = NETFEAT_OK;

    while (code == 0 && next_option(&c, big, &o)) {
        if (o.kind < sizeof kinds / sizeof kinds[0]) {
            nf_note note = {.kind = kinds[o.kind]};
            code = add_note(src, &note, o.value, o.length);
        }
    }
    return code;
}

int nf_pcapng_interface_notes(netfeat_source *src, nf_cursor c, bool big)
{
    uint32_t id = (uint32_t)src->interfaces.count - 1;
    nf_interface_info *in = &src->interfaces.list[id];
    option o;
    int code = NETFEAT_OK;

    while (code == 0 && next_option(&c, big, &o)) {
        nf_note note = {.kind = NETFEAT_NOTE_INTERFACE_COMMENT, .interface_id = id};

        if (o.kind == 2) {
            code = nf_text_set(src->ctx, &in->name, o.value, o.length);
        } else if (o.kind == 3) {
            code = nf_text_set(src->ctx, &in->description, o.value, o.length);
        } else if (o.kind == OPTION_COMMENT && src->notes.max > 0) {
            code = add_note(src, &note, o.value, o.length);
        }
    }
    return code;
}

int nf_pcapng_packet_notes(netfeat_source *src, nf_cursor c, bool big, const nf_record *rec)
{
    option o;
    int code = NETFEAT_OK;

    while (code == 0 && next_option(&c, big, &o)) {
        nf_note note = {.kind = NETFEAT_NOTE_PACKET_COMMENT,
                        .interface_id = rec->interface_id,
                        .packet = (int64_t)rec->number};
        if (o.kind == OPTION_COMMENT) {
            code = add_note(src, &note, o.value, o.length);
        }
    }
    return code;
}

static int64_t clamp(uint64_t n)
{
    return n <= INT64_MAX ? (int64_t)n : INT64_MAX;
}

void nf_pcapng_statistics(netfeat_source *src, nf_cursor c, bool big)
{
    const uint8_t *head = nf_cursor_take(&c, 12); /* interface, time stamp */
    nf_interface_info *in;
    uint32_t id;
    option o;

    if (head == NULL || nf_load32(head, big) >= src->pcapng.count) {
        return;
    }
    id = src->pcapng.base + nf_load32(head, big);
    in = &src->interfaces.list[id];
    while (next_option(&c, big, &o)) {
        if (o.kind == 4 && o.length == 8) {
            in->has_received = true;
            in->received = clamp(nf_load64(o.value, big));
        } else if (o.kind == 5 && o.length == 8) {
            in->has_dropped = true;
            in->dropped = clamp(nf_load64(o.value, big));
        }
    }
}

/* One record of a name resolution block: an address, then names, each with a NUL behind it. */
static int address_names(netfeat_source *src, const uint8_t *p, size_t n, bool is_ipv6)
{
    size_t size = is_ipv6 ? 16 : 4;
    nf_note note = {.kind = NETFEAT_NOTE_NAME, .has_address = true};
    int code = NETFEAT_OK;

    if (n < size) {
        return NETFEAT_OK;
    }
    if (!is_ipv6) {
        note.address[10] = note.address[11] = 0xff;
    }
    memcpy(note.address + 16 - size, p, size);
    p += size;
    n -= size;
    while (code == 0 && n > 0) {
        size_t length = strnlen((const char *)p, n);
        size_t whole = length < n ? length + 1 : length;

        code = length > 0 ? add_note(src, &note, p, length) : NETFEAT_OK;
        p += whole;
        n -= whole;
    }
    return code;
}

int nf_pcapng_names(netfeat_source *src, nf_cursor c, bool big)
{
    option o; /* records look like options */
    int code = NETFEAT_OK;

    while (code == 0 && next_option(&c, big, &o)) {
        if (o.kind == 1 || o.kind == 2) {
            code = address_names(src, o.value, o.length, o.kind == 2);
        }
    }
    return code;
}
