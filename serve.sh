#!/bin/sh
# Set up whatever is missing, then run the site until it is told to stop.
set -eu
cd "$(dirname "$0")"
. ./setup.sh
set_up requirements.txt
exec .venv/bin/byline serve
