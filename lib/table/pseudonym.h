/* pseudonym.h - pseudonyms for addresses, made with a key: the same address always gets the same one, and no two share
   one. */
#ifndef NF_TABLE_PSEUDONYM_H
#define NF_TABLE_PSEUDONYM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/context.h"

#define NF_PSEUDONYM_KEY 32 /* bytes */

typedef struct nf_pseudonyms nf_pseudonyms;

/* UNSUPPORTED in builds without a cipher, NOMEM. */
int nf_pseudonyms_new(netfeat_ctx *ctx, const uint8_t key[NF_PSEUDONYM_KEY], nf_pseudonyms **ret);
/* NULL is fine. The key's traces are wiped. */
void nf_pseudonyms_free(netfeat_ctx *ctx, nf_pseudonyms *ps);

/* Replace an address of `bytes` bytes (4 or 16) by one that shares as many leading bits with the pseudonyms of other
   addresses as the address does with theirs: Crypto-PAn (Xu, Fan, Ammar, Moon: Prefix-Preserving IP Address
   Anonymization, ICNP 2002). */
void nf_pseudonym_address(const nf_pseudonyms *ps, uint8_t *address, size_t bytes);
/* Replace a MAC address. Groups stay groups; the broadcast address stays. */
void nf_pseudonym_mac(const nf_pseudonyms *ps, uint8_t mac[6]);

#endif
