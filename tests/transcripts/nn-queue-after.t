A chain: each starts when the one before is done, whatever their priorities.

  $ nn-queue init >/dev/null
  $ nn-queue add -n prepare -- sh -c 'echo prepare >>order'
  1
  $ nn-queue add -n train --after prepare --prio 0 -- sh -c 'echo train >>order'
  2
  $ nn-queue add -n test --after 1,last --prio 0 -- sh -c 'echo test >>order'
  3
  $ nn-queue list | cut -f1,2,5,10
  2	queued	train	after 1
  3	queued	test	after 1
  1	queued	prepare	no worker runs
  $ nn-queue work -q -j3; paste -sd ' ' order
  prepare train test
  $ nn-queue show --json test | tr ',' '\n' | grep -A1 '"after"'
  "after":[1
  2]

One that failed keeps those after it from starting, and nothing else. Nobody waits for them.

  $ nn-queue add -n bad -- false; nn-queue add -n good -- true
  4
  5
  $ nn-queue add -n child --after 4-5 -- true; nn-queue add -n grandchild --after child -- true
  6
  7
  $ nn-queue add -n clean --after-any bad -- true
  8
  $ nn-queue work 2>&1 | sed 's/ [0-9.]*m*s$/ TIME/'
  4 bad failed (exit 1) TIME
  5 good done TIME
  8 clean done TIME
  nn-queue: cannot start 6: after 4, which failed
  nn-queue: cannot start 7: after 6, which cannot start
  $ nn-queue work -q
  nn-queue: cannot start 6: after 4, which failed
  nn-queue: cannot start 7: after 6, which cannot start
  [1]
  $ nn-queue list | cut -f1,2,5,10
  6	queued	child	after 4, which failed
  7	queued	grandchild	after 6, which cannot start
  $ nn-queue wait 5 child grandchild
  5	done	
  6	queued	after 4, which failed
  7	queued	after 6, which cannot start
  [1]
  $ nn-queue cancel child; nn-queue list | cut -f1,10
  6	cancelled
  7	after 6, which was cancelled

A retry of the failed one lets the others start.

  $ nn-queue retry child >/dev/null; nn-queue retry bad; nn-queue list | cut -f1,10
  4	queued
  4	no worker runs
  6	after 4
  7	after 6
  $ nn-queue hold bad; nn-queue list | cut -f1,10; nn-queue wait --timeout 0s grandchild
  4	held
  6	after 4, which is held
  7	after 6
  4	
  nn-queue: 7: not ended yet
  [75]
  $ rm spool/held/*; touch spool/done/0000004.2; nn-queue work -q; nn-queue list --all | cut -f1,2 | tail -5
  4	done
  5	done
  6	done
  7	done
  8	done

Jobs as JSON lines: numbers, RUNS, and names of jobs further up.

  $ nn-queue add <<E
  > {"argv":["sh","-c","echo a >>order2"],"name":"a"}
  > {"argv":["sh","-c","echo b >>order2"],"name":"b","after":"a","priority":1}
  > {"argv":["sh","-c","echo c >>order2"],"name":"c","after":["a","b",1],"after-any":"4-5","priority":1}
  > E
  9
  10
  11
  $ cat spool/runs/11/job.json | tr '{' '\n' | sed 's/,"cwd.*//; s/.*"after"/"after"/' | tail -1
  "after":[9,10,1],"after-any":[4,5],"priority":1
  $ nn-queue work -q; paste -sd ' ' order2
  a b c
  $ { for n in $(seq 20); do echo '{"argv":["true"],"name":"n'$n'"}'; done; echo '{"argv":["true"],"after":["n3","n20"]}'; } | nn-queue add -g many | tail -1
  32
  $ grep -o '"after":[^,]*,[^,]*' spool/runs/32/job.json; nn-queue work -q -j2; nn-queue list
  "after":[14,31]

What cannot be.

  $ nn-queue add --after 99 -- true
  nn-queue: --after: there is no run 99
  [2]
  $ nn-queue add --after '' -- true 2>&1 | head -1
  nn-queue: --after: after which runs?
  $ echo '{"argv":["true"],"name":"x","after":"x"}' | nn-queue add
  nn-queue: standard input:1: 'after': there is no run 'x'
  [2]
  $ printf '{"argv":["true"],"name":"x"}\n{"argv":["true"],"name":"x"}\n{"argv":["true"],"after":"x"}\n' | nn-queue add
  nn-queue: standard input:3: 'after': several jobs above are called 'x'
  [2]
  $ echo '{"argv":["true"],"after":{"a":1}}' | nn-queue add
  nn-queue: standard input:1: 'after': expected numbers or names of runs
  [2]
  $ ls spool/runs | wc -l
  32

A chain from before a gc, and one made by hand that bites its tail.

  $ nn-queue add --after 1 -- true; rm -r spool/runs/1 spool/done/0000001.1; nn-queue list | cut -f1,10
  33
  33	after 1, which is gone
  $ cd spool; for n in 41 42; do mkdir runs/$n; echo '{"argv":["true"],"cwd":"/","after":['$((83 - n))']}' >runs/$n/job.json; touch queued/5-00000$n.1; done; cd ..
  $ timeout 60 nn-queue list | cut -f1,10; timeout 60 nn-queue work -q; nn-queue show 41 | grep waits; nn-queue cancel 41 42 33 >/dev/null
  33	after 1, which is gone
  41	after 42
  42	after 41
  nn-queue: cannot start 33: after 1, which is gone
  nn-queue: cannot start 41 42: each waits for another
  waits       after 42
