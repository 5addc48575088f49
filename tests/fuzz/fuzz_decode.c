/* Fuzz target: any bytes as a packet of any link type. Beside what the sanitizers see, the rules that hold
   for every packet are checked, and the short way against the loop over layers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decode/layer.h"
#include "require.h"

#define HEADER 6

/* wanted: whether every field is */
static void check(const nf_packet *p, const uint8_t *data, uint32_t captured, int wanted)
{
    if (p->present & NF_BIT(PAYLOAD)) {
        REQUIRE(p->payload >= data && p->payload_captured <= captured &&
                (size_t)(p->payload - data) <= captured - p->payload_captured);
        REQUIRE(p->payload_captured <= p->payload_length);
    }
    if (p->present & NF_BIT(IP_VERSION)) {
        REQUIRE(p->ip_version == 4 || p->ip_version == 6);
    }
    REQUIRE((p->tunnel_depth == 0) == !(p->present & NF_BIT(TUNNEL_TYPE)) || !wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Header of an input: link type by its place in links.def, layers and flags, want (2 bytes, repeated), bytes that were cut
   off (12 bits of 2 bytes) and a flag more. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
#define LINK(number, name, layer) number,
    static const uint32_t links[] = {
#include "decode/links.def"
        147};
#undef LINK
    nf_decode_config config = {.n_ports = 0};
    const char *bad = NULL;
    nf_packet a, b;
    uint32_t link_type, captured, wire;
    uint64_t want;
    uint8_t *data;

    if (size < HEADER || size > 1 << 20) {
        return 0;
    }
    link_type = links[bytes[0] % (sizeof links / sizeof links[0])];
    config.max_layers = bytes[1] % 32u + 1;
    config.outermost = bytes[1] >> 5 & 1;
    config.verify_checksums = bytes[1] >> 6 & 1;
    config.whole_tunnels = bytes[4] >> 7;
    REQUIRE(!(bytes[1] >> 7) || nf_decode_tunnel_ports(&config, "geneve=53,l2tp=443", &bad));
    want = nf_load_be16(bytes + 2);
    config.want = want == 0 ? ~want : want | want << 16 | want << 32 | want << 48;
    captured = (uint32_t)(size - HEADER);
    wire = captured + nf_load_be16(bytes + 4) % 4096u;
    data = malloc(captured > 0 ? captured : 1);
    REQUIRE(data != NULL);
    memcpy(data, bytes + HEADER, captured);

    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    nf_decode(&config, link_type, data, captured, wire, &a);
    check(&a, data, captured, want == 0);
    nf_decode_layers(&config, link_type, data, captured, wire, &b);
    REQUIRE((a.present & ~config.want) == 0);
    REQUIRE(a.present == b.present);
    REQUIRE(a.quality == b.quality);
    REQUIRE(!(a.present & NF_BIT(SRC_PORT)) || a.src_port == b.src_port);
    REQUIRE(!(a.present & NF_BIT(PAYLOAD)) || a.payload == b.payload);
    REQUIRE(!(a.present & NF_BIT(IP_LENGTH)) || a.ip_length == b.ip_length);
    REQUIRE(!(a.present & NF_BIT(PADDING_LENGTH)) || a.padding_length == b.padding_length);
    REQUIRE(!(a.present & NF_BIT(TCP_MSS)) || a.tcp_mss == b.tcp_mss);
    free(data);
    return 0;
}
