#!/usr/bin/env bash
# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
#
# Measures our proxy beside nginx, HAProxy and Pingora (Rust): benchmarks/run.sh --help
#   benchmarks/run.sh [SCENARIO ...] [--rounds N] [--json FILE]
# With PINGORA_BENCH_NO_BUILD=1 it uses what is installed and built. With PINGORA_BENCH_STATIC=1 it
# also builds BoringSSL as static archives and our proxy with them, for the TLS handshakes.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build

if [[ " $* " != *" --help "* && " $* " != *" -h "* && -z ${PINGORA_BENCH_NO_BUILD:-} ]]; then
  "$root/cmake/bootstrap.sh" bench
  targets=(pingora-proxy relay)
  for program in "$root"/benchmarks/programs/*.cc; do
    [[ -e $program ]] && targets+=("$(basename "$program" .cc)")
  done
  (
    cd "$root"
    cmake --preset release
    cmake --build --preset release --target "${targets[@]}"
    if [[ -n ${PINGORA_BENCH_STATIC:-} ]]; then
      cmake/build_boringssl.sh "$build/boringssl"
      cmake --preset release -B "$build/release_static" -DBORINGSSL_ROOT="$build/boringssl"
      cmake --build "$build/release_static" --target pingora-proxy relay
    fi
  ) >&2
  if command -v cargo >/dev/null; then
    # A missing Rust peer is a note in the table, not a failure.
    nice cargo build --release --locked --target-dir "$build/peers/pingora_rust" \
      --manifest-path "$root/benchmarks/peers/pingora_rust/Cargo.toml" >&2 ||
      echo "The Pingora (Rust) peer did not build." >&2
  fi
fi
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$root/benchmarks/harness/main.py" "$@"
