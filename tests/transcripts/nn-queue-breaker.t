Five runs in a row that fail at once: the rest of their group is held, and others are not.

  $ nn-queue init >/dev/null
  $ for n in $(seq 8); do echo '{"argv":["false"]}'; done | nn-queue add -g sweep >/dev/null; nn-queue add -- true
  9
  $ nn-queue work 2>&1 | sed 's/ [0-9.]*m*s$/ TIME/'
  1 false failed (exit 1) TIME
  2 false failed (exit 1) TIME
  3 false failed (exit 1) TIME
  4 false failed (exit 1) TIME
  5 false failed (exit 1) TIME
  nn-queue: warning: 5 runs in a row failed within 10s (1 2 3 4 5): the 3 queued of group sweep are held; see nn-queue log 5, then: nn-queue list --state held @sweep | nn-queue release
  9 true done TIME
  $ nn-queue list --all | cut -f1,2,8
  1	failed	exit 1
  2	failed	exit 1
  3	failed	exit 1
  4	failed	exit 1
  5	failed	exit 1
  9	done	
  6	held	
  7	held	
  8	held	
  $ grep -h -o '"event":"breaker".*' spool/runs/5/events.*.jsonl
  "event":"breaker","failed":[1,2,3,4,5],"group":"sweep","held":3,"why":"5 runs in a row failed within 10s of their start"}
  $ nn-queue list --state held @sweep | nn-queue release
  6	queued
  7	queued
  8	queued

Off; another limit; runs of several groups hold all.

  $ NN_BREAKER=0 nn-queue work -q; nn-queue list
  $ for n in $(seq 3); do nn-queue add -g g$n -- false; done >/dev/null; nn-queue add -- true
  13
  $ NN_BREAKER=2 nn-queue work 2>&1 | sed 's/ [0-9.]*m*s$/ TIME/'
  10 false failed (exit 1) TIME
  11 false failed (exit 1) TIME
  nn-queue: warning: 2 runs in a row failed within 10s (10 11): the 2 queued are held; see nn-queue log 11, then: nn-queue list --state held | nn-queue release
  $ nn-queue list | cut -f1,2
  12	held
  13	held

A run that is done ends the row; one that was called off does not count; nor does the same run twice.

  $ nn-queue release 12 13 >/dev/null; echo 'breaker = 2' >spool/config; nn-queue work -q; nn-queue list
  $ nn-queue add -n slow -- sleep 60; nn-queue work -q & until_ok sh -c 'ls spool/running | grep "~s"'; nn-queue cancel slow >/dev/null; wait
  14
  $ nn-queue add --prio 4 -- false; nn-queue add -- true; nn-queue add -- false; nn-queue add -- true; nn-queue work -q; nn-queue list
  15
  16
  17
  18
  $ NN_BREAKER=x nn-queue work
  nn-queue: setting breaker: 'x' is not a whole number
  [2]

A run that is tried again counts once, but at its first failure: a sweep with retries is stopped as soon as one without.

  $ for n in $(seq 4); do nn-queue add --retries 3 -- false; done
  19
  20
  21
  22
  $ NN_BACKOFF=1h NN_BREAKER=3 nn-queue work 2>&1 | sed 's/ [0-9.]*m*s$/ TIME/' | sort -u; nn-queue list | cut -f1,2
  19 false failed (exit 1), queued again TIME
  20 false failed (exit 1), queued again TIME
  21 false failed (exit 1), queued again TIME
  nn-queue: warning: 3 runs in a row failed within 10s (19 20 21): the 4 queued are held; see nn-queue log 21, then: nn-queue list --state held | nn-queue release
  19	held
  20	held
  21	held
  22	held
