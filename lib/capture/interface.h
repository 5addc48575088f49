/* interface.h - what a capture says beside its packets: its interfaces, comments, names of addresses. */
#ifndef NF_CAPTURE_INTERFACE_H
#define NF_CAPTURE_INTERFACE_H

#include "base/context.h"

typedef struct {
    char *name, *description; /* owned; NULL: not said */
    uint32_t snaplen;         /* 0: none */
    uint16_t link_type;
    bool has_received, has_dropped;
    int64_t received, dropped;
} nf_interface_info;

typedef struct {
    nf_interface_info *list;
    size_t count, cap;
} nf_interfaces;

typedef struct {
    int kind; /* NETFEAT_NOTE_* */
    uint32_t interface_id;
    int64_t packet; /* 0: not about a packet */
    char *text;     /* owned */
    uint8_t address[16];
    bool has_address;
} nf_note;

typedef struct {
    nf_note *list; /* at .. count wait to be taken; the one before at is current */
    size_t at, count, cap;
    size_t max; /* 0: none are kept */
} nf_notes;

/* One more interface, without texts. NOMEM, LIMIT. */
int nf_interfaces_add(netfeat_ctx *ctx, nf_interfaces *in, uint16_t link_type, uint32_t snaplen);
/* Set a text that is not there yet; what is no UTF-8 is made some. */
int nf_text_set(netfeat_ctx *ctx, char **text, const void *bytes, size_t n);
void nf_interfaces_close(netfeat_ctx *ctx, nf_interfaces *in);
/* A further note with its text: 1; 0 there are max already; NOMEM, LIMIT. */
int nf_notes_add(netfeat_ctx *ctx, nf_notes *notes, const nf_note *note, const void *text, size_t n);
void nf_notes_close(netfeat_ctx *ctx, nf_notes *notes);

#endif
