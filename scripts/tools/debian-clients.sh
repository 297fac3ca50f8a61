#!/usr/bin/env bash
# Unpacks oras and cosign of Debian's stable suite into .tools/debian-stable, and their current versions and notation, which only
# the unstable suite has, into .tools/debian-sid. Unstable may be unavailable, stable may not. Also unpacks a skopeo with the C
# library that it needs, see test/clients/newer-skopeo.ts.
set -euo pipefail
unpack=$(dirname "$0")/unpack-debian.sh
bash "$unpack" trixie debian-stable 'oras cosign' 'oras version' 'cosign version'
bash "$unpack" sid debian-sid 'oras cosign notation' 'oras version' 'cosign version' 'notation version'
bash "$unpack" trixie debian-skopeo 'skopeo libc6 libgpgme11t64 libassuan9 libgpg-error0 libsqlite3-0'
