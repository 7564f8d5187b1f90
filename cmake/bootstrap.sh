#!/usr/bin/env bash
# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
#
# cmake/bootstrap.sh [build|test|bench]... [--list]
#
# Installs what is missing of the Debian packages that building (the default; examples included),
# testing and benchmarking need, without questions: as root, or through sudo. A no-op when all is
# there. --list prints the packages of the groups instead.
set -euo pipefail

build=(clang-19 lld-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev libfuzzer-19-dev
  cmake ninja-build ccache git curl
  libasio-dev libc-ares-dev libnghttp2-dev libfmt-dev android-libboringssl-dev libyaml-cpp-dev
  libcli11-dev zlib1g-dev libbrotli-dev libzstd-dev catch2 libbenchmark-dev)
test=(python3 python3-h2 python3-grpcio nginx-light haproxy wrk nodejs nghttp2-client nghttp2-server g++-12
  openssl gnutls-bin testssl.sh dpkg-dev libssl-dev libcurl4-openssl-dev)
bench=(python3 nginx-light libnginx-mod-http-lua haproxy wrk valgrind openssl libssl-dev
  curl h2o nghttp2-client nghttp2-proxy nghttp2-server)

packages=()
list=
for argument in "${@:-build}"; do
  case "$argument" in
    build) packages+=("${build[@]}") ;;
    test) packages+=("${build[@]}" "${test[@]}") ;;
    bench) packages+=("${build[@]}" "${bench[@]}") ;;
    --list) list=yes ;;
    *) echo "bootstrap.sh: no group '$argument'; there are build, test and bench" >&2; exit 2 ;;
  esac
done
if [[ -n "$list" ]]; then
  [[ ${#packages[@]} -gt 0 ]] || packages=("${build[@]}" "${test[@]}" "${bench[@]}")
  printf '%s\n' "${packages[@]}" | LC_ALL=C sort -u
  exit 0
fi

if ! command -v dpkg-query >/dev/null; then
  echo "bootstrap.sh: not a Debian system; install these yourself if they are missing:" >&2
  echo "  ${packages[*]}" >&2
  exit 0
fi

# One dpkg-query for all: what is installed may be provided by another package (nginx-light by
# nginx-extras, say), so what only gives a command counts as there when the command is.
installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' 2>/dev/null |
  awk '$1 == "installed" { print $2 }')
declare -A have=()
while read -r package; do have["$package"]=yes; done <<<"$installed"
provides_command() {
  case "$1" in
    cmake | curl | git | python3 | haproxy | ccache | wrk | valgrind | g++-12) command -v "$1" ;;
    ninja-build) command -v ninja ;;
    nodejs) command -v node ;;
    nginx-light) command -v nginx || command -v /usr/sbin/nginx ;;
    *) return 1 ;;
  esac >/dev/null
}
missing=()
for package in "${packages[@]}"; do
  [[ -n "${have[$package]:-}" ]] || provides_command "$package" || missing+=("$package")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

echo "bootstrap.sh: installing ${missing[*]}"
as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "bootstrap.sh: neither root nor sudo; run as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo -n)
  # A password is asked for only where somebody can type it.
  [[ -t 0 ]] && as_root=(sudo)
fi
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Use-Pty=0 "$@" </dev/null
}
# Services are not to be started by the installation: nginx and haproxy are only run by us. A policy
# that is already there is left alone.
policy=/usr/sbin/policy-rc.d
if [[ ! -e "$policy" ]]; then
  "${as_root[@]}" sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
apt install --no-install-recommends -y "${missing[@]}" 2>/dev/null ||
  { apt update && apt install --no-install-recommends -y "${missing[@]}"; }
