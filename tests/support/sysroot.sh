#!/bin/sh
# The libraries and headers that the library and its tests need, for another processor, in a folder of their own, and a
# cross file for meson: for tests/deep.sh. Debian's packages are fetched and unpacked, not installed; nothing of the system
# changes. Needed beside it: the cross compiler, and for s390x qemu-user.
#   tests/support/sysroot.sh i386|s390x FOLDER     makes FOLDER/root and FOLDER/cross.ini
set -eu
architecture=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
root=$folder/root

case $architecture in
i386)
    compiler=i686-linux-gnu libraries=i386-linux-gnu family=x86 endian=little
    # this processor runs it, with the loader and the libraries of that folder
    wrapper="'$root/lib/ld-linux.so.2', '--library-path', '$root/lib/$libraries:$root/usr/lib/$libraries'"
    ;;
s390x)
    compiler=s390x-linux-gnu libraries=s390x-linux-gnu family=s390x endian=big
    wrapper="'qemu-s390x', '-L', '$root'"
    ;;
*) echo "unknown architecture: $architecture" >&2 && exit 2 ;;
esac
cat >"$folder/cross.ini" <<END
[binaries]
c = '$compiler-gcc'
ar = '$compiler-ar'
strip = '$compiler-strip'
pkgconfig = 'pkg-config'
exe_wrapper = [$wrapper]
[properties]
needs_exe_wrapper = true
sys_root = '$root'
pkg_config_libdir = ['$root/usr/lib/$libraries/pkgconfig', '$root/usr/share/pkgconfig']
[built-in options]
c_args = ['--sysroot=$root']
c_link_args = ['--sysroot=$root']
[host_machine]
system = 'linux'
cpu_family = '$family'
cpu = '$family'
endian = '$endian'
END
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
