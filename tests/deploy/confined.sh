#!/bin/sh
# confined.sh MEGABYTES COMMAND...: runs a command as a host without a disk does: files cannot be
# written, and the kernel ends what takes more memory. Root, for the mounts. The limit is a control
# group's (version 1 or 2), which counts memory that is used; where there is none to write to it is
# RLIMIT_DATA, which counts writable memory that is asked for. RLIMIT_AS would not do: V8 and
# WebAssembly reserve tens of gigabytes of addresses that they never touch.
set -eu

bytes=$(($1 * 1048576))
shift

join_group() {
  limit=$1 group=$2
  mkdir "$group" 2>/dev/null || return 1
  [ -f "$group/$limit" ] && echo "$bytes" >"$group/$limit" && echo $$ >"$group/cgroup.procs"
}

# A group outlives its processes; those of earlier runs are empty.
rmdir /sys/fs/cgroup/memory/topfive-confined-* /sys/fs/cgroup/topfive-confined-* 2>/dev/null || true
name=topfive-confined-$$
if join_group memory.limit_in_bytes "/sys/fs/cgroup/memory/$name" 2>/dev/null ||
  join_group memory.max "/sys/fs/cgroup/$name" 2>/dev/null; then
  limited=''
else
  limited="prlimit --data=$bytes"
fi
# shellcheck disable=SC2086
exec $limited unshare --mount sh -c 'mount -o remount,bind,ro / && exec "$@"' sh "$@"
