/* Reading packet scripts. */
#include "script.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *grow(void *p, size_t *cap, size_t need, size_t size)
{
    if (need > *cap) {
        *cap = need * 2 < 64 ? 64 : need * 2;
        p = realloc(p, *cap * size);
        if (p == NULL) {
            perror("realloc");
            exit(1);
        }
    }
    return p;
}

/* ---- text ---- */

void script_print(script_text *t, const char *format, ...)
{
    va_list args;
    int n;

    t->p = grow(t->p, &t->cap, t->size + 256, 1);
    va_start(args, format);
    n = vsnprintf(t->p + t->size, t->cap - t->size, format, args);
    va_end(args);
    t->size += (size_t)n;
}

static void add_bytes(script_text *t, const void *data, size_t size)
{
    t->p = grow(t->p, &t->cap, t->size + size + 1, 1);
    memcpy(t->p + t->size, data, size);
    t->size += size;
    t->p[t->size] = '\0';
}

void script_print_bytes(script_text *t, const uint8_t *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    bool plain = true;

    for (size_t i = 0; i < size; i++) {
        plain = plain && data[i] >= 0x20 && data[i] < 0x7f && data[i] != '"';
    }
    add_bytes(t, plain ? "\"" : "#", 1);
    for (size_t i = 0; i < size; i++) {
        char hex[2] = {digits[data[i] >> 4], digits[data[i] & 15]};
        add_bytes(t, plain ? (const char *)&data[i] : hex, plain ? 1 : 2);
    }
    add_bytes(t, "\"", plain ? 1 : 0);
}

/* ---- one line ---- */

static void fail(const char *line, const char *what)
{
    fprintf(stderr, "script: %s: %s\n", what, line);
    exit(1);
}

static unsigned parse_flags(const char *line, const char *word)
{
    static const char letters[] = "FSRPAU";
    unsigned flags = 0;

    for (; *word != '\0'; word++) {
        const char *at = strchr(letters, *word);
        if (at == NULL && *word != '0') {
            fail(line, "unknown flag");
        }
        flags |= at != NULL ? 1u << (at - letters) : 0;
    }
    return flags;
}

static void set_payload(script_packet *p, const char *text, size_t size, bool hex)
{
    p->len = (uint32_t)(hex ? size / 2 : size);
    p->captured = p->len;
    p->data = malloc(p->len + 1);
    for (size_t i = 0; i < p->len; i++) {
        unsigned value = 0;
        if (hex) {
            sscanf(text + 2 * i, "%2x", &value);
        }
        p->data[i] = (uint8_t)(hex ? value : (unsigned char)text[i]);
    }
}

static void parse_word(script_case *c, script_packet *p, const char *line, const char *word)
{
    if (word[0] == '+') {
        c->time_ns += (int64_t)(atof(word + 1) * 1e9 + 0.5);
        p->time_ns = c->time_ns;
    } else if (word[0] == '@') {
        double at = atof(word + 1) * 1e9;
        p->time_ns = (int64_t)(at < 0 ? at - 0.5 : at + 0.5);
    } else if (strcmp(word, "badsum") == 0) {
        p->bad_sum = true;
    } else if (strcmp(word, "md5") == 0) {
        p->md5 = true;
    } else if (sscanf(word, "ts=%u/%u", &p->tsval, &p->tsecr) == 2) {
        p->has_ts = true;
    } else if (sscanf(word, "cap=%u", &p->captured) != 1 && sscanf(word, "ws=%d", &p->scale) != 1 &&
               sscanf(word, "w=%d", &p->window) != 1 && sscanf(word, "urg=%d", &p->urgent) != 1) {
        fail(line, "unknown word");
    }
}

script_packet *script_add(script_case *c)
{
    script_packet *p;

    c->packets = grow(c->packets, &c->packets_cap, c->n_packets + 1, sizeof *c->packets);
    p = &c->packets[c->n_packets++];
    memset(p, 0, sizeof *p);
    p->window = 65535;
    p->scale = -1;
    c->time_ns += 1000000;
    p->time_ns = c->time_ns;
    return p;
}

static void parse_packet(script_case *c, const char *line)
{
    script_packet *p = script_add(c);
    const char *at = line + 1;
    char word[4096];
    uint32_t seq = 0, ack = 0;
    int used = 0;

    p->side = line[0] == '<';
    if (sscanf(at, " %15s %u/%u%n", word, &seq, &ack, &used) != 3) {
        ack = 0;
        if (sscanf(at, " %15s %u%n", word, &seq, &used) != 2) {
            fail(line, "FLAGS SEQ expected");
        }
    }
    p->flags = parse_flags(line, word);
    p->seq = seq + c->isn[p->side];
    p->ack = p->flags & NETFEAT_TCP_ACK ? ack + c->isn[!p->side] : 0;
    for (at += used; *at != '\0'; at += used) {
        if (at[0] == ' ') {
            used = 1;
        } else if (at[0] == '"') {
            const char *end = strchr(at + 1, '"');
            if (end == NULL) {
                fail(line, "quote expected");
            }
            set_payload(p, at + 1, (size_t)(end - at - 1), false);
            used = (int)(end - at) + 1;
        } else if (at[0] == '#') {
            used = 1 + (int)strspn(at + 1, "0123456789abcdef");
            set_payload(p, at + 1, (size_t)used - 1, true);
        } else {
            sscanf(at, "%4095s%n", word, &used);
            parse_word(c, p, line, word);
        }
    }
}

static void parse_handshake(script_case *c)
{
    parse_packet(c, "> S 0");
    parse_packet(c, "< SA 0/1");
    parse_packet(c, "> A 1/1");
}

void script_set(script_case *c, int key, int64_t value)
{
    c->options[c->n_options].key = key;
    c->options[c->n_options++].value = value;
}

static void parse_line(script_case *c, const char *line)
{
    script_number *count = &c->counts[c->n_counts];
    script_bytes *bytes = &c->bytes[c->n_bytes];
    char name[48];
    long long value;

    if (line[0] == '>' || line[0] == '<') {
        parse_packet(c, line);
    } else if (strcmp(line, "hs") == 0) {
        parse_handshake(c);
    } else if (line[0] == '=') {
        size_t size = strlen(line);
        c->expected = grow(c->expected, &c->expected_cap, c->expected_size + size + 2, 1);
        c->expected_size +=
            (size_t)sprintf(c->expected + c->expected_size, "%s\n", line + (size > 1 ? 2 : 1));
    } else if (sscanf(line, "set %47s %lld", name, &value) == 2) {
        if (netfeat_option_by_name(name) < 0) {
            fail(line, "no such option");
        }
        script_set(c, netfeat_option_by_name(name), value);
    } else if (sscanf(line, "count %47s %lld", count->name, &value) == 2) {
        count->value = value;
        c->n_counts++;
    } else if (sscanf(line, "bytes %15s %d \"%63[^\"]\"", bytes->policy, &bytes->from, bytes->text) == 3) {
        c->n_bytes++;
    } else if (sscanf(line, "isn %u %u", &c->isn[0], &c->isn[1]) != 2) {
        fail(line, "not understood");
    }
    if (c->n_options == SCRIPT_OPTIONS || c->n_counts == SCRIPT_CHECKS || c->n_bytes == SCRIPT_CHECKS) {
        fail(line, "too many of these");
    }
}

/* ---- files ---- */

typedef struct {
    script_case *list;
    size_t n, cap;
} case_list;

static void parse(case_list *cases, const char *text)
{
    size_t cap = 0;
    char *line = NULL;

    while (*text != '\0') {
        size_t size = strcspn(text, "\n");

        line = grow(line, &cap, size + 1, 1);
        memcpy(line, text, size);
        line[size] = '\0';
        text += size + (text[size] == '\n');
        if (strncmp(line, "case ", 5) == 0) {
            cases->list = grow(cases->list, &cases->cap, cases->n + 1, sizeof *cases->list);
            memset(&cases->list[cases->n], 0, sizeof cases->list[0]);
            snprintf(cases->list[cases->n].name, sizeof cases->list[0].name, "%s", line + 5);
            cases->list[cases->n].isn[0] = 1000;
            cases->list[cases->n].isn[1] = 5000;
            cases->n++;
        } else if (line[0] != '\0' && line[0] != '#' && cases->n > 0) {
            parse_line(&cases->list[cases->n - 1], line);
        }
    }
    free(line);
}

script_case *script_parse(const char *text, size_t *ret_n)
{
    case_list cases = {NULL, 0, 0};

    parse(&cases, text);
    *ret_n = cases.n;
    return cases.list;
}

static void parse_file(case_list *cases, const char *path)
{
    FILE *f = fopen(path, "rb");
    script_text t = {NULL, 0, 0};
    int c;

    if (f == NULL) {
        perror(path);
        exit(1);
    }
    while ((c = getc(f)) != EOF) {
        char byte = (char)c;
        add_bytes(&t, &byte, 1);
    }
    fclose(f);
    parse(cases, t.p != NULL ? t.p : "");
    free(t.p);
}

static int is_text(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);
    return n > 4 && strcmp(entry->d_name + n - 4, ".txt") == 0;
}

script_case *script_load(const char *folder, size_t *ret_n)
{
    case_list cases = {NULL, 0, 0};
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, is_text, alphasort);

    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        parse_file(&cases, path);
        free(entries[i]);
    }
    free(entries);
    *ret_n = cases.n;
    return cases.list;
}

void script_free(script_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < cases[i].n_packets; k++) {
            free(cases[i].packets[k].data);
        }
        free(cases[i].packets);
        free(cases[i].expected);
    }
    free(cases);
}

/* ---- the other direction ---- */

static bool starts_with_handshake(const script_case *c)
{
    static const unsigned flags[] = {NETFEAT_TCP_SYN, NETFEAT_TCP_SYN | NETFEAT_TCP_ACK, NETFEAT_TCP_ACK};

    for (size_t i = 0; i < 3; i++) {
        if (i >= c->n_packets || c->packets[i].flags != flags[i] || c->packets[i].len > 0 ||
            c->packets[i].side != (int)(i % 2)) {
            return false;
        }
    }
    return true;
}

bool script_mirror(script_case *c)
{
    uint32_t isn[2] = {c->isn[1], c->isn[0]};
    int opened = 0;

    if (!starts_with_handshake(c)) {
        return false;
    }
    for (size_t i = 0; i < c->n_packets; i++) {
        script_packet *p = &c->packets[i];
        uint32_t seq = p->seq - c->isn[p->side], ack = p->ack - c->isn[!p->side];

        p->side = i < 3 ? p->side : !p->side;
        p->seq = seq + isn[p->side];
        p->ack = p->flags & NETFEAT_TCP_ACK ? ack + isn[!p->side] : p->ack;
    }
    c->isn[0] = isn[0];
    c->isn[1] = isn[1];
    for (char *line = c->expected; line != NULL && *line != '\0'; line += *line == '\n') {
        opened += strncmp(line, "open\n", 5) == 0;
        if ((line[0] == '>' || line[0] == '<') &&
            opened < 2) { /* a second stream begins with who sends first */
            line[0] = line[0] == '>' ? '<' : '>';
        }
        line += strcspn(line, "\n");
    }
    return true;
}
