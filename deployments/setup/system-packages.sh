#!/bin/sh
# Debian packages that tests need: PostgreSQL's server, net-snmp, a headless Chromium.
# Installed when missing and apt may be used without a question; otherwise what is missing is
# printed, and the tests that need it are skipped (they fail when CI=true).
set -eu

has() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1; }

has_chromium() {
    has chromium-headless-shell || has chromium || has chromium-browser || has google-chrome
}

has_postgres() { ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || has initdb; }

missing=
has_postgres || missing="$missing postgresql"
has snmpget || missing="$missing snmp"
has snmpd || missing="$missing snmpd"
has_chromium || missing="$missing chromium-headless-shell"
[ -n "$missing" ] || exit 0

if ! has apt-get; then
    root=none
elif [ "$(id -u)" -eq 0 ]; then
    root=
elif has sudo && sudo -n true 2>/dev/null; then
    root='sudo -n'
else
    root=none
fi

if [ "$root" = none ]; then
    echo "Not installed, tests that need it are skipped:$missing" >&2
    exit 0
fi

echo "Installing:$missing" >&2
# shellcheck disable=SC2086 # both are lists of words
if ! { $root apt-get update -qq && $root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq --yes --no-install-recommends $missing >/dev/null; }; then
    echo "apt-get could not install:$missing" >&2
    [ "${CI:-}" != true ]
fi
