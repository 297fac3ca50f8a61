#!/usr/bin/env bash
# oras and cosign as Debian's stable suite has them, in .tools/debian-stable, and their current versions with notation,
# which only the unstable suite has, in .tools/debian-sid. Unstable may be unavailable, stable may not.
set -euo pipefail
unpack=$(dirname "$0")/unpack-debian.sh
bash "$unpack" trixie debian-stable 'oras cosign' 'oras version' 'cosign version'
bash "$unpack" sid debian-sid 'oras cosign notation' 'oras version' 'cosign version' 'notation version'
