#include <netfeat/error.h>

#define ERRORS(X)                                                                                            \
    X(OK, "no error")                                                                                        \
    X(ERR_NOMEM, "out of memory")                                                                            \
    X(ERR_ARGUMENT, "the caller passed an impossible argument")                                              \
    X(ERR_STATE, "the call does not fit the object's present state")                                         \
    X(ERR_IO, "a system call failed")                                                                        \
    X(ERR_FORMAT, "the input is not what it claims to be")                                                   \
    X(ERR_TRUNCATED, "the input ends in the middle of a record")                                             \
    X(ERR_UNSUPPORTED, "valid, but not supported by this build or version")                                  \
    X(ERR_LIMIT, "a configured limit was reached")                                                           \
    X(ERR_NOTFOUND, "no such file, column, option, device or category")                                      \
    X(ERR_TYPE, "the type does not fit the operation")                                                       \
    X(ERR_RANGE, "an index or value is out of bounds")                                                       \
    X(ERR_CANCELLED, "the call was interrupted")                                                             \
    X(ERR_PERMISSION, "the system does not permit it")                                                       \
    X(ERR_INTERNAL, "a bug in libnetfeat")

#define NAME(suffix, text)                                                                                   \
    case NETFEAT_##suffix:                                                                                   \
        return #suffix;
#define TEXT(suffix, text)                                                                                   \
    case NETFEAT_##suffix:                                                                                   \
        return text;

static const char *raw_name(int code)
{
    switch (code) {
        ERRORS(NAME)
    default:
        return "ERR_UNKNOWN";
    }
}

const char *netfeat_error_name(int code)
{
    const char *name = raw_name(code);
    return code == NETFEAT_OK ? name : name + sizeof "ERR_" - 1;
}

const char *netfeat_error_text(int code)
{
    switch (code) {
        ERRORS(TEXT)
    default:
        return "an error that this version does not know";
    }
}
