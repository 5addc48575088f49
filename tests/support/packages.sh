# Debian packages that the scripts of this tree need; sourced by examples/quickstart.sh, tests/run.sh and
# tests/deep.sh. Nothing is touched when everything is there; what is installed is said first.

build_packages="gcc libc6-dev meson ninja-build pkg-config libpcap-dev libxxhash-dev"
codec_packages="zlib1g-dev libzstd-dev liblz4-dev liblzma-dev libbz2-dev nettle-dev"
sensor_packages="libseccomp-dev"

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo -- "$@"
    else
        echo "This needs root, and there is no sudo: $*" >&2
        return 1
    fi
}

# Those of the named packages that are not installed.
missing_packages() {
    for package in "$@"; do
        status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || status=no
        [ "$status" = installed ] || printf '%s ' "$package"
    done
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null
}

# The named packages, or a failure.
need_packages() {
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    echo "== Installing by apt: $missing"
    # shellcheck disable=SC2086 # a list of words
    apt_install $missing >/dev/null 2>&1 && return 0
    as_root apt-get update -q </dev/null || echo "apt-get update failed; going on with the lists that are there" >&2
    # shellcheck disable=SC2086
    apt_install $missing
}

# The named packages as far as they can be had: what needs them is skipped otherwise.
want_packages() {
    need_packages "$@" && return 0
    for package in "$@"; do
        need_packages "$package" || echo "== Going on without $package"
    done
}

# What it takes to build the library: packages on Debian, elsewhere a check that names what is missing.
need_build_tools() {
    if command -v apt-get >/dev/null 2>&1 && command -v dpkg-query >/dev/null 2>&1; then
        # shellcheck disable=SC2086
        need_packages $build_packages && want_packages $codec_packages $sensor_packages
        return
    fi
    lacking=
    for tool in cc meson ninja pkg-config; do
        command -v "$tool" >/dev/null 2>&1 || lacking="$lacking $tool"
    done
    for module in libpcap libxxhash; do
        pkg-config --exists "$module" 2>/dev/null || lacking="$lacking $module(headers)"
    done
    [ -z "$lacking" ] && return
    echo "Please install what is missing:$lacking" >&2
    echo "Needed: a C11 compiler, meson >= 1.0, ninja, pkg-config, libpcap and xxHash with their headers;" >&2
    echo "zlib, zstd and lz4 with headers are welcome." >&2
    return 1
}
