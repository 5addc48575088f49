/* Pipelines out of JSON (RFC 8259). The text has one fixed shape, so that the reader is a list of expectations and
   not a general parser: nothing nests deeper than that shape, and nothing unknown is passed over. */
#include <string.h>

#include "base/utf8.h"
#include "feature/pipeline.h"

#define TEXT_MAX    ((size_t)1 << 20)
#define STRING_MAX_ 65536

typedef struct {
    netfeat_ctx *ctx;
    const char *begin, *at, *end;
    char *text; /* the last string read, decoded */
    size_t text_cap;
} reader;

static int bad(const reader *r, const char *wanted)
{
    return nf_error_at(r->ctx, NETFEAT_ERR_FORMAT, -1, r->at - r->begin,
                       "pipeline JSON: %s expected at byte %lld", wanted, (long long)(r->at - r->begin));
}

/* Next character that is no blank, or 0 at the end. */
static char peek(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')) {
        r->at++;
    }
    return r->at < r->end ? *r->at : '\0';
}

static bool take(reader *r, char c)
{
    if (peek(r) != c) {
        return false;
    }
    r->at++;
    return true;
}

static int expect(reader *r, char c)
{
    const char wanted[] = {c, '\0'};
    return take(r, c) ? NETFEAT_OK : bad(r, wanted);
}

/* After an element: 1 another one follows, 0 the closing bracket was taken. */
static int more(reader *r, char closing)
{
    const char wanted[] = {',', ' ', 'o', 'r', ' ', closing, '\0'};

    if (take(r, ',')) {
        return 1;
    }
    return take(r, closing) ? 0 : bad(r, wanted);
}

/* ---- strings ---- */

static bool read_hex4(reader *r, uint32_t *ret)
{
    uint32_t v = 0;

    if (r->end - r->at < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        char c = *r->at++;
        char low = (char)(c | 0x20);
        if (c >= '0' && c <= '9') {
            v = v << 4 | (uint32_t)(c - '0');
        } else if (low >= 'a' && low <= 'f') {
            v = v << 4 | (uint32_t)(low - 'a' + 10);
        } else {
            return false;
        }
    }
    *ret = v;
    return true;
}

/* Code point behind \u, surrogate pairs included; 0 and lone surrogates are refused. */
static bool read_unicode(reader *r, uint32_t *ret)
{
    uint32_t hi, lo;

    if (!read_hex4(r, &hi) || hi == 0 || (hi >= 0xdc00 && hi <= 0xdfff)) {
        return false;
    }
    if (hi < 0xd800 || hi > 0xdbff) {
        *ret = hi;
        return true;
    }
    if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u') {
        return false;
    }
    r->at += 2;
    if (!read_hex4(r, &lo) || lo < 0xdc00 || lo > 0xdfff) {
        return false;
    }
    *ret = 0x10000 + ((hi - 0xd800) << 10) + (lo - 0xdc00);
    return true;
}

static size_t put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3f));
        to[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3f));
    to[2] = (char)(0x80 | (c >> 6 & 0x3f));
    to[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* What follows a backslash; *ret_n bytes go to `to`, which holds four. */
static bool read_escape(reader *r, char *to, size_t *ret_n)
{
    static const char from[] = "\"\\/bfnrt";
    static const char into[] = "\"\\/\b\f\n\r\t";
    const char *p;
    uint32_t c;

    if (r->at == r->end) {
        return false;
    }
    if (*r->at == 'u') {
        r->at++;
        if (!read_unicode(r, &c)) {
            return false;
        }
        *ret_n = put_utf8(to, c);
        return true;
    }
    p = *r->at != '\0' ? strchr(from, *r->at) : NULL;
    if (p == NULL) {
        return false;
    }
    r->at++;
    to[0] = into[p - from];
    *ret_n = 1;
    return true;
}

/* A string into r->text. */
static int read_string(reader *r)
{
    size_t n = 0;
    int code = expect(r, '"');

    while (code == 0) {
        void *p = r->text;
        size_t step = 1;
        code = nf_grow(r->ctx, &p, &r->text_cap, n + 5, 1);
        r->text = p;
        if (code != 0) {
            return code;
        }
        if (r->at == r->end || (unsigned char)*r->at < 0x20 || n > STRING_MAX_) {
            return bad(r, "the end of a string of at most 64 KiB");
        }
        if (*r->at == '"') {
            r->at++;
            r->text[n] = '\0';
            return NETFEAT_OK;
        }
        if (*r->at == '\\') {
            r->at++;
            if (!read_escape(r, r->text + n, &step)) {
                return bad(r, "an escape sequence");
            }
        } else {
            r->text[n] = *r->at++;
        }
        n += step;
    }
    return code;
}

/* ---- numbers ---- */

static bool take_word(reader *r, const char *word)
{
    size_t n = strlen(word);

    peek(r);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0) {
        return false;
    }
    r->at += n;
    return true;
}

/* An integer of 64 bits, true or false. */
static int read_integer(reader *r, int64_t *ret)
{
    bool negative;
    const char *first;
    int64_t v = 0;

    if (take_word(r, "true") || take_word(r, "false")) {
        *ret = r->at[-2] == 'u';
        return NETFEAT_OK;
    }
    negative = take(r, '-');
    first = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') {
        int digit = *r->at - '0';
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, negative ? -digit : digit, &v)) {
            return bad(r, "an integer of 64 bits");
        }
        r->at++;
    }
    if (r->at == first || (*first == '0' && r->at - first > 1) ||
        (r->at < r->end && (*r->at == '.' || *r->at == 'e' || *r->at == 'E'))) {
        return bad(r, "an integer");
    }
    *ret = v;
    return NETFEAT_OK;
}

/* ---- a step ---- */

typedef struct {
    int feature;
    char *output;
    char *inputs[NF_INPUTS_MAX];
    size_t n_inputs;
    netfeat_options *opts;
    bool has_inputs;
} description;

static void drop_text(netfeat_ctx *ctx, char *text)
{
    if (text != NULL) {
        nf_free(ctx, text, strlen(text) + 1);
    }
}

static void drop_description(netfeat_ctx *ctx, description *d)
{
    drop_text(ctx, d->output);
    for (size_t i = 0; i < d->n_inputs; i++) {
        drop_text(ctx, d->inputs[i]);
    }
    netfeat_options_unref(d->opts);
}

static int read_copy(reader *r, char **ret)
{
    int code = read_string(r);

    if (code == 0) {
        *ret = nf_strndup(r->ctx, r->text, strlen(r->text));
        code = *ret != NULL ? NETFEAT_OK : nf_ctx_code(r->ctx);
    }
    return code;
}

static int read_inputs(reader *r, description *d)
{
    int code = expect(r, '[');

    d->has_inputs = true;
    if (code == 0 && take(r, ']')) {
        return NETFEAT_OK;
    }
    do {
        if (code == 0 && d->n_inputs == NF_INPUTS_MAX) {
            return bad(r, "no further input");
        }
        code = code < 0 ? code : read_copy(r, &d->inputs[d->n_inputs]);
        d->n_inputs += code == 0;
        code = code != 0 ? code : more(r, ']');
    } while (code > 0);
    return code;
}

static int read_option(reader *r, description *d)
{
    int64_t value = 0;
    int key, code = read_string(r);

    if (code != 0) {
        return code;
    }
    key = netfeat_option_by_name(r->text);
    if (key < 0 || key >> 8 != NETFEAT_OPT_FEATURE_NULL >> 8) {
        return bad(r, "the name of a feature option before here");
    }
    code = expect(r, ':');
    if (code == 0 && netfeat_option_kind(key) == NETFEAT_KIND_TEXT) {
        code = read_string(r);
        return code != 0 ? code : netfeat_options_set_text(d->opts, key, r->text);
    }
    code = code != 0 ? code : read_integer(r, &value);
    return code != 0 ? code : netfeat_options_set_int(d->opts, key, value);
}

static int read_options(reader *r, description *d)
{
    int code = d->opts == NULL ? netfeat_options_new(r->ctx, &d->opts) : bad(r, "no second list of options");

    code = code != 0 ? code : expect(r, '{');
    if (code != 0 || take(r, '}')) {
        return code;
    }
    do {
        code = read_option(r, d);
        code = code != 0 ? code : more(r, '}');
    } while (code > 0);
    return code;
}

static int read_member(reader *r, description *d)
{
    int code = read_string(r);
    bool is_feature = code == 0 && strcmp(r->text, "feature") == 0;
    bool is_inputs = code == 0 && strcmp(r->text, "inputs") == 0;
    bool is_output = code == 0 && strcmp(r->text, "output") == 0;
    bool is_options = code == 0 && strcmp(r->text, "options") == 0;

    code = code != 0 ? code : expect(r, ':');
    if (code != 0) {
        return code;
    }
    if (is_feature && d->feature == 0) {
        code = read_string(r);
        d->feature = code == 0 ? netfeat_feature_by_name(r->text) : 0;
        return code == 0 && d->feature < 0 ? bad(r, "the name of a feature before here") : code;
    }
    if (is_inputs && !d->has_inputs) {
        return read_inputs(r, d);
    }
    if (is_output && d->output == NULL) {
        return read_copy(r, &d->output);
    }
    return is_options ? read_options(r, d)
                      : bad(r, "feature, inputs, output or options, once each, before here");
}

static int read_step(reader *r, netfeat_pipeline *pipe)
{
    description d;
    nf_step *step = NULL;
    int code = expect(r, '{');

    memset(&d, 0, sizeof d);
    if (code == 0 && !take(r, '}')) {
        do {
            code = read_member(r, &d);
            code = code != 0 ? code : more(r, '}');
        } while (code > 0);
    }
    if (code == 0 && d.feature <= 0) {
        code = bad(r, "a feature before here");
    }
    code = code != 0 ? code
                     : nf_step_new(r->ctx, d.feature, (const char *const *)d.inputs, d.n_inputs, d.output,
                                   d.opts, &step);
    code = code != 0 ? code : nf_pipeline_add_step(pipe, step);
    drop_description(r->ctx, &d);
    return code;
}

/* ---- the whole ---- */

static int read_steps(reader *r, netfeat_pipeline *pipe)
{
    int code = expect(r, '[');

    if (code != 0 || take(r, ']')) {
        return code;
    }
    do {
        code = read_step(r, pipe);
        code = code != 0 ? code : more(r, ']');
    } while (code > 0);
    return code;
}

static int read_pipeline(reader *r, netfeat_pipeline *pipe)
{
    bool has_version = false, has_steps = false;
    int code = expect(r, '{');

    while (code >= 0) {
        int64_t version = 0;
        code = read_string(r);
        bool is_version = code == 0 && strcmp(r->text, "version") == 0 && !has_version;
        bool is_steps = code == 0 && strcmp(r->text, "steps") == 0 && !has_steps;
        code = code != 0 ? code : expect(r, ':');
        if (code == 0 && is_version) {
            code = read_integer(r, &version);
            if (code == 0 && version != 1) {
                return nf_error(r->ctx, NETFEAT_ERR_UNSUPPORTED,
                                "pipeline JSON: version %lld, this library reads 1", (long long)version);
            }
        } else if (code == 0) {
            code = is_steps ? read_steps(r, pipe) : bad(r, "version or steps, once each, before here");
        }
        has_version = has_version || is_version;
        has_steps = has_steps || is_steps;
        code = code != 0 ? code : more(r, '}');
        if (code == 0) {
            break;
        }
    }
    if (code == 0 && (!has_version || !has_steps)) {
        code = bad(r, "version and steps before here");
    }
    return code == 0 && peek(r) != '\0' ? bad(r, "the end") : code;
}

int netfeat_pipeline_from_json(netfeat_ctx *ctx, const char *text, size_t size, netfeat_pipeline **ret)
{
    netfeat_pipeline *pipe = NULL;
    reader r = {ctx, text, text, text + (text != NULL ? size : 0), NULL, 0};
    int code;

    if (ctx == NULL) {
        return NETFEAT_ERR_ARGUMENT;
    }
    if (text == NULL || ret == NULL) {
        return nf_error(ctx, NETFEAT_ERR_ARGUMENT, "pipeline_from_json: a pointer is NULL");
    }
    if (size > TEXT_MAX || !nf_utf8_valid(text, size) || memchr(text, 0, size) != NULL) {
        return nf_error(ctx, NETFEAT_ERR_FORMAT, "pipeline JSON: not UTF-8, or more than %zu bytes",
                        TEXT_MAX);
    }
    code = netfeat_pipeline_new(ctx, &pipe);
    code = code != 0 ? code : read_pipeline(&r, pipe);
    nf_free(ctx, r.text, r.text_cap);
    if (code != 0) {
        netfeat_pipeline_unref(pipe);
        return code;
    }
    *ret = pipe;
    return NETFEAT_OK;
}
