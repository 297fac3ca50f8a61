#!/usr/bin/env bash
# Unpacks the Docker engine, its command line and containerd of Debian's unstable suite into .tools/docker-sid: a current Docker
# for the client tests, beside that of the stable release.
set -euo pipefail
exec bash "$(dirname "$0")/unpack-debian.sh" sid docker-sid 'docker.io docker-cli docker-buildx containerd' \
  'dockerd --version' 'docker --version' 'containerd --version'
