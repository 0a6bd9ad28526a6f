Remains of every kind, and what is no remains.

  $ nn-queue init >/dev/null
  $ for n in 1 2 3 4 5 6; do echo '{"argv":["true"]}'; done | nn-queue add >/dev/null
  $ cd spool; mv queued/5-0000001.1 done/0000001.1; mv queued/5-0000002.1 failed/0000002.1~exit,1
  $ rm queued/5-0000003.1 queued/5-0000004.1 queued/5-0000005.1; touch runs/5/log
  $ touch -d '2 days ago' runs/3 runs/5
  $ touch tmp/.h.1.2.tmp tmp/.h.1.3.tmp; touch -d '2 days ago' tmp/.h.1.2.tmp
  $ touch "hosts/far,01234567,1,2,3" "hosts/$(hostname).work.log"; cd ..
  $ nn-queue gc --dry-run
  runs/3	never acknowledged, 2d old
  tmp/.h.1.2.tmp	left behind 2d ago
  $ nn-queue gc
  runs/3	never acknowledged, 2d old
  tmp/.h.1.2.tmp	left behind 2d ago
  $ nn-queue gc; ls spool/runs
  1
  2
  4
  5
  6

Three has gone: it was never acknowledged. Four is too young, and five was run by somebody.
Ended runs go only when asked for.

  $ echo '{"ended":"2020-01-01T00:00:00Z"}' | tee spool/runs/1/result.json >spool/runs/2/result.json
  $ nn-queue gc --older-than 30d --state failed | sed 's/[0-9]*d[0-9h]* ago/long ago/'
  runs/2	failed long ago
  $ nn-queue gc --older-than 30d --dry-run | sed 's/[0-9]*d[0-9h]* ago/long ago/'
  runs/1	done long ago
  $ ls spool/runs spool/done spool/failed | paste -sd ' '
  spool/done: 0000001.1  spool/failed:  spool/runs: 1 4 5 6

A removal that was cut short is finished.

  $ mv spool/done/0000001.1 spool/tmp/gone-1.1; nn-queue gc; ls spool/runs spool/tmp
  runs/1	half removed
  spool/runs:
  4
  5
  6
  
  spool/tmp:

Slips.

  $ nn-queue gc --state done 2>&1 | head -1
  nn-queue: --state goes with --older-than: how long ago must they have ended?
  $ nn-queue gc --older-than 1d --state running 2>&1 | head -1
  nn-queue: runs that are running have not ended: none is removed
  $ nn-queue gc now 2>&1 | head -1
  nn-queue: unexpected argument 'now'

Recovery by hand: a ghost, a claim of the dead, a run whose runner and command died, one whose end was recorded.

  $ W=$(hostname | tr -c 'A-Za-z0-9.\n' -),$(cut -c1-8 /proc/sys/kernel/random/boot_id),$(readlink /proc/self/ns/pid | tr -cd 0-9),99999999,1
  $ for n in 7 8 9 10; do echo '{"argv":["true"]}'; done | nn-queue add | paste -sd ' '
  7 8 9 10
  $ cd spool; touch done/0000006.1; mv queued/5-0000007.1 running/0000007.1~$W~c
  $ mv queued/5-0000008.1 running/0000008.1~$W~$W~s; mv queued/5-0000009.1 running/0000009.1~$W~$W~s
  $ echo '{"generation":1,"state":"failed","how":"exit,3"}' >runs/9/result.json; touch done/README; cd ..
  $ nn-queue list | cut -f1,2,8
  7	running	worker dead: nn-queue recover
  8	running	runner dead: nn-queue recover
  9	running	runner dead: nn-queue recover
  6	queued	
  10	queued	
  $ nn-queue recover 2>&1 | sed "s|$PWD|HERE|" | sort
  6	a ghost in queued/ removed
  7	claimed by a dead worker: queued again
  8	its runner and command died: lost
  9	its end was recorded: finished
  nn-queue: warning: HERE/spool/done/README is no token: left alone
  $ nn-queue recover 2>/dev/null; ls spool/queued spool/failed spool/done | paste -sd ' '
  spool/done: 0000006.1 README  spool/failed: 0000008.1~lost 0000009.1~exit,3  spool/queued: 5-0000007.2 5-0000010.1

A run that another one comes after stays as long as that one waits.

  $ nn-queue add -- true; nn-queue add --after 11 -- true; mv spool/queued/5-0000011.1 spool/done/0000011.1; echo '{"ended":"2020-01-01T00:00:00Z"}' >spool/runs/11/result.json
  11
  12
  $ nn-queue gc --older-than 30d; nn-queue cancel 12; nn-queue gc --older-than 30d | sed 's/[0-9]*d[0-9h]* ago/long ago/'
  12	cancelled
  runs/11	done long ago
