#!/usr/bin/env bash
# Builds the program. Versions are exact in Cargo.toml; what those want in turn is resolved anew in each clone.
set -euo pipefail
cd "$(dirname "$0")"
cargo build --quiet --target-dir dist
