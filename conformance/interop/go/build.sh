#!/usr/bin/env bash
# Builds the program.
set -euo pipefail
cd "$(dirname "$0")"
go build -o dist/client .
