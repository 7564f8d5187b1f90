#!/usr/bin/env bash
# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
#
# examples/run.sh [NAME] [--check]
#
# Installs what is missing, builds the release preset, and runs an example, load_balancer by
# default, in front of origins of its own: "one" on port 6190, "two" on 6191, and a dead one on
# 6192. `origin PORT NAME` is what answers there, with its name in the header X-Origin. Shows the
# example at work, then serves until Ctrl-C; with --check it exits with 0 or 1 instead.
#
# What shows an example at work are the curl lines of the comment that its source opens with:
#
#   //   curl -s http://127.0.0.1:6188/
#   //   => hello
#
# Each is run, and what it prints must contain the text of the => lines below it. openssl lines
# before them make what the example finds in its directory, which is a temporary one then.
#
# PINGORA_BIN_DIR=DIR takes the programs from DIR, and neither installs nor builds.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

name=load_balancer
check=
for argument in "$@"; do
  case "$argument" in
    --check) check=yes ;;
    -h | --help) sed -n '/^# examples\/run.sh/,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    -*) echo "run.sh: no option $argument; usage: examples/run.sh [NAME] [--check]" >&2; exit 1 ;;
    *) name=$argument ;;
  esac
done
name=${name%.cc}
source_file=$root/examples/${name//-/_}.cc
if [[ ! -f "$source_file" || "$name" == origin ]]; then
  echo "run.sh: no example '$name'; there are:" \
    "$(cd "$root/examples" && printf '%s\n' *.cc | sed 's/\.cc$//' | grep -v '^origin$' |
      paste -sd' ')" >&2
  exit 1
fi
program=$name
[[ "$name" != pingora_proxy ]] || program=pingora-proxy

if [[ -n "${PINGORA_BIN_DIR:-}" ]]; then
  bin=$PINGORA_BIN_DIR
else
  bin=$root/build/release/bin
  cd "$root"
  cmake/bootstrap.sh build
  [[ -f build/release/build.ninja ]] || cmake --preset release
  # Silent when there is nothing to do, visible while it compiles.
  cmake --build --preset release --target "$program" origin | { grep -v 'no work to do' || true; }
fi

processes=()
directory=
# shellcheck disable=SC2317  # called by the trap
stop() {
  trap - EXIT INT TERM
  [[ -z "$directory" ]] || rm -rf "$directory"
  [[ ${#processes[@]} -gt 0 ]] || return 0
  kill "${processes[@]}" 2>/dev/null || true
  local deadline=$((SECONDS + 5))
  while kill -0 "${processes[@]}" 2>/dev/null && [[ $SECONDS -lt $deadline ]]; do sleep 0.02; done
  kill -KILL "${processes[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

accepts() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# start PORT PROGRAM ARGUMENT...: runs PROGRAM and returns when it accepts connections on PORT.
start() {
  local port=$1 deadline=$((SECONDS + 10))
  shift
  if accepts "$port"; then
    echo "run.sh: port $port, which $(basename "$1") listens on, is in use" >&2
    exit 1
  fi
  "$@" </dev/null &
  processes+=($!)
  until accepts "$port"; do
    if ! kill -0 $! 2>/dev/null; then
      echo "run.sh: $(basename "$1") ended before it listened on port $port" >&2
      exit 1
    elif [[ $SECONDS -ge $deadline ]]; then
      echo "run.sh: $(basename "$1") does not listen on port $port after 10 s" >&2
      exit 1
    fi
    sleep 0.02
  done
}

# balance: which origin answers each of nine requests. All must be answered, by both that live.
balance() {
  local port=$1 answer origin seen='' failures=0
  for request in 1 2 3 4 5 6 7 8 9; do
    if answer=$(curl -sS --max-time 5 --fail -D - "http://127.0.0.1:$port/" 2>&1) &&
      origin=$(tr -d '\r' <<<"$answer" | sed -nE 's/^x-origin: *//Ip' | head -1) &&
      [[ -n "$origin" ]]; then
      echo "request $request: answered by origin $origin"
      seen+=" $origin"
    else
      echo "request $request: FAILED: $(tail -1 <<<"$answer")"
      failures=$((failures + 1))
    fi
  done
  [[ $failures -eq 0 && "$seen " == *" one "* && "$seen " == *" two "* ]]
}

# show: runs the curl lines in the opening comment of the example, and compares what they promise.
show() {
  local line output='' command='' failures=0
  while IFS= read -r line; do
    [[ "$line" == //* ]] || break
    line=$(sed -E 's#^// *(\$ +)?##' <<<"$line")
    if [[ "$line" == curl\ * ]]; then
      command=$line
      echo "\$ $command"
      if ! output=$(timeout 20 bash -c "$command" 2>&1 </dev/null); then
        echo "FAILED: $command" >&2
        failures=$((failures + 1))
      fi
      printf '%s\n' "$output" | head -20
    elif [[ "$line" == "=> "* && -n "$command" && "$output" != *"${line#=> }"* ]]; then
      echo "FAILED: '${line#=> }' is not in what it printed" >&2
      failures=$((failures + 1))
    fi
  done <"$source_file"
  if [[ -z "$command" ]]; then
    echo "run.sh: examples/$name.cc does not open with a curl line" >&2
    return 1
  fi
  [[ $failures -eq 0 ]]
}

port=$(sed -nE '/^\/\//!q; /^\/\/.*curl/s/.*(127\.0\.0\.1|localhost|0\.0\.0\.0):([0-9]+).*/\2/p' \
  "$source_file" | head -1)
port=${port:-6188}

# prepare: runs the openssl lines in the opening comment of the example.
prepare() {
  local line
  grep -q '^// *\$ openssl ' "$source_file" || return 0
  bin=$(cd "$bin" && pwd)
  directory=$(mktemp -d)
  cd "$directory"
  while IFS= read -r line; do
    if ! bash -c "$line" >openssl.log 2>&1 </dev/null; then
      cat openssl.log >&2
      echo "run.sh: failed: $line" >&2
      exit 1
    fi
  done < <(sed -nE '/^\/\//!q; s#^// *\$ (openssl .*)#\1#p' "$source_file")
}

prepare
start 6190 "$bin/origin" 6190 one
start 6191 "$bin/origin" 6191 two
arguments=()
[[ "$program" != pingora-proxy ]] || arguments=(--listen "127.0.0.1:$port"
  --upstream 127.0.0.1:6190 --upstream 127.0.0.1:6191 --upstream 127.0.0.1:6192)
start "$port" "$bin/$program" ${arguments[@]+"${arguments[@]}"}

status=0
if [[ "$name" == load_balancer ]]; then
  echo "origins: one on port 6190, two on port 6191, and nobody on port 6192"
  balance "$port" || status=1
fi
show || status=1

if [[ -n "$check" ]]; then
  [[ $status -eq 0 ]] && echo "$name: ok" || echo "$name: FAILED" >&2
  exit "$status"
fi
echo "$program listens on port $port until Ctrl-C; try"
sed -nE '/^\/\//!q; s#^// *(\$ +)?(curl .*)#  \2#p' "$source_file"
wait "${processes[-1]}"
