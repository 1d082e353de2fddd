#!/bin/sh
# Write requirements/runtime.txt and dev.txt, with hashes, for every platform: lock.sh UV
# No registry is named in them: each machine asks the one it is set up for.
set -eu
uv=${1:?usage: lock.sh UV}

compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate \
        --custom-compile-command 'make lock' "$@"
}

compile pyproject.toml requirements/runtime.in --output-file requirements/runtime.txt
# The same versions in both: what is tested is what runs.
compile pyproject.toml requirements/runtime.in --extra dev \
    --constraints requirements/runtime.txt --output-file requirements/dev.txt
# The pip that installs them: version 23 takes `sqlalchemy[asyncio]` for another requirement than the
# `sqlalchemy==…` of the lock, and refuses it as unpinned.
compile requirements/pip.in --output-file requirements/pip.txt
