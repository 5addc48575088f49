#include "capture/filter.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>

#include "base/foreign.h"

#define TEXT_SHOWN 160 /* bytes of an expression in a message */
#define SNAPLEN    262144

struct nf_program {
    uint16_t link_type;
    struct bpf_program code; /* memory of libpcap's */
};

/* If an expression compiles for none of these it is no expression: Ethernet, raw IP, loopback, cooked, Wi-Fi,
   PPP, SS7, SunATM and the packet-filter log know every primitive between them. */
static const int common_dlts[] = {DLT_EN10MB,     DLT_RAW,  DLT_NULL,   DLT_LINUX_SLL, DLT_IEEE802_11_RADIO,
                                  DLT_PPP_SERIAL, DLT_MTP2, DLT_SUNATM, DLT_PFLOG,     DLT_ERF};

static const struct {
    uint16_t link_type;
    int dlt;
} pairs[] = {
    {101, DLT_RAW},         {14, DLT_RAW}, /* raw IP as OpenBSD numbers it; libpcap elsewhere does not know it */
    {100, DLT_ATM_RFC1483}, {102, DLT_SLIP_BSDOS}, {103, DLT_PPP_BSDOS},
    {106, DLT_ATM_CLIP},    {246, DLT_PFSYNC},     {258, DLT_PKTAP},
};

int nf_filter_dlt(uint16_t link_type)
{
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (pairs[i].link_type == link_type) {
            return pairs[i].dlt;
        }
    }
    return link_type;
}

uint16_t nf_filter_link_type(int dlt)
{
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (pairs[i].dlt == dlt) {
            return pairs[i].link_type;
        }
    }
    return (uint16_t)dlt;
}

/* How many bytes of it a message shows; a character is not cut in half. */
static int shown(const char *text)
{
    size_t n = strlen(text);

    if (n > TEXT_SHOWN) {
        n = TEXT_SHOWN;
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) {
            n--;
        }
    }
    return (int)n;
}

/* The optimiser refuses what can never match ("arp" on raw IP); that is an answer, not a mistake: without it
   the program just says no. */
static bool compile(int dlt, const char *text, struct bpf_program *ret, char *why, size_t why_size)
{
    pcap_t *dead;
    bool good;

    NF_FOREIGN_BEGIN();
    dead = pcap_open_dead(dlt, SNAPLEN);
    if (dead == NULL) {
        NF_FOREIGN_END();
        snprintf(why, why_size, "out of memory");
        return false;
    }
    good = pcap_compile(dead, ret, text, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!good) {
        snprintf(why, why_size, "%s", pcap_geterr(dead));
        good = pcap_compile(dead, ret, text, 0, PCAP_NETMASK_UNKNOWN) == 0;
    }
    pcap_close(dead);
    NF_FOREIGN_END();
    return good;
}

int nf_filter_open(netfeat_ctx *ctx, nf_filter *f, const char *text, int64_t most)
{
    char first_why[PCAP_ERRBUF_SIZE] = "";
    char why[PCAP_ERRBUF_SIZE];

    memset(f, 0, sizeof *f);
    if (text == NULL || text[0] == '\0') {
        return NETFEAT_OK;
    }
    if (strlen(text) > (uint64_t)most) {
        return nf_error(ctx, NETFEAT_ERR_LIMIT,
                        "a filter of %zu bytes, more than %lld (source.max_filter_bytes)", strlen(text),
                        (long long)most);
    }
    for (size_t i = 0; i < sizeof common_dlts / sizeof common_dlts[0]; i++) {
        struct bpf_program code;

        if (compile(common_dlts[i], text, &code, why, sizeof why)) {
            pcap_freecode(&code);
            f->text = nf_strndup(ctx, text, strlen(text));
            return f->text != NULL ? NETFEAT_OK : nf_ctx_code(ctx);
        }
        if (i == 0) {
            memcpy(first_why, why, sizeof why);
        }
    }
    return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "filter '%.*s': %s", shown(text), text, first_why);
}

void nf_filter_close(netfeat_ctx *ctx, nf_filter *f)
{
    for (size_t i = 0; i < f->count; i++) {
        pcap_freecode(&f->programs[i].code);
    }
    nf_free(ctx, f->programs, f->cap * sizeof *f->programs);
    if (f->text != NULL) {
        nf_free(ctx, f->text, strlen(f->text) + 1);
    }
    memset(f, 0, sizeof *f);
}

/* Link types that libpcap compiles for are few, which bounds the list whatever the input says. */
int nf_filter_prepare(netfeat_ctx *ctx, nf_filter *f, uint16_t link_type)
{
    char why[PCAP_ERRBUF_SIZE];
    void *programs = f->programs;
    nf_program *p;
    int code;

    if (f->text == NULL) {
        return NETFEAT_OK;
    }
    for (size_t i = 0; i < f->count; i++) {
        if (f->programs[i].link_type == link_type) {
            f->last = i;
            return NETFEAT_OK;
        }
    }
    code = nf_grow(ctx, &programs, &f->cap, f->count + 1, sizeof *f->programs);
    f->programs = programs;
    if (code < 0) {
        return code;
    }
    p = &f->programs[f->count];
    if (!compile(nf_filter_dlt(link_type), f->text, &p->code, why, sizeof why)) {
        return nf_error(ctx, NETFEAT_ERR_UNSUPPORTED, "filter '%.*s' does not work on link type %u: %s",
                        shown(f->text), f->text, link_type, why);
    }
    p->link_type = link_type;
    f->last = f->count++;
    return NETFEAT_OK;
}

int nf_filter_match(netfeat_ctx *ctx, nf_filter *f, const nf_record *rec)
{
    struct pcap_pkthdr header = {{0, 0}, rec->captured_length, rec->wire_length};

    if (f->count == 0 || f->programs[f->last].link_type != rec->link_type) {
        int code = nf_filter_prepare(ctx, f, rec->link_type);
        if (code < 0) {
            return code;
        }
    }
    return pcap_offline_filter(&f->programs[f->last].code, &header, rec->data) != 0;
}
