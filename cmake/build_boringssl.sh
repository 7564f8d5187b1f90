#!/usr/bin/env bash
# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
#
# cmake/build_boringssl.sh PREFIX
#
# Builds BoringSSL as static archives into PREFIX, for -DBORINGSSL_ROOT=PREFIX, from the source
# package of Debian's android-libboringssl. Needs neither root nor Go nor Perl: the assembly comes
# generated. Takes about a minute of CPU time. Does nothing when this script has filled PREFIX before;
# remove PREFIX to build a newer source.
#
# What the shared library of the package does not give:
# - speed: the package is built with OPENSSL_SMALL, whose P-256 is less than half as fast;
# - peace with OpenSSL: every C symbol gets the prefix pingora_bssl_ (BoringSSL's own BORINGSSL_PREFIX
#   does that), every C++ symbol a namespace, and all of them are hidden. So nothing in the same
#   process or even in the same link can be mistaken for OpenSSL's or another BoringSSL's.
#
# Ends with 77 where apt-get cannot get the source package.
#
# BORINGSSL_SOURCE_DIR, if set, is an unpacked source package to build instead of a fresh one.
set -euo pipefail

package=android-platform-external-boringssl
symbol_prefix=pingora_bssl
if [[ $# -ne 1 || "$1" == -* ]]; then
  echo "usage: cmake/build_boringssl.sh PREFIX" >&2
  exit 2
fi
mkdir -p "$1"
prefix=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { echo "build_boringssl.sh: $*"; }
die() { say "$*" >&2; exit 1; }

# The package's source, in $work/source. Where apt knows no sources, lists of our own are made, which
# leave the system's as they are; apt verifies what it gets by the signature of the archive.
fetch() {
  local apt=(apt-get -qq -o APT::Sandbox::User= -o Dir::Cache="$work/cache") codename
  mkdir -p "$work/download" "$work/cache/archives/partial" "$work/lists/partial"
  cd "$work/download"
  if ! "${apt[@]}" source --download-only "$package" >/dev/null 2>&1; then
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
      "${DEBIAN_MIRROR:-http://deb.debian.org/debian} $codename main" >"$work/sources.list"
    apt+=(-o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=-
      -o Dir::State::lists="$work/lists")
    if ! { "${apt[@]}" update && "${apt[@]}" source --download-only "$package"; } >/dev/null; then
      say "no source package $package can be had" >&2
      exit 77
    fi
  fi
  dpkg-source --no-check -x ./*.dsc "$work/source" >/dev/null
}

# The files of a list in debian/sources.mk.
listed() {
  make --no-print-directory -f - print <<<"include debian/sources.mk
print: ; @printf '%s\\n' \$($1)"
}

# compile DIRECTORY FLAGS...: the objects of both libraries into DIRECTORY.
compile() {
  local out=$1 list source
  shift
  mkdir -p "$out/crypto" "$out/ssl"
  for list in crypto ssl; do
    while read -r source; do
      printf '%s\0%s\0' "$source" "$out/$list/${source//\//_}.o"
    done <"$work/$list.files"
  done >"$out/jobs"
  CC=$cc CXX=$cxx FIELD_CC=$field_cc FLAGS="$common $*" xargs -0 -n 2 -P "$(nproc)" bash -c '
    case "$0" in
      */curve25519/curve25519.c) exec $FIELD_CC -std=gnu11 $FLAGS -O3 -c "$0" -o "$1" ;;
      *.cc) exec $CXX -std=gnu++17 -fno-exceptions -fno-rtti $FLAGS -c "$0" -o "$1" ;;
      *) exec $CC -std=gnu11 $FLAGS -c "$0" -o "$1" ;;
    esac' <"$out/jobs"
}

# The headers that BORINGSSL_PREFIX reads: a definition for each global C symbol in DIRECTORY, and for
# the hooks that it looks for, so that it finds the library's own and nobody else's.
write_prefix_headers() {
  local include=$1 name
  {
    nm --defined-only --extern-only --format=posix "$2"/*/*.o |
      awk 'NF >= 3 && $1 !~ /^_/ { print $1 }'
    printf '%s\n' OPENSSL_memory_alloc OPENSSL_memory_free OPENSSL_memory_get_size
  } | LC_ALL=C sort -u >"$work/symbols"
  {
    echo "// The C symbols of this build, prefixed. Made by build_boringssl.sh."
    echo "#pragma once"
    while read -r name; do echo "#define $name ${symbol_prefix}_$name"; done <"$work/symbols"
  } >"$include/boringssl_prefix_symbols.h"
  cp "$include/boringssl_prefix_symbols.h" "$include/boringssl_prefix_symbols_asm.h"
}

stamp=$(sha256sum <"${BASH_SOURCE[0]}")
if [[ "$(cat "$prefix/stamp" 2>/dev/null)" == "$stamp" ]]; then
  say "$prefix is there: $(cat "$prefix/version")"
  exit 0
fi
cc=$(command -v clang-19 || command -v clang || command -v cc) || die "no C compiler"
cxx=$(command -v clang++-19 || command -v clang++ || command -v c++) || die "no C++ compiler"
# X25519 is two thirds of a handshake's arithmetic, and C. GCC's code for it takes three quarters of
# the time of clang's.
field_cc=$(command -v gcc || echo "$cc")
for tool in nm ar make; do command -v $tool >/dev/null || die "needs $tool"; done

if [[ -n "${BORINGSSL_SOURCE_DIR:-}" ]]; then
  cp -r "$BORINGSSL_SOURCE_DIR" "$work/source"
else
  command -v dpkg-source >/dev/null || die "needs dpkg-source, of the package dpkg-dev"
  fetch
fi
cd "$work/source"
[[ -f debian/sources.mk ]] || die "no debian/sources.mk in the source: not the package expected"
version=$(sed -nE '1s/.*\((.*)\).*/\1/p' debian/changelog)

case "$(uname -m)" in
  x86_64) assembly=linux_x86_64_sources ;;
  aarch64) assembly=linux_aarch64_sources ;;
  *) die "no assembly for $(uname -m) is known to this script" ;;
esac
{ listed crypto_sources; listed "$assembly"; } | grep -v /test/ >"$work/crypto.files"
listed ssl_sources >"$work/ssl.files"

common="-Isrc/include -DBORINGSSL_IMPLEMENTATION -DNDEBUG -fPIC -fvisibility=hidden
  -fno-strict-aliasing -ffunction-sections -fdata-sections -Wa,--noexecstack -w"
say "building $version with $cc"
# Twice: first to learn the names of all symbols, as fast as a compiler can.
compile "$work/plain" -O0
rm -rf "$prefix/include" "$prefix/lib" "$prefix/stamp"
mkdir -p "$prefix/include" "$prefix/lib"
cp -r src/include/. "$prefix/include"
write_prefix_headers "$prefix/include" "$work/plain"
compile "$work/objects" -O2 "-I$prefix/include" "-DBORINGSSL_PREFIX=$symbol_prefix"
for library in crypto ssl; do
  ar rcsD "$prefix/lib/lib$library.a" "$work/objects/$library"/*.o
done
cp src/LICENSE "$prefix/LICENSE"
left=$(nm --defined-only --extern-only --format=posix "$prefix"/lib/*.a 2>/dev/null |
  awk -v prefix="${symbol_prefix}_" 'NF >= 3 && $1 !~ /^_/ && index($1, prefix) != 1 { print $1 }')
[[ -z "$left" ]] || die "symbols without the prefix: $left"
echo "$version" >"$prefix/version"
echo "$stamp" >"$prefix/stamp"
say "done: configure with -DBORINGSSL_ROOT=$prefix"
