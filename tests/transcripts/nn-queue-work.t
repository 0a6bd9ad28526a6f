A worker runs what is queued, in order, and tells of each run; its status is 1 when one failed.

  $ nn-queue init >/dev/null
  $ nn-queue add -n a -- sh -c 'echo a >>order' && nn-queue add -n b -- sh -c 'echo b >>order; exit 3' && nn-queue add -n c --prio 1 -- sh -c 'echo c >>order'
  1
  2
  3
  $ nn-queue work 2>&1 | sed 's/ [0-9.]*s$/ TIME/'; paste -sd ' ' order
  3 c done TIME
  1 a done TIME
  2 b failed (exit 3) TIME
  c a b
  $ nn-queue retry b && nn-queue work -q
  2	queued
  [1]
  $ nn-queue list --all | cut -f1,2,5,8
  1	done	a	
  2	failed	b	exit 3
  3	done	c	
  $ nn-queue work; ls spool/hosts

Two slots, and a run that takes both.

  $ for n in 1 2 3 4; do nn-queue add --needs slots=$((n == 3 ? 2 : 1)) -- sh -c 'echo start >>'t$n'; sleep 0.2; echo end' >/dev/null; done
  $ nn-queue work -j2 2>&1 | sed 's/ sh -c.* done/ done/; s/ [0-9.]*s$/ TIME/' | sort
  4 done TIME
  5 done TIME
  6 done TIME
  7 done TIME

Two workers at once: each run is run once.

  $ for n in $(seq 30); do echo '{"argv":["sh","-c","echo $NN_RUN >>ran"]}'; done | nn-queue add -g many >/dev/null
  $ nn-queue work -j2 -q & nn-queue work -j2 -q; wait; sort ran | uniq -c | awk '{print $1}' | uniq -c | tr -s ' '
   30 1

A worker that stays, in the background. What is running can be asked to stop; what is added later is found.

  $ pid=$(nn-queue work --detach --forever 2>/dev/null); kill -0 $pid && echo it works
  it works
  $ nn-queue add -n slow -- sleep 60 && until_ok sh -c 'ls spool/running | grep "~s"'
  38
  $ nn-queue cancel slow; nn-queue wait slow
  38	stopping
  38	cancelled	
  [1]
  $ nn-queue add -n later -- true; nn-queue wait later
  39
  39	done	
  $ sed 's/^[-0-9]* [0-9:]* //; s/ [0-9.ms]*$/ TIME/' spool/hosts/*.work.log
  38 slow cancelled TIME
  39 later done TIME

A signal: it claims nothing more and waits for its own.

  $ nn-queue add -n mine -- sleep 0.3 && nn-queue add -n not-mine -- true && until_ok sh -c 'ls spool/running | grep "~s"'
  40
  41
  $ kill $pid; until_ok sh -c "! kill -0 $pid"; nn-queue list --all mine not-mine | cut -f2,5
  done	mine
  queued	not-mine
  $ nn-queue cancel not-mine >/dev/null

Slips.

  $ nn-queue work -j 0 2>&1 | head -1
  nn-queue: option '-j': '0' is not a number of slots from 1 to 1024
  $ NN_SLOTS=many nn-queue work
  nn-queue: setting slots: 'many' is not a whole number
  [2]
  $ nn-queue work all 2>&1 | head -1
  nn-queue: unexpected argument 'all'
