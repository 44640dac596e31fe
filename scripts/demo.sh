#!/bin/sh
# Provides the worker and starts the demo in this process, which the signals reach. Takes the options of sfu-rooms-worker.
set -e
cd "$(dirname "$0")/.."
node scripts/worker/cli.mjs "$@"
exec node --import tsx examples/express/server.ts
