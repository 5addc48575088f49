/* What capture software puts in front of IEEE 802.11 frames: radiotap (127), Prism (119), AVS (163), and PPI (192,
   which names the link type of what follows). */
#include "decode/layer.h"

#define RADIOTAP_BYTES    8
#define PRESENT_FLAGS     0x00000002
#define PRESENT_TSFT      0x00000001
#define PRESENT_MORE      0x80000000
#define FLAG_FCS          0x10
#define FLAG_PADDED       0x20
#define FCS_BYTES         4
#define PRISM_BYTES       144
#define PRISM_MESSAGE     0x44
#define PRISM_MESSAGE_OLD 0x41
#define AVS_MAGIC         0x80211000
#define PPI_BYTES         8
#define PPI_WLAN_COMMON   2
#define PPI_WLAN_BYTES    20
#define PPI_FLAG_FCS      0x0001

/* The frame ends with its checksum, which is no payload: like the padding of Ethernet it is part of padding_length. */
static void drop_checksum(nf_walk *w)
{
    if (nf_declared_left(w) >= FCS_BYTES) {
        nf_bound(w, nf_declared_left(w) - FCS_BYTES);
    }
}

/* The flags in a header of `length` bytes, all there; 0 if it has none. */
static uint8_t radiotap_flags(const uint8_t *p, size_t length)
{
    uint32_t first = nf_load_le32(p + 4), word = first;
    size_t at = RADIOTAP_BYTES;

    while ((word & PRESENT_MORE) && at + 4 <= length) {
        word = nf_load_le32(p + at);
        at += 4;
    }
    if (!(first & PRESENT_FLAGS)) {
        return 0;
    }
    if (first & PRESENT_TSFT) {
        at = ((at + 7) & ~(size_t)7) + 8;
    }
    return at < length ? p[at] : 0;
}

nf_layer nf_radiotap(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t length;
    uint8_t flags;

    (void)pkt;
    if (nf_left(w) < RADIOTAP_BYTES) {
        return nf_stop_short(w, RADIOTAP_BYTES);
    }
    length = nf_load_le16(p + 2);
    if (p[0] != 0 || length < RADIOTAP_BYTES) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    if (nf_left(w) < length) {
        return nf_stop_short(w, length);
    }
    flags = radiotap_flags(p, length);
    w->at += length;
    w->wlan_padded = (flags & FLAG_PADDED) != 0;
    if (flags & FLAG_FCS) {
        drop_checksum(w);
    }
    return NF_LAYER_WLAN;
}

nf_layer nf_avs(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t length;

    (void)pkt;
    if (nf_left(w) < 8) {
        return nf_stop_short(w, 8);
    }
    length = nf_load_be32(p + 4);
    if ((nf_load_be32(p) & 0xfffff000) != AVS_MAGIC || length < 8) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    if (nf_left(w) < length) {
        return nf_stop_short(w, length);
    }
    w->at += length;
    return NF_LAYER_WLAN;
}

/* Little-endian on the machines that had these cards, but the byte order is that of the capturing machine. Some drivers
   put an AVS header here. */
nf_layer nf_prism(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    uint32_t message;

    if (nf_left(w) < 4) {
        return nf_stop_short(w, 4);
    }
    if ((nf_load_be32(p) & 0xfffff000) == AVS_MAGIC) {
        return nf_avs(w, pkt);
    }
    message = nf_load_le32(p) > UINT16_MAX ? nf_load_be32(p) : nf_load_le32(p);
    if (message != PRISM_MESSAGE && message != PRISM_MESSAGE_OLD) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    if (nf_left(w) < PRISM_BYTES) {
        return nf_stop_short(w, PRISM_BYTES);
    }
    w->at += PRISM_BYTES;
    return NF_LAYER_WLAN;
}

/* Whether one of the fields in a header of `length` bytes says that the frame ends with its checksum. */
static bool ppi_checksum(const uint8_t *p, size_t length)
{
    size_t at = PPI_BYTES;

    while (length - at >= 4) {
        size_t field = nf_load_le16(p + at + 2);
        if (field > length - at - 4) {
            return false;
        }
        if (nf_load_le16(p + at) == PPI_WLAN_COMMON && field >= PPI_WLAN_BYTES) {
            return (nf_load_le16(p + at + 4 + 8) & PPI_FLAG_FCS) != 0;
        }
        at += 4 + field;
    }
    return false;
}

nf_layer nf_ppi(nf_walk *w, nf_packet *pkt)
{
    const uint8_t *p = nf_here(w);
    size_t length;
    nf_layer next;

    (void)pkt;
    if (nf_left(w) < PPI_BYTES) {
        return nf_stop_short(w, PPI_BYTES);
    }
    length = nf_load_le16(p + 2);
    if (p[0] != 0 || length < PPI_BYTES) {
        return nf_stop(w, NETFEAT_QUALITY_BAD_HEADER);
    }
    if (nf_left(w) < length) {
        return nf_stop_short(w, length);
    }
    next = nf_inner_link(w, nf_load_le32(p + 4));
    w->at += length;
    if (next == NF_LAYER_WLAN && ppi_checksum(p, length)) {
        drop_checksum(w);
    }
    return next;
}
