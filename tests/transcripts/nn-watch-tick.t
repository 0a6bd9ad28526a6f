What is new since the last call. The first one begins there: what was before is not told.

  $ nn-queue init >/dev/null
  $ new() { nn-watch --new "$@" | sed 's/"t":"[^"]*"/"t":T/; s/"pid":[0-9]*,"host":"[^"]*"/PID/'; }
  $ nn-run -q -- true
  $ new
  $ nn-run -q -- sh -c 'echo epoch=1 loss=nan; exit 3' 2>/dev/null
  [3]
  $ new
  {"t":T,"run":2,"event":"started","attempt":1,PID}
  {"t":T,"run":2,"event":"judged","attempt":1,"level":"error","detector":"nan","metric":"loss","at":{"epoch":1},"why":"loss is NaN","evidence":{"value":"NaN","numbers_before":0}}
  {"t":T,"run":2,"event":"ended","state":"failed","how":"exit,3"}
  $ new

A run that goes on; what it does meanwhile; and one that is called for again.

  $ nn-run -q -- sh -c 'echo epoch=1 loss=1; until [ -e go ]; do sleep 0.02; done' & until_ok grep -q started spool/runs/3/events.jsonl; new
  {"t":T,"run":3,"event":"started","attempt":1,PID}
  $ touch go; wait; nn-queue retry 2; new
  2	queued
  {"t":T,"run":3,"event":"ended","state":"done"}
  {"t":T,"run":2,"event":"retry","from":"failed/0000002.1~exit,3","to":"queued/5-0000002.2"}
  $ nn-queue work -q 2>/dev/null; new | grep -o '"run":.*event":"[a-z]*"'
  "run":2,"event":"started"
  "run":2,"event":"judged"
  "run":2,"event":"ended"

A run is found dead by a tick: it is told once.

  $ printf '%s\n' 'mail.from = me@example.org' 'mail.to = you@example.org' 'mail.via = cat >>got #' >spool/config
  $ nn-run -q -n lost -- sh -c 'echo $$ >pid; exec sleep 600' & until_ok test -s pid; kill -9 $!; kill -9 $(cat pid); wait
  $ until_ok sh -c 'nn-watch --tick --new >>told; ls spool/failed | grep 0000004'
  $ until_ok test -e spool/mail/sent/run4.1.ended; nn-mail --print run4.1.ended | sed -n 's/^Subject: \(.*\) (.*/\1/p'
  run 4 lost: failed
  $ nn-mail --events <told; nn-watch --tick --new | nn-mail --events; ls spool/mail/sent spool/mail/told
  spool/mail/sent:
  run4.1.ended
  
  spool/mail/told:
  run4.1.ended

A runner that hangs is noted, once.

  $ rm -f go; nn-run -q -- sh -c 'until [ -e go ]; do sleep 0.02; done' & until_ok grep -q started spool/runs/5/events.jsonl; kill -STOP $!
  $ nn-watch --tick; NN_NOW=2100-01-01T00:00:00Z nn-watch --tick; NN_NOW=2100-01-01T00:05:00Z nn-watch --tick; sed 's/"t":.*"detector/"detector/; s/nn-run [0-9]*/nn-run PID/; s/for .*"evidence.*/.../' spool/runs/5/events.*.jsonl
  {"detector":"stall","why":"its nn-run PID hangs: no sign of life ...
  $ kill -CONT $!; touch go; wait

Whoever comes while another one looks leaves at once; what a dead one had is taken back.

  $ ls spool/watch
  cursor
  $ mv spool/watch/cursor "spool/watch/cursor~here,0,1,1,1~$(date +%s).0"; nn-watch --new; ls spool/watch | sed 's/~.*/~/'
  cursor~
  $ mv spool/watch/cursor~* "spool/watch/cursor~here,0,1,1,1~1.0"; nn-watch --new >/dev/null; ls spool/watch
  cursor

A cursor that cannot be read is a new beginning.

  $ echo nonsense >spool/watch/cursor; nn-run -q -- true; nn-watch --new; nn-run -q -- true; new | grep -c run
  nn-watch: warning: watch/cursor cannot be read: what is new begins here
  2

Slips of the pen.

  $ nn-watch --new 3 2>&1 | head -n 1
  nn-watch: --tick and --new are about the whole spool: they take nothing else
  $ nn-watch --tick --json 2>&1 | head -n 1
  nn-watch: --tick and --new are about the whole spool: they take nothing else
  $ nn-run -q -- true; nn-watch --new >/dev/full; nn-watch --new | grep -c run
  nn-watch: cannot write standard output: No space left on device
  2

Ticks alone leave a mark as well, which the first look for what is new begins with.

  $ export NN_SPOOL=$PWD/other; nn-queue init >/dev/null; nn-watch --tick; nn-watch --tick; nn-watch --tick --new; nn-run -q -- true; new | wc -l
  2
