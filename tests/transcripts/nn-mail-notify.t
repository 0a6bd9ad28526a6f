With mail set up a run tells of itself: how it ended, at its end, and nobody waits for that.

  $ nn-queue init >/dev/null
  $ printf '%s\n' 'mail.from = me@example.org' 'mail.to = you@example.org' 'mail.via = cat >>got #' 'mail.limit = 100' >spool/config
  $ sent() { until_ok test -e spool/mail/sent/$1; nn-mail --print $1 | sed -n 's/^Subject: //p'; }
  $ nn-run -q -n good -- sh -c 'echo epoch=1 cost=0.5; echo epoch=2 cost=0.4'
  $ sent run1.1.ended
  run 1 good: done
  $ nn-run -q -n bad -- sh -c 'echo epoch=1 cost=0.5; echo epoch=2 cost=9; echo no >&2; exit 3'
  [3]
  $ sent run2.1.ended
  run 2 bad: failed (exit 3)
  $ nn-mail --print run2.1.ended | sed -n '/^The end/,/^Diff/p'
  The end of its log:
    epoch=1 cost=0.5
    epoch=2 cost=9
    no
  
  Different from run 1 good, which went well:

What is told: of a job its own word goes before the setting, and a mail rule before both.

  $ echo 'mail.notify = failed' >>spool/config
  $ nn-run -q -- true; nn-run -q --notify none -- false
  [1]
  $ nn-run -q --notify finished -- true; sent run5.1.ended
  run 5: done
  $ nn-run -q --notify none --rule 'mail if cost < 1' -- sh -c 'echo epoch=1 cost=0.5'
  nn-run: run 6: warning: rule: mail if cost < 1 (cost 0.5) at epoch 1
  $ until_ok sh -c 'ls spool/mail/told | grep rule'; ls spool/mail/told | sed 's/rule.*/rule/'
  run1.1.ended
  run2.1.ended
  run5.1.ended
  run6.1.rule

A run that is stopped by a rule is one message.

  $ nn-run -q --notify failed,warning --rule 'stop if nan(cost)' -- sh -c 'echo epoch=1 cost=1; echo epoch=2 cost=nan; sleep 600'
  nn-run: run 7: error: nan: cost is NaN at epoch 2
  nn-run: run 7: error: rule: stop if nan(cost) (cost nan) at epoch 2
  [143]
  $ sent run7.1.ended; nn-mail --print run7.1.ended | grep ^why
  run 7: failed (stopped by rule)
  why         stopped by a rule: TERM was sent; stop if nan(cost) (cost nan)
  $ until_ok sh -c '! ls spool/mail/held | grep run'; ls spool/mail/told | grep run7
  run7.1.ended

A worker has told what its runs keep; jobs say in their specification what they tell of.

  $ cat >grid.conf <<'E'
  > command = sh -c "exit {n}"
  > notify = failed
  > [grid]
  > n = 0, 7
  > E
  $ nn-sweep grid.conf | grep -o '"notify":"[^"]*"'
  "notify":"failed"
  "notify":"failed"
  $ nn-sweep grid.conf | nn-queue add -g g; nn-queue work -q; sent run9.1.ended
  8
  9
  run 9: failed (exit 7)
  $ ls spool/mail/told | grep -e run8 -e run9
  run9.1.ended

The command is killed with kill -9.

  $ nn-run -q -n killed -- sh -c 'echo $$ >pid; sleep 600' & until_ok test -s pid; kill -9 $(cat pid); wait
  $ sent run10.1.ended
  run 10 killed: failed (signal 9 (KILL))

nn-run is killed with kill -9, and the command with it: recover finds that, and what it finds is told.

  $ rm pid; nn-run -q -n lost -- sh -c 'echo $$ >pid; echo last words; exec sleep 600' & until_ok test -s pid; kill -9 $!; kill -9 $(cat pid); wait
  $ nn-queue recover >/dev/null
  $ sent run11.1.ended | sed 's|(.*||'; nn-mail --print run11.1.ended | sed -n '/^The end/,/^$/p'
  run 11 lost: failed 
  The end of its log:
    last words
  

So does the next worker.

  $ rm pid; nn-run -q -n lost -- sh -c 'echo $$ >pid; exec sleep 600' & until_ok test -s pid; kill -9 $!; kill -9 $(cat pid); wait
  $ nn-queue work -q 2>/dev/null
  $ sent run12.1.ended
  run 12 lost: failed (lost)

What went wrong in telling is in mail/log, and nothing is lost.

  $ echo 'mail.via = false #' >>spool/config; nn-run -q -- false; until_ok grep kept spool/mail/log
  $ sed 's/^.*kept/kept/' spool/mail/log; ls spool/mail/new
  kept, nn-mail --flush tries again
  run13.1.ended

Slips of the pen.

  $ nn-run --notify faild -- true 2>&1 | head -n 1
  nn-run: --notify: 'faild' is not failed, finished, warning or none (did you mean 'failed'?)
  $ nn-queue add --notify 'none, failed' -- true
  nn-queue: --notify: 'none' goes with nothing else
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ echo '{"argv":["true"],"notify":["failed"]}' | nn-queue add
  nn-queue: standard input:1: 'notify' must be a string
  [2]
  $ printf 'command = true\nnotify = all\n' | nn-sweep -
  nn-sweep: standard input:2: 'notify': 'all' is not failed, finished, warning or none
  [2]
  $ NN_MAIL_NOTIFY=yes nn-run -- true
  nn-run: mail.notify: 'yes' is not failed, finished, warning or none
  [125]
