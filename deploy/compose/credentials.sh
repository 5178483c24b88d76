#!/bin/sh
# Makes the password of the worker's role once, and the URL with it. Both are in a volume that only PostgreSQL and the worker mount:
# no password is in a file of the repository, in an environment or on a command line.
set -eu
umask 077
cd /credentials
[ -s url ] || {
  od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >password
  printf 'postgres://tasker:%s@postgres:5432/tasker' "$(cat password)" >url
}
chown postgres . password # who makes the role; the worker is root
