#!/bin/sh
# The libraries and headers that the library and its tests need, for another processor, in a folder of their own: for
# tests/deep.sh. Debian's packages are fetched and unpacked, not installed; nothing of the system changes.
#   tests/support/sysroot.sh DEBIAN_ARCHITECTURE FOLDER
set -eu
architecture=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
root=$folder/root
[ ! -f "$folder/complete" ] || exit 0

# apt with a state of its own: this architecture, nothing installed.
mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial" "$folder/apt/log" "$root"
: >"$folder/apt/status"
fetch() {
    apt-get -q -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" -o APT::Sandbox::User= \
        -o Dir::State="$folder/apt" -o Dir::State::lists="$folder/apt/lists" -o Dir::State::status="$folder/apt/status" \
        -o Dir::Cache="$folder/apt/cache" -o Dir::Log="$folder/apt/log" -o Dir::Etc::sourceparts="$folder/apt/sources" \
        -o Dir::Etc::sourcelist="$folder/apt/sources.list" -o Debug::NoLocking=1 "$@"
}
# The sources of this system that are Debian's: others may not know the architecture.
mkdir -p "$folder/apt/sources"
: >"$folder/apt/sources.list"
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ ! -f "$list" ] || grep -E '^deb .*debian\.org' "$list" >>"$folder/apt/sources.list" || :
done
for list in /etc/apt/sources.list.d/debian*.sources; do
    [ ! -f "$list" ] || cp "$list" "$folder/apt/sources/"
done
fetch update || echo "apt-get update failed in part; going on with the lists that came" >&2
fetch install -y --download-only --no-install-recommends libc6-dev libpcap0.8-dev libxxhash-dev zlib1g-dev libzstd-dev \
    liblz4-dev liblzma-dev libbz2-dev nettle-dev
for package in "$folder"/apt/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$root"
done
touch "$folder/complete"
