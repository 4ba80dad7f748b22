#!/bin/sh
# base_image.sh TAG DENO: makes the image that the Containerfiles begin with where no registry can be
# reached: Debian by debootstrap, Deno where denoland/deno has it, and the locked packages in its cache,
# because a build's own network may be behind certificates that the image does not know.
set -eu
tag=$1 deno=$2
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../../.." && pwd)
base=$root/.topfive/debian-bookworm.tar
if [ ! -f "$base" ]; then
  folder=$(mktemp -d)
  debootstrap --variant=minbase --include=ca-certificates bookworm "$folder" >&2
  tar -C "$folder" --exclude='./proc/*' --exclude='./sys/*' -cf "$base.part" .
  mv "$base.part" "$base"
  umount "$folder/proc" "$folder/sys" 2>/dev/null || true
  rm -rf --one-file-system "$folder"
fi
layer=$(mktemp -d)
trap 'rm -rf "$layer"' EXIT
mkdir -p "$layer/usr/bin" "$layer/deno-dir"
cp "$deno" "$layer/usr/bin/deno"
cd "$root"
DENO_DIR=$layer/deno-dir "$deno" install --frozen >&2
# Bundling fetches esbuild on first use.
PATH=$(dirname "$deno"):$PATH DENO_DIR=$layer/deno-dir "$deno" task bundle --out "$layer/bundle" >&2
rm -r "$layer/bundle"
cp "$base" "$layer.tar"
tar -C "$layer" --append -f "$layer.tar" usr/bin/deno deno-dir
docker import --change 'ENV DENO_DIR=/deno-dir' "$layer.tar" "$tag" >&2
rm "$layer.tar"
