/* What a user of the installed library compiles, as C and as C++: a table out of a packet made by hand. */
#include <netfeat/netfeat.h>
#include <stdio.h>
#include <string.h>

static const unsigned char packet[] = {
    2,    0,    0, 0,  0, 2, 2, 0, 0,  0,  0, 1, 8,   0,                         /* Ethernet */
    0x45, 0,    0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 53, /* IPv4 */
    0x30, 0x39, 0, 53, 0, 8, 0, 0                                                /* UDP */
};

int main(void)
{
    netfeat_ctx *ctx = NULL;
    netfeat_table *tab = NULL;
    char text[64] = "";
    int good;

    if (netfeat_abi_version() != NETFEAT_ABI_VERSION || netfeat_ctx_new(&ctx) != 0) {
        return 1;
    }
    good = netfeat_table_new(ctx, NULL, &tab) == 0 &&
           netfeat_table_append_packet(tab, 1, 0, sizeof packet, packet, sizeof packet) == 0 &&
           netfeat_table_seal(tab) == 0 && netfeat_table_rows(tab) == 1 &&
           netfeat_column_get_text(netfeat_table_column(tab, netfeat_table_find(tab, "dst_ip")), 0, text,
                                   sizeof text, NULL) == 1;
    printf("%s %s\n", netfeat_version_string(), text);
    netfeat_table_unref(tab);
    netfeat_ctx_unref(ctx);
    return good && strcmp(text, "198.51.100.53") == 0 ? 0 : 1;
}
