#include "table/pseudonym.h"

#include <string.h>

#include "config.h"

#if NF_HAVE_NETTLE

#include <nettle/aes.h>

#define BLOCK      16
#define MAC_BYTES  6
#define HALF_BYTES 3
#define ROUNDS     4
#define GROUP_BIT  1 /* of the first byte of a MAC address */

struct nf_pseudonyms {
    struct aes128_ctx addresses, macs;
    uint8_t pad[BLOCK];
};

/* Crypto-PAn's key is a key for AES and what is encrypted to become the padding. MAC addresses get a key of their own,
   derived from it, lest a block means something in both. */
int nf_pseudonyms_new(netfeat_ctx *ctx, const uint8_t key[NF_PSEUDONYM_KEY], nf_pseudonyms **ret)
{
    static const uint8_t purpose[BLOCK] = "MAC pseudonyms 1";
    nf_pseudonyms *ps = nf_alloc_zero(ctx, sizeof *ps);
    uint8_t derived[BLOCK];

    if (ps == NULL) {
        return nf_ctx_code(ctx);
    }
    aes128_set_encrypt_key(&ps->addresses, key);
    aes128_encrypt(&ps->addresses, BLOCK, ps->pad, key + BLOCK);
    for (size_t i = 0; i < BLOCK; i++) {
        derived[i] = purpose[i] ^ ps->pad[i];
    }
    aes128_encrypt(&ps->addresses, BLOCK, derived, derived);
    aes128_set_encrypt_key(&ps->macs, derived);
    explicit_bzero(derived, sizeof derived);
    *ret = ps;
    return NETFEAT_OK;
}

void nf_pseudonyms_free(netfeat_ctx *ctx, nf_pseudonyms *ps)
{
    if (ps != NULL) {
        explicit_bzero(ps, sizeof *ps);
        nf_free(ctx, ps, sizeof *ps);
    }
}

/* Bit i of the pseudonym is bit i of the address, flipped by the first bit of the encrypted block that starts with the
   i bits before it and goes on with the padding. */
void nf_pseudonym_address(const nf_pseudonyms *ps, uint8_t *address, size_t bytes)
{
    uint8_t input[BLOCK], output[BLOCK], flips[BLOCK] = {0};

    memcpy(input, ps->pad, BLOCK);
    for (size_t bit = 0; bit < bytes * 8; bit++) {
        size_t at = bit / 8;
        unsigned mask = 0x80U >> bit % 8;
        aes128_encrypt(&ps->addresses, BLOCK, output, input);
        flips[at] = (uint8_t)(flips[at] | (output[0] & 0x80 ? mask : 0));
        input[at] = (uint8_t)((input[at] & ~mask) | (address[at] & mask));
    }
    for (size_t i = 0; i < bytes; i++) {
        address[i] ^= flips[i];
    }
}

/* A permutation of all MAC addresses: a Feistel network over their halves. */
static void permute(const nf_pseudonyms *ps, uint8_t mac[MAC_BYTES])
{
    uint8_t block[BLOCK] = {0}, old[HALF_BYTES];

    for (uint8_t round = 0; round < ROUNDS; round++) {
        memset(block, 0, sizeof block);
        block[0] = round;
        memcpy(block + 1, mac + HALF_BYTES, HALF_BYTES);
        memcpy(old, mac + HALF_BYTES, HALF_BYTES);
        aes128_encrypt(&ps->macs, BLOCK, block, block);
        for (size_t i = 0; i < HALF_BYTES; i++) {
            mac[HALF_BYTES + i] = mac[i] ^ block[i];
        }
        memcpy(mac, old, HALF_BYTES);
    }
}

static bool is_broadcast(const uint8_t mac[MAC_BYTES])
{
    return memcmp(mac, "\xff\xff\xff\xff\xff\xff", MAC_BYTES) == 0;
}

/* Walking along the permutation to the next address of the same kind makes a permutation of that kind alone; the walk
   ends, for it would come back to where it began. */
void nf_pseudonym_mac(const nf_pseudonyms *ps, uint8_t mac[6])
{
    unsigned group = mac[0] & GROUP_BIT;

    if (is_broadcast(mac)) {
        return;
    }
    do {
        permute(ps, mac);
    } while ((mac[0] & GROUP_BIT) != group || is_broadcast(mac));
}

#else

int nf_pseudonyms_new(netfeat_ctx *ctx, const uint8_t key[NF_PSEUDONYM_KEY], nf_pseudonyms **ret)
{
    (void)key;
    (void)ret;
    return nf_error(ctx, NETFEAT_ERR_UNSUPPORTED, "this build cannot anonymize: it has no AES (nettle)");
}

void nf_pseudonyms_free(netfeat_ctx *ctx, nf_pseudonyms *ps)
{
    (void)ctx;
    (void)ps;
}

void nf_pseudonym_address(const nf_pseudonyms *ps, uint8_t *address, size_t bytes)
{
    (void)ps;
    (void)address;
    (void)bytes;
}

void nf_pseudonym_mac(const nf_pseudonyms *ps, uint8_t mac[6])
{
    (void)ps;
    (void)mac;
}

#endif
