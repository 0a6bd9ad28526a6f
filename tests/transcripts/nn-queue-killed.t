A worker killed with kill -9: the run goes on under its own nn-run.

  $ nn-queue init >/dev/null
  $ pid=$(nn-queue work --detach --forever 2>/dev/null)
  $ nn-queue add -n orphan -- sleep 0.4 && until_ok sh -c 'ls spool/running | grep "~s"'
  1
  $ kill -9 $pid; nn-queue wait orphan; nn-queue recover; ls spool/running
  1	done	

Its nn-run killed, the command alive: the worker starts another one, which follows the command to its end.

  $ cat >job.sh <<'E'
  > echo attempt $NN_ATTEMPT
  > for i in 1 2 3; do echo "epoch $i loss 0.$i"; done
  > until [ -e go ]; do sleep 0.02; done
  > for i in 4 5; do echo "epoch $i loss 0.$i"; done
  > printf 'epoch 6 loss 0.6'; exit 3
  > E
  $ runner() { ls spool/running | sed 's/.*,\([0-9]*\),[0-9]*~s/\1/'; }
  $ history() { sed 's/"t":"[^"]*",//' spool/runs/$1/history.jsonl; }
  $ nn-queue add -n whole --live -- sh job.sh
  2
  $ nn-queue work 2>work.err & until_ok grep -q 'loss":0.3' spool/runs/2/history.jsonl
  $ kill -9 $(runner); until_ok grep -q adopted spool/runs/2/attempt.json; nn-queue list | cut -f2,5,7-8
  running	whole	epoch=3 loss=0.3	
  $ touch go; wait; nn-queue list -a whole | cut -f2,5,8; sed 's/nn-run [0-9][0-9]*/nn-run PID/; s/ [0-9.]*s$/ TIME/' work.err
  failed	whole	exit 3
  nn-queue: warning: run 2: its nn-run died
  nn-queue: run 2: its nn-run PID died, its command goes on: adopted
  2 whole failed (exit 3) TIME

Its log and its history are those of a run that nothing happened to.

  $ nn-run -q -n same -- sh job.sh; cmp spool/runs/2/log spool/runs/3/log && history 2 >2 && history 3 | diff 2 - && cat 2
  {"epoch":1,"loss":0.1}
  {"epoch":2,"loss":0.2}
  {"epoch":3,"loss":0.3}
  {"epoch":4,"loss":0.4}
  {"epoch":5,"loss":0.5}
  {"epoch":6,"loss":0.6}
  $ nn-queue show 2 | sed -n 's/nn-run [0-9]*/nn-run PID/; /^evidence/p; s/.* adopted from.*/adopted/p'
  evidence    adopted: its nn-run PID had died
  adopted

Worker and nn-run killed: recover finds the command. What the new nn-run is killed at, the next one takes up.

  $ rm go; nn-queue add -n twice --live -- sh job.sh
  4
  $ nn-queue work -q & until_ok grep -q 'loss":0.3' spool/runs/4/history.jsonl
  $ kill -9 $! $(runner); until_ok sh -c 'nn-queue list | grep dead'; nn-queue list | cut -f2,5,8
  running	twice	runner dead: nn-queue recover
  $ nn-queue recover; nn-queue recover; kill -9 $(runner); until_ok sh -c 'nn-queue list | grep dead'; nn-queue recover
  4	its nn-run died, its command goes on: adopted
  4	its nn-run died, its command goes on: adopted
  $ kill -9 $(runner); until_ok sh -c 'nn-queue list | grep dead'
  $ nn-queue work -q 2>/dev/null & until_ok sh -c '! nn-queue list | grep dead'
  $ touch go; wait; nn-queue wait 4; nn-queue log 4
  4	failed	exit 3
  attempt 1
  epoch 1 loss 0.1
  epoch 2 loss 0.2
  epoch 3 loss 0.3
  epoch 4 loss 0.4
  epoch 5 loss 0.5
  epoch 6 loss 0.6 (no newline)
  $ history 4 | diff 2 -

The command ended while nobody looked, and left something: that is ended too.

  $ nn-queue add -n left -- sh -c 'sleep 600 & echo $! >left; until [ -e gone ]; do sleep 0.02; done'
  5
  $ nn-queue work -q & until_ok grep -q pid spool/runs/5/attempt.json; until_ok test -s left
  $ lives() { grep -q '^State:.[^ZX]' /proc/$1/status; }; dead() { ! lives $1; }
  $ kill -9 $! $(runner); touch gone; until_ok dead $(sed 's/.*"pid":\([0-9]*\).*/\1/' spool/runs/5/attempt.json)
  $ lives $(cat left) && nn-queue recover; nn-queue wait left; lives $(cat left) 2>/dev/null || echo ended
  5	its nn-run died, its command goes on: adopted
  5	failed	lost
  ended
  $ nn-queue show left | sed -n 's/nn-run [0-9]*/nn-run PID/; /^evidence/p'; grep -o '"leftovers":1' spool/runs/5/result.json
  evidence    runner and command are gone, and left no result
  "leftovers":1

Time limit and cancel hold as before.

  $ nn-queue add -n long --time 1s -- sleep 600
  6
  $ nn-queue work -q & until_ok grep -q pid spool/runs/6/attempt.json
  $ kill -9 $! $(runner); until_ok sh -c 'nn-queue list | grep dead'; nn-queue recover; nn-queue wait long
  6	its nn-run died, its command goes on: adopted
  6	failed	time limit
  [1]
  $ nn-queue add -n alone -- sleep 600
  7
  $ nn-queue work -q & until_ok grep -q pid spool/runs/7/attempt.json
  $ kill -9 $! $(runner); until_ok sh -c 'nn-queue list | grep dead'; nn-queue cancel alone; nn-queue wait alone
  7	stopping
  7	cancelled	
  [1]

What is not to be adopted.

  $ nn-run --adopt nonsense 2>&1 | head -n 1
  nn-run: 'nonsense' is not the token of a started run
  $ nn-run --adopt x --resume y 2>&1 | head -n 1
  nn-run: --resume and --adopt: one of them
  $ nn-run -q -- sleep 600 & until_ok grep -q pid spool/runs/8/attempt.json; nn-run --adopt $(ls spool/running) 2>&1 | sed 's/nn-run [0-9]* on .* is/nn-run PID is/'
  nn-run: run 8: its nn-run PID is not proved dead
  $ nn-queue cancel 8 >/dev/null; wait
