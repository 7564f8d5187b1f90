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
cmake --preset dev
cmake --build --preset dev
exec ctest --preset dev --parallel "$(nproc)" --no-label-summary "$@" </dev/null
