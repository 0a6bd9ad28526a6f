A worker killed with kill -9: the run goes on under its own nn-run.

  $ nn-queue init >/dev/null
  $ pid=$(nn-queue work --detach --forever 2>/dev/null)
  $ nn-queue add -n orphan -- sleep 0.4 && until_ok sh -c 'ls spool/running | grep "~s"'
  1
  $ kill -9 $pid; nn-queue wait orphan; nn-queue recover; ls spool/running
  1	done	

Its nn-run killed, the command alive: nothing is done until it has ended; then the run is queued again while it has retries left.

  $ nn-queue add -n twice --retries 1 -- sh -c 'echo attempt $NN_ATTEMPT; until [ -e go ]; do sleep 0.02; done; echo end'
  2
  $ nn-queue work 2>work.err & until_ok grep -q pid spool/runs/2/attempt.json
  $ kill -9 $(ls spool/running | sed 's/.*,\([0-9]*\),[0-9]*~s/\1/'); until_ok sh -c 'nn-queue list | grep dead'
  $ nn-queue list | cut -f2,5,8
  running	twice	runner dead: nn-queue recover
  $ nn-queue show twice | sed -n 's/under .* on [^ ]*/under it/; /^state/p'; touch go
  state       running under it (runner dead: nn-queue recover)
  $ nn-queue wait twice; wait; nn-queue log twice; sed 's/ sh -c.* done/ done/; s/ [0-9.]*s$/ TIME/' work.err
  2	done	
  attempt 1
  end
  --- attempt 2 ---
  attempt 2
  end
  nn-queue: warning: run 2: its nn-run died
  nn-queue: run 2: its runner and command died: queued again
  2 twice done TIME

Called off while nobody looks after it: the person is told what still lives; once that is gone it can be called off.

  $ nn-queue add -n alone -- sleep 7.7
  3
  $ nn-queue work -q & until_ok grep -q pid spool/runs/3/attempt.json
  $ kill -9 $! $(ls spool/running | sed 's/.*,\([0-9]*\),[0-9]*~s/\1/'); until_ok sh -c 'nn-queue list | grep dead'
  $ nn-queue cancel alone 2>&1 | sed 's/kill [0-9]*/kill PID/'
  nn-queue: cannot cancel 3: its nn-run is dead and its command goes on: kill PID
  $ kill $(nn-queue cancel alone 2>&1 | sed 's/.* kill //'); until_ok nn-queue cancel alone; nn-queue list alone | cut -f2,5
  cancelled	alone
