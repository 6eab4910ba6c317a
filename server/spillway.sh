#!/bin/sh
# The command `spillway`: starts the console with what V8 and malloc have to be told before a process begins. Plain sh: the
# `env -S` that flags in a shebang need is not in busybox.
#
# --max-semi-space-size=8    MB, so 24 MB for what is soon garbage instead of 48. With 4 thousands of queues take more CPU.
# --no-parallel-scavenge     So little is collected sooner by one thread than its helpers are woken.
# --heap-growing-percent=40  Where 100 MB stay, the heap grows to 140 MB before it is collected, not to 400.
# MALLOC_ARENA_MAX=1         glibc keeps what was freed apart for each of a dozen threads otherwise.
#
# These go before NODE_OPTIONS. `node dist/spillway/main.js` does without: it takes more memory, and is the same else.
set -eu
self=$0
# Links: npm's .bin holds them.
while [ -L "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=$(dirname "$self")/$target ;;
  esac
done
export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-1}"
dist=$(dirname "$self")/../dist
main=$dist/spillway/main.js
# While it is worked on, what was compiled last counts, also where it was not put together.
if [ ! -f "$main" ] || [ "$dist/.tsbuildinfo" -nt "$main" ]; then main=$dist/server/main.js; fi
exec node --max-semi-space-size=8 --no-parallel-scavenge --heap-growing-percent=40 "$main" "$@"
