/* The walk over a packet's headers: one short path for what nearly every packet is, and a loop for all of
 * them. */
#include <assert.h>

#include "decode/checksum.h"
#include "decode/layer.h"
#include "decode/usual.h"

typedef nf_layer (*handler)(nf_walk *w, nf_packet *pkt);

static const handler handlers[NF_LAYER_COUNT] = {
#define LAYER(suffix, handler) [NF_LAYER_##suffix] = nf_##handler,
#include "decode/layers.def"
#undef LAYER
};

/* The first `layer` and all that it leads to, as far as `left` headers may be decoded. */
static void walk_layers(nf_walk *w, nf_packet *pkt, nf_layer layer, uint32_t left)
{
    for (; layer != NF_LAYER_DONE; left--) {
        if (left == 0) {
            w->quality |= NETFEAT_QUALITY_DEPTH_LIMIT;
            return;
        }
        layer = handlers[layer](w, pkt);
        assert(w->at <= w->end && w->end <= w->declared);
    }
}

void nf_decode_layers(const nf_decode_config *config, uint32_t link_type, const uint8_t *data,
                      uint32_t captured, uint32_t wire, nf_packet *pkt)
{
    static const uint8_t nothing[1] = {0};
    nf_layer layer = nf_link_layer(link_type);
    nf_walk w = {
        .data = captured > 0 ? data : nothing, .end = captured, .config = config, .want = config->want};

    w.frame = captured < wire ? wire : captured;
    w.declared = w.frame;
    if (captured != wire) {
        w.quality = captured < wire ? NETFEAT_QUALITY_SNAPPED : NETFEAT_QUALITY_BAD_LENGTH;
    }
    if (layer == NF_LAYER_DONE) {
        w.quality |= NETFEAT_QUALITY_UNKNOWN_LINK;
    }
    walk_layers(&w, pkt, layer, config->max_layers);
    if (config->verify_checksums) {
        nf_check_transport(&w, pkt, captured);
    }
    pkt->present = w.present & config->want;
    pkt->quality = w.quality;
}

static bool is_usual(const nf_decode_config *config, uint32_t link_type, uint32_t captured, uint32_t wire)
{
    return link_type == NF_LINK_EN10MB && captured >= NF_USUAL_BYTES && captured <= wire &&
           config->max_layers >= NF_USUAL_LAYERS && !config->verify_checksums;
}

/* An Ethernet frame that does not have its IPv4 header right behind the Ethernet header. Apart from
   nf_decode, which then needs no stack frame. */
__attribute__((noinline)) static void decode_ethernet(const nf_decode_config *config, uint32_t link_type,
                                                      const uint8_t *data, uint32_t captured, uint32_t wire,
                                                      nf_packet *pkt)
{
    nf_usual u = {data, config, config->want, NF_MAC_BITS | NF_BIT(ETHER_TYPE), captured, wire, 14};
    uint16_t type = nf_load_be16(data + 12);

    if (type == NF_ETHER_VLAN) {
        pkt->vlan_id = nf_load_be16(data + 14) & 0x0fff;
        type = nf_load_be16(data + 16);
        u.link_bits |= NF_BIT(VLAN_ID);
        u.at = 18;
    }
    pkt->ether_type = type;
    if (type == NF_ETHER_IPV4 ? nf_usual_ipv4(pkt, &u) : type == NF_ETHER_IPV6 && nf_usual_ipv6(pkt, &u)) {
        return;
    }
    nf_decode_layers(config, link_type, data, captured, wire, pkt);
}

void nf_decode(const nf_decode_config *config, uint32_t link_type, const uint8_t *data, uint32_t captured,
               uint32_t wire, nf_packet *pkt)
{
    pkt->link_type = (uint16_t)link_type;
    pkt->captured_length = captured;
    pkt->frame_length = wire;
    pkt->tunnel_depth = 0;
    if (NF_LIKELY(is_usual(config, link_type, captured, wire))) {
        nf_usual u = {data, config, config->want, NF_MAC_BITS | NF_BIT(ETHER_TYPE), captured, wire, 14};

        if (NF_UNLIKELY(nf_load_be16(data + 12) != NF_ETHER_IPV4)) {
            decode_ethernet(config, link_type, data, captured, wire, pkt);
            return;
        }
        pkt->ether_type = NF_ETHER_IPV4;
        if (NF_LIKELY(nf_usual_ipv4(pkt, &u))) {
            return;
        }
    }
    nf_decode_layers(config, link_type, data, captured, wire, pkt);
}
