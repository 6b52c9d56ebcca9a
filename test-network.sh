#!/usr/bin/env bash
# Brings a whole consortium up on this machine, and down again. ./test-network.sh --help says how.
set -eu
here="$(cd "$(dirname "$0")" && pwd)"
if [ ! -x "$here/node_modules/.bin/node" ]; then
  echo "test-network.sh: dependencies are missing: run npm ci in $here first" >&2
  exit 2
fi
PATH="$here/node_modules/.bin:$PATH"
export PATH
exec node --disable-warning=DEP0123 --disable-warning=ExperimentalWarning "$here/scripts/network.ts" "$@"
