#!/usr/bin/env bash
# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
#
# tests/run.sh [CTEST ARGUMENT]...
#
# Installs what is missing, builds the dev preset and runs every test, or those that the arguments
# select (`tests/run.sh -R h1`). Ends with ctest's summary; the exit code is ctest's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cmake/bootstrap.sh test
# Conformance tests of HTTP/2 that only Go has, which may be installed where PATH does not lead.
# Without them their tests are skipped, and ctest says so.
PATH=$PATH:/usr/local/go/bin$(printf ':%s' /usr/lib/go*/bin)
for tool in h2spec h2specd; do
  [[ ! -x build/tools/$tool ]] || continue
  command -v go >/dev/null || { echo "run.sh: no Go to install $tool with" >&2; continue; }
  GOBIN=$PWD/build/tools timeout 180 \
    go install "github.com/summerwind/h2spec/cmd/$tool@v2.2.1+incompatible" ||
    echo "run.sh: $tool could not be installed" >&2
done
# gRPC for node, which comes with npm where there is one.
grpc_js=build/tools/node/node_modules/@grpc/grpc-js
if [[ ! -d $grpc_js ]] && command -v npm >/dev/null; then
  timeout 180 npm install --prefix build/tools/node --no-save --no-audit --no-fund \
    --loglevel=error --fetch-retries=1 @grpc/grpc-js@1.12.6 || echo "run.sh: grpc-js could not be installed" >&2
fi
cmake --preset dev
cmake --build --preset dev
exec ctest --preset dev --parallel "$(nproc)" --no-label-summary "$@" </dev/null
