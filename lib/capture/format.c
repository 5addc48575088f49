/* format.c - which format an input has, by its first bytes. */
#include "capture/reader.h"

#include <string.h>

#define MAGIC_BYTES 4
#define CODEC_BYTES 6 /* the longest magic number of a compressed format */

typedef struct {
    uint8_t bytes[16];
    uint8_t size;
    const char *name;
} signature;

/* Recognised, so that the message can name them; not read. */
static const signature unsupported[] = {
    {{'P', 'K', 3, 4}, 4, "zip"},
    {{'s', 'n', 'o', 'o', 'p', 0, 0, 0}, 8, "snoop"},
    {{'G', 'M', 'B', 'U'}, 4, "Network Monitor"},
    {{'R', 'T', 'S', 'S'}, 4, "Network Monitor"},
    {{'T', 'R', 'S', 'N', 'I', 'F', 'F', ' ', 'd', 'a', 't', 'a'}, 12, "Sniffer"},
    {{0xa1, 0xb2, 0x34, 0xcd}, 4, "pcap with extended records (a1b234cd)"},
    {{0xcd, 0x34, 0xb2, 0xa1}, 4, "pcap with extended records (a1b234cd)"},
    {{0xa1, 0x2b, 0x3c, 0x4d}, 4, "pcap with extended records (a12b3c4d)"},
    {{0x4d, 0x3c, 0x2b, 0xa1}, 4, "pcap with extended records (a12b3c4d)"},
    {{0x1c, 0x00, 0x01, 0xab}, 4, "pcap by Ixia"},
    {{0xab, 0x01, 0x00, 0x1c}, 4, "pcap by Ixia"},
    {{0x1c, 0x00, 0x01, 0xac}, 4, "pcap by Ixia"},
    {{0xac, 0x01, 0x00, 0x1c}, 4, "pcap by Ixia"},
};

static const uint32_t pcap_magics[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34}; /* us; ns; us, longer records */
static const uint8_t pcapng_magic[MAGIC_BYTES] = {0x0a, 0x0d, 0x0d, 0x0a};

static const char *unsupported_name(const uint8_t *p, size_t size)
{
    for (size_t i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++) {
        if (size >= unsupported[i].size && memcmp(p, unsupported[i].bytes, unsupported[i].size) == 0) {
            return unsupported[i].name;
        }
    }
    return NULL;
}

/* Could these few bytes be the beginning of a capture? */
static bool is_beginning(const uint8_t *p, size_t size)
{
    bool yes = memcmp(p, pcapng_magic, size) == 0;

    for (size_t i = 0; i < sizeof pcap_magics / sizeof pcap_magics[0]; i++) {
        uint32_t m = pcap_magics[i];
        uint8_t big[MAGIC_BYTES] = {(uint8_t)(m >> 24), (uint8_t)(m >> 16), (uint8_t)(m >> 8), (uint8_t)m};
        uint8_t little[MAGIC_BYTES] = {big[3], big[2], big[1], big[0]};

        yes = yes || memcmp(p, big, size) == 0 || memcmp(p, little, size) == 0;
    }
    return yes;
}

static int not_a_capture(netfeat_source *src)
{
    const uint8_t *p = src->window.at;
    size_t size = nf_window_left(&src->window);
    const char *name = unsupported_name(p, size);

    if (name != NULL) {
        return nf_error_at(src->ctx, NETFEAT_ERR_UNSUPPORTED, -1, 0, "%s format is not supported", name);
    }
    if (size == 0) {
        return nf_error_at(src->ctx, NETFEAT_ERR_TRUNCATED, -1, 0,
                           "the capture is empty: not even a file header");
    }
    if (size < MAGIC_BYTES && is_beginning(p, size)) {
        return nf_error_at(src->ctx, NETFEAT_ERR_TRUNCATED, -1, 0,
                           "the capture ends in the middle of its file header");
    }
    return nf_error_at(src->ctx, NETFEAT_ERR_FORMAT, -1, 0, "not a pcap or pcapng capture");
}

/* Decompress what is compressed, once. */
static int open_compressed(netfeat_source *src)
{
    const nf_codec *codec;
    int code = nf_source_need(src, CODEC_BYTES); /* as far as there are that many */

    if (code < 0) {
        return code;
    }
    codec = nf_unpack_find(src->window.at, nf_window_left(&src->window));
    if (codec == NULL) {
        return NETFEAT_OK;
    }
    code = nf_unpack_open(src->ctx, &src->window, codec, &src->unpack);
    code = code < 0 ? code : nf_source_need(src, CODEC_BYTES);
    if (code >= 0 && nf_unpack_find(src->window.at, nf_window_left(&src->window)) != NULL) {
        return nf_error_at(src->ctx, NETFEAT_ERR_UNSUPPORTED, -1, 0,
                           "the capture is compressed twice: %s, and again inside", codec->name);
    }
    return code < 0 ? code : NETFEAT_OK;
}

int nf_format_open(netfeat_source *src)
{
    const uint8_t *p;
    int code = open_compressed(src);

    code = code < 0 ? code : nf_source_need(src, MAGIC_BYTES);
    if (code < 0) {
        return code;
    }
    p = src->window.at;
    if (code > 0 && memcmp(p, pcapng_magic, MAGIC_BYTES) == 0) {
        return nf_pcapng_open(src);
    }
    for (size_t i = 0; code > 0 && i < sizeof pcap_magics / sizeof pcap_magics[0]; i++) {
        if (nf_load_le32(p) == pcap_magics[i] || nf_load_be32(p) == pcap_magics[i]) {
            return nf_pcap_open(src, pcap_magics[i], nf_load_be32(p) == pcap_magics[i]);
        }
    }
    code = nf_source_need(src, sizeof unsupported[0].bytes); /* as far as there are that many */
    return code < 0 ? code : not_a_capture(src);
}
