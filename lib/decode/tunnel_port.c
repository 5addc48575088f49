/* UDP ports of tunnels. */
#include <string.h>

#include "decode/tunnel.h"

/* Each has a byte to itself: a second initialiser for one would not compile. */
#define INDEX(number)       ((number)-NF_TUNNEL_PORT_MIN)
#define PORT(number, layer) [INDEX(number) / 8] = 1 << INDEX(number) % 8,
const uint8_t nf_tunnel_port_set[NF_TUNNEL_PORT_BYTES] = {NF_TUNNEL_PORT_LIST(PORT)};
#undef PORT

static nf_layer port_layer(const nf_decode_config *config, uint16_t port)
{
    for (unsigned i = 0; i < config->n_ports; i++) {
        if (config->ports[i].port == port) {
            return (nf_layer)config->ports[i].layer;
        }
    }
    switch (port) {
#define PORT(number, layer)                                                                                  \
    case number:                                                                                             \
        return NF_LAYER_##layer;
        NF_TUNNEL_PORT_LIST(PORT)
#undef PORT
    default:
        return NF_LAYER_DONE;
    }
}

nf_layer nf_tunnel_port_layer(const nf_decode_config *config, uint16_t src, uint16_t dst)
{
    nf_layer layer = port_layer(config, dst);

    return layer != NF_LAYER_DONE ? layer : port_layer(config, src);
}

static const struct {
    const char *name;
    nf_layer layer;
} names[] = {
    {"ayiya", NF_LAYER_AYIYA},   {"capwap", NF_LAYER_CAPWAP},       {"esp", NF_LAYER_ESP_UDP},
    {"geneve", NF_LAYER_GENEVE}, {"gre", NF_LAYER_GRE_UDP},         {"gtp", NF_LAYER_GTP},
    {"l2tp", NF_LAYER_L2TP},     {"mpls", NF_LAYER_MPLS_UDP},       {"teredo", NF_LAYER_TEREDO},
    {"vxlan", NF_LAYER_VXLAN},   {"vxlan-gpe", NF_LAYER_VXLAN_GPE},
};

static nf_layer named_layer(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i].name) == length && memcmp(names[i].name, name, length) == 0) {
            return names[i].layer;
        }
    }
    return NF_LAYER_DONE;
}

/* The number of a port at text; 0 if there is none. *ret_end is behind its digits. */
static uint16_t port_number(const char *text, const char **ret_end)
{
    uint32_t port = 0;

    while (*text >= '0' && *text <= '9' && port <= UINT16_MAX) {
        port = port * 10 + (uint32_t)(*text++ - '0');
    }
    *ret_end = text;
    return port <= UINT16_MAX ? (uint16_t)port : 0;
}

bool nf_decode_tunnel_ports(nf_decode_config *config, const char *text, const char **ret_bad)
{
    const char *p = text;

    while (*p != '\0') {
        size_t length = strcspn(p, "=,");
        nf_layer layer = named_layer(p, length);
        const char *end = p + length;
        uint16_t port = *end == '=' ? port_number(end + 1, &end) : 0;

        if (layer == NF_LAYER_DONE || port == 0 || (*end != ',' && *end != '\0') ||
            (*end == ',' && end[1] == '\0') || config->n_ports == NF_TUNNEL_PORTS) {
            *ret_bad = p;
            return false;
        }
        config->ports[config->n_ports++] = (nf_tunnel_port){port, (uint16_t)layer};
        p = *end == ',' ? end + 1 : end;
    }
    return true;
}
