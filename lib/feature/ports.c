#include "feature/ports.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/retry.h"
#include "feature/state.h"

const char *nf_ports_notebook(void)
{
    return "1=ICMP,6=TCP,17=UDP,23=Telnet,41=IPv6_encapsulation,47=GRE,50=ESP,51=AH,53=DNS,58=ICMPv6,89=OSPF,"
           "132=SCTP,135=SCTP,136=UDPLite,137=NETBIOS-NS,138=NETBIOS-DGM,139=NETBIOS-SSN,143=IMAP,161=SNMP,"
           "162=SNMP_trap,443=HTTPS,514=Syslog,636=LDAPS,989=FTPS,993=IMAPS,995=POP3S,1080=SOCKS_proxy";
}

/* Decimal digits at *at, at most max; false when there are none or too many. */
static bool read_number(const char **at, const char *end, uint64_t max, uint64_t *ret)
{
    const char *p = *at;
    uint64_t v = 0;

    for (; p < end && *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (v > (max - digit) / 10) {
            return false;
        }
        v = v * 10 + digit;
    }
    if (p == *at) {
        return false;
    }
    *at = p;
    *ret = v;
    return true;
}

int nf_ports_next(netfeat_ctx *ctx, const char **at, nf_port_entry *ret)
{
    const char *p = *at;

    if (*p == '\0') {
        return 0;
    }
    if (!read_number(&p, p + strlen(p), UINT64_MAX, &ret->value) || *p != '=') {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "feature.map: value=name expected at \"%.20s\"", *at);
    }
    ret->name = ++p;
    ret->length = strcspn(p, ",");
    if (ret->length == 0) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "feature.map: no name for %llu",
                        (unsigned long long)ret->value);
    }
    p += ret->length;
    *at = *p == ',' ? p + 1 : p;
    return 1;
}

/* ---- the services database ---- */

#define FILE_MAX ((size_t)4 << 20)
#define PORTS    65536

static int read_file(netfeat_ctx *ctx, const char *path, char **ret, size_t *ret_cap, size_t *ret_size)
{
    int fd;
    void *data = NULL;
    size_t cap = 0, size = 0;
    ssize_t got = 1;
    int code;

    NF_RETRY(ctx, fd, open(path, O_RDONLY | O_CLOEXEC));
    code = fd >= 0 ? NETFEAT_OK : nf_error_errno(ctx, errno, "open %s", path);
    while (code == 0 && got != 0) {
        code = nf_grow(ctx, &data, &cap, size + 4096, 1);
        if (code != 0) {
            break;
        }
        NF_RETRY(ctx, got, read(fd, (char *)data + size, cap - size));
        if (got < 0) {
            code = nf_error_errno(ctx, errno, "read %s", path);
        }
        size += got > 0 ? (size_t)got : 0;
        if (code == 0 && size > FILE_MAX) {
            code = nf_error(ctx, NETFEAT_ERR_LIMIT, "%s: more than %zu bytes", path, FILE_MAX);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    if (code != 0) {
        nf_free(ctx, data, cap);
        return code;
    }
    *ret = data;
    *ret_cap = cap;
    *ret_size = size;
    return NETFEAT_OK;
}

typedef struct {
    const char *name; /* in the file; NULL: no service */
    size_t length;
} service;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* A line is: name, blanks, port/protocol, aliases; # begins a comment. Others are passed over. */
static void read_line(const char *p, const char *end, service *services)
{
    const char *hash = memchr(p, '#', (size_t)(end - p));
    const char *name;
    uint64_t port;
    size_t length;

    end = hash != NULL ? hash : end;
    for (; p < end && is_blank(*p); p++) {
    }
    for (name = p; p < end && !is_blank(*p) && *p != ',' && *p != '='; p++) {
    }
    length = (size_t)(p - name);
    for (; p < end && is_blank(*p); p++) {
    }
    if (length == 0 || !read_number(&p, end, PORTS - 1, &port) || p == end || *p != '/') {
        return;
    }
    if (services[port].name == NULL) {
        services[port] = (service){name, length};
    }
}

/* Has a lower port this name already? */
static bool is_taken(const service *services, uint32_t port)
{
    for (uint32_t i = 0; i < port; i++) {
        if (services[i].name != NULL && services[i].length == services[port].length &&
            memcmp(services[i].name, services[port].name, services[port].length) == 0) {
            return true;
        }
    }
    return false;
}

static size_t put_number(char *to, uint32_t v)
{
    char digits[12];
    size_t n = 0;

    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    for (size_t i = 0; i < n; i++) {
        to[i] = digits[n - 1 - i];
    }
    return n;
}

static int list_services(netfeat_ctx *ctx, const service *services, char **ret, size_t *ret_size)
{
    void *text = NULL;
    size_t cap = 0, size = 0;
    int code = NETFEAT_OK;

    for (uint32_t port = 0; code == 0 && port < PORTS; port++) {
        const service *s = &services[port];
        if (s->name == NULL) {
            continue;
        }
        code = nf_grow(ctx, &text, &cap, size + s->length + 16, 1);
        if (code == 0) {
            char *to = (char *)text + size;
            size_t n = 0;
            if (size > 0) {
                to[n++] = ',';
            }
            n += put_number(to + n, port);
            to[n++] = '=';
            memcpy(to + n, s->name, s->length);
            n += s->length;
            if (is_taken(services, port)) {
                to[n++] = '_';
                n += put_number(to + n, port);
            }
            size += n;
        }
    }
    code = code != 0 ? code : nf_grow(ctx, &text, &cap, size + 1, 1);
    if (code != 0) {
        nf_free(ctx, text, cap);
        return code;
    }
    ((char *)text)[size] = '\0';
    *ret = text;
    *ret_size = cap;
    return NETFEAT_OK;
}

int nf_ports_services(netfeat_ctx *ctx, const char *path, char **ret, size_t *ret_size)
{
    service *services = nf_alloc_zero(ctx, PORTS * sizeof *services);
    char *file = NULL;
    size_t cap = 0, size = 0;
    int code = services != NULL ? NETFEAT_OK : nf_ctx_code(ctx);

    code = code != 0 ? code : read_file(ctx, path, &file, &cap, &size);
    for (size_t at = 0; code == 0 && at < size;) {
        const char *end = memchr(file + at, '\n', size - at);
        end = end != NULL ? end : file + size;
        read_line(file + at, end, services);
        at = (size_t)(end - file) + 1;
    }
    code = code != 0 ? code : list_services(ctx, services, ret, ret_size);
    nf_free(ctx, file, cap);
    nf_free(ctx, services, PORTS * sizeof *services);
    return code;
}

/* ---- as a table ---- */

static int ports_table(netfeat_ctx *ctx, const char *text, netfeat_table **ret)
{
    nf_builder values, names;
    netfeat_column *col = NULL;
    nf_port_entry e;
    nf_outputs out;
    int code;

    nf_outputs_init(&out, ctx);
    nf_builder_init(&values, ctx, NETFEAT_TYPE_U16);
    nf_builder_init(&names, ctx, NETFEAT_TYPE_TEXT);
    while ((code = nf_ports_next(ctx, &text, &e)) > 0) {
        code = nf_builder_add_u64(&values, e.value);
        code = code != 0 ? code : nf_builder_add_bytes(&names, e.name, e.length);
        if (code != 0) {
            break;
        }
    }
    code = code != 0 ? code : nf_builder_finish(&values, "", "feature.ports@1", "never", &col);
    code = code != 0 ? code : nf_outputs_add(&out, "value", col);
    code = code != 0 ? code : nf_builder_finish(&names, "", "feature.ports@1", "never", &col);
    code = code != 0 ? code : nf_outputs_add(&out, "name", col);
    code = code != 0 ? code : nf_outputs_table(&out, true, ret);
    nf_builder_free(&values);
    nf_builder_free(&names);
    nf_outputs_free(&out);
    return code;
}

int netfeat_feature_ports(netfeat_ctx *ctx, int ports, const netfeat_options *opts, netfeat_table **ret)
{
    char *text = NULL;
    size_t size = 0;
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (ret == NULL || (ports != NETFEAT_PORTS_NOTEBOOK && ports != NETFEAT_PORTS_SERVICES)) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "feature_ports: no such map, or ret is NULL");
    }
    if (ports == NETFEAT_PORTS_NOTEBOOK) {
        return ports_table(ctx, nf_ports_notebook(), ret);
    }
    code = nf_ports_services(ctx, netfeat_options_get_text(opts, NETFEAT_OPT_FEATURE_SERVICES_FILE), &text,
                             &size);
    code = code != 0 ? code : ports_table(ctx, text, ret);
    nf_free(ctx, text, size);
    return code;
}
