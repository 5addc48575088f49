/* ports.h - maps of port numbers to names, as text "value=name,value=name". */
#ifndef NF_FEATURE_PORTS_H
#define NF_FEATURE_PORTS_H

#include "feature/feature.h"

/* The notebook's 27 ports, in its order, with its two entries called SCTP. Static. */
const char *nf_ports_notebook(void);
/* The services database in a file (services(5)): ports ascending, the first name of each; a name that has been
   given to a lower port already gets its port added. *ret is owned: nf_free with *ret_size. NOTFOUND, IO,
   LIMIT. */
int nf_ports_services(netfeat_ctx *ctx, const char *path, char **ret, size_t *ret_size);

/* The next entry of such a text: 1 and the entry, 0 at the end, ARGUMENT (not of that form). */
typedef struct {
    uint64_t value;
    const char *name; /* not terminated */
    size_t length;
} nf_port_entry;
int nf_ports_next(netfeat_ctx *ctx, const char **at, nf_port_entry *ret);

#endif
