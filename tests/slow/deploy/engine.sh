#!/bin/sh
# engine.sh FOLDER: runs Docker's daemon with all that it keeps in FOLDER, until it is told to stop. No
# bridge and no firewall rules: the tests' containers use this machine's network or none.
set -eu
exec dockerd --iptables=false --ip6tables=false --bridge=none \
  --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" --host "unix://$1/socket"
