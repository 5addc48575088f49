/* Link types: which header a packet starts with. */
#include "decode/layer.h"

nf_layer nf_link_layer(uint32_t link_type)
{
    switch (link_type) {
#define LINK(number, name, layer)                                                                            \
    case number:                                                                                             \
        return NF_LAYER_##layer;
#include "decode/links.def"
#undef LINK
    default:
        return NF_LAYER_DONE;
    }
}

nf_layer nf_inner_link(nf_walk *w, uint32_t link_type)
{
    nf_layer layer = nf_link_layer(link_type);

    return layer != NF_LAYER_DONE ? layer : nf_stop(w, NETFEAT_QUALITY_UNKNOWN_LINK);
}
