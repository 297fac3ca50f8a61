#!/usr/bin/env bash
# oras and cosign as Debian's stable suite has them, in .tools/debian-stable, and their current versions with notation,
# which only the unstable suite has, in .tools/debian-sid. Unstable may be unavailable, stable may not. skopeo comes with
# the C library that it wants, see test/clients/newer-skopeo.ts.
set -euo pipefail
unpack=$(dirname "$0")/unpack-debian.sh
bash "$unpack" trixie debian-stable 'oras cosign' 'oras version' 'cosign version'
bash "$unpack" sid debian-sid 'oras cosign notation' 'oras version' 'cosign version' 'notation version'
bash "$unpack" trixie debian-skopeo 'skopeo libc6 libgpgme11t64 libassuan9 libgpg-error0 libsqlite3-0'
