A run that came back to the queue because it failed (one generation and one priority digit on, its result on record)
waits a while before it is tried again; others overtake it.

  $ nn-queue init >/dev/null
  $ nn-queue add -n again -- sh -c 'echo again >>order' && nn-queue add -n other -- sh -c 'echo other >>order'
  1
  2
  $ back() { echo '{"generation":'$1',"state":"failed","how":"exit,1","ended":"'$2'"}' >spool/runs/1/result.json; }
  $ back 1 $(date -u +%Y-%m-%dT%H:%M:%SZ); mv spool/queued/5-0000001.1 spool/queued/4-0000001.2
  $ NN_BACKOFF=1h nn-queue list | cut -f1,10 | sed 's/[0-9]*m.*/TIME/'
  1	back-off TIME
  2	no worker runs
  $ NN_BACKOFF=1h nn-queue work --forever -q 2>/dev/null & until_ok test -e spool/done/0000002.1; nn-queue list | cut -f1; kill $!; wait
  1
  $ back 1 $(date -u +%Y-%m-%dT%H:%M:%SZ); NN_BACKOFF=1s nn-queue work -q; paste -sd ' ' order
  other again

A person's retry, or another priority, starts it at once.

  $ nn-queue retry --done 1; nn-queue list | cut -f1,10; back 4 2999-01-01T00:00:00Z
  1	queued
  1	no worker runs
  $ mv spool/queued/5-0000001.3 spool/queued/4-0000001.5; nn-queue list | cut -f1,10; nn-queue prio 5 1; nn-queue list | cut -f1,10
  1	back-off 10s
  1	queued
  1	no worker runs

What was interrupted starts at once too.

  $ mv spool/queued/5-0000001.6 spool/queued/4-0000001.7; echo '{"generation":6,"state":"failed","how":"lost","ended":"2999-01-01T00:00:00Z"}' >spool/runs/1/result.json; nn-queue list | cut -f1,10
  1	no worker runs
  $ nn-queue work -q; nn-queue list
  $ NN_BACKOFF=soon nn-queue work
  nn-queue: setting backoff: 'soon' is not a duration such as 30s
  [2]
