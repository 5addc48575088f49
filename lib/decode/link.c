/* Link types: which header a packet starts with (numbers: the registry of LINKTYPE_ values at tcpdump.org).
 */
#include "decode/layer.h"

static const struct {
    uint16_t link_type;
    uint16_t layer;
} links[] = {
    {0, NF_LAYER_NULL},                  /* NULL */
    {NF_LINK_EN10MB, NF_LAYER_ETHERNET}, /* EN10MB */
    {12, NF_LAYER_RAW},                  /* RAW as some BSDs number it */
    {14, NF_LAYER_RAW},                  /* RAW as OpenBSD numbers it */
    {101, NF_LAYER_RAW},                 /* RAW */
    {108, NF_LAYER_LOOP},                /* LOOP */
    {113, NF_LAYER_SLL},                 /* LINUX_SLL */
    {228, NF_LAYER_IPV4},                /* IPV4 */
    {229, NF_LAYER_IPV6},                /* IPV6 */
    {276, NF_LAYER_SLL2},                /* LINUX_SLL2 */
};

nf_layer nf_link_layer(uint32_t link_type)
{
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        if (links[i].link_type == link_type) {
            return (nf_layer)links[i].layer;
        }
    }
    return NF_LAYER_DONE;
}
