/* Fuzz target: any text as a filter expression, on packets of several link types. What compiles once compiles again, and
   says the same of a packet in a source and by itself; an error is one that a text may cause. */
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netfeat/netfeat.h>

#include "capture/filter.h"
#include "require.h"

#define LONGEST 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libpcap asks these about the names of hosts and networks: a fuzzer must not ask the network. */
int getaddrinfo(const char *restrict name, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict ret)
{
    (void)name;
    (void)service;
    (void)hints;
    (void)ret;
    return EAI_NONAME;
}

struct netent *getnetbyname(const char *name)
{
    (void)name;
    return NULL;
}

/* An error that the text may cause; the caller was right. */
static int is_fair(int64_t code)
{
    return code >= 0 || code == NETFEAT_ERR_ARGUMENT || code == NETFEAT_ERR_UNSUPPORTED ||
           code == NETFEAT_ERR_LIMIT;
}

/* One packet, cut for each link type: Ethernet, IPv4, TCP SYN to port 23. */
static const uint8_t packet[] = {2,    0,    0,   0,  0,   1,  2,   0,   0,   0, 0, 2, 8,    0, /* Ethernet */
                                 0x45, 0,    0,   40, 0,   7,  0,   0,   64,  6, 0, 0, 10,   0,
                                 0,    1,    198, 51, 100, 9, /* IPv4 */
                                 0x9c, 0x40, 0,   23, 198, 51, 100, 9,   0,   0, 0, 0, 0x50, 2,
                                 2,    0,    0,   0,  0,   0,  'l', 's', '\n'}; /* TCP */
static const struct {
    uint16_t link;
    size_t skip;
} links[] = {{1, 0}, {101, 14}, {113, 0}, {0, 10}, {105, 0}, {60000, 0}, {1, 0}};

static void match_all(netfeat_ctx *ctx, const char *text)
{
    nf_filter f;
    int code = nf_filter_open(ctx, &f, text, LONGEST);

    require(is_fair(code), "opening a filter");
    for (size_t i = 0; code == 0 && f.text != NULL && i < sizeof links / sizeof links[0]; i++) {
        nf_record rec = {.number = i + 1, .link_type = links[i].link, .data = packet + links[i].skip};
        int ready, one, other;

        rec.captured_length = rec.wire_length = (uint32_t)(sizeof packet - links[i].skip);
        ready = nf_filter_prepare(ctx, &f, rec.link_type);
        require(is_fair(ready), "a filter on a link type");
        if (ready != 0) {
            continue;
        }
        one = nf_filter_match(ctx, &f, &rec);
        require(one == 0 || one == 1, "a filter matches or not");
        rec.captured_length = (uint32_t)i; /* beyond what was captured nothing is read */
        require(nf_filter_match(ctx, &f, &rec) >= 0, "a short packet");
        rec.captured_length = rec.wire_length;
        other = nf_filter_match(ctx, &f, &rec);
        require(one == other, "a filter says the same again");
    }
    nf_filter_close(ctx, &f);
}

/* The same text as an option of a source of one packet. */
static void through_source(netfeat_ctx *ctx, const char *text)
{
    uint8_t capture[24 + 16 + sizeof packet] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0};
    netfeat_options *opts = NULL;
    netfeat_source *src = NULL;
    netfeat_table *tab = NULL;
    int code;

    capture[18] = 4; /* snap length 2^18 */
    capture[20] = 1; /* Ethernet */
    capture[24 + 8] = capture[24 + 12] = sizeof packet;
    memcpy(capture + 40, packet, sizeof packet);
    require(netfeat_options_new(ctx, &opts) == 0, "options can be made");
    code = netfeat_options_set_text(opts, NETFEAT_OPT_SOURCE_FILTER, text);
    require(is_fair(code), "a text as an option");
    code = code != 0 ? code : netfeat_source_open_memory(ctx, capture, sizeof capture, opts, &src);
    require(is_fair(code) && (code == 0) == (src != NULL), "a source with a filter");
    if (code == 0) {
        int64_t n;
        require(netfeat_table_new(ctx, NULL, &tab) == 0, "a table can be made");
        n = netfeat_table_append_source(tab, src, -1);
        require(is_fair(n) && n <= 1, "packets of a source with a filter");
    }
    netfeat_table_unref(tab);
    netfeat_source_unref(src);
    netfeat_options_unref(opts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    netfeat_ctx *ctx = NULL;
    char text[LONGEST + 1];

    if (size > LONGEST || netfeat_ctx_new(&ctx) != 0) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    match_all(ctx, text);
    through_source(ctx, text);
    netfeat_ctx_unref(ctx);
    return 0;
}
