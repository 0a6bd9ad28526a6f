A command, its log shown, its status passed on.

  $ nn-queue init >/dev/null
  $ nn-run -n first -p lr=0.1 -- sh -c 'for e in 1 2 3; do echo "epoch=$e loss=0.$e"; done; echo oops >&2; exit 3'
  epoch=1 loss=0.1
  epoch=2 loss=0.2
  epoch=3 loss=0.3
  oops
  [3]
  $ ls spool/failed
  0000001.1~exit,3
  $ cd spool/runs/1; cat log; cut -d, -f2- history.jsonl; cd ../../..
  epoch=1 loss=0.1
  epoch=2 loss=0.2
  epoch=3 loss=0.3
  oops
  "epoch":1,"loss":0.1}
  "epoch":2,"loss":0.2}
  "epoch":3,"loss":0.3}
  $ sed 's/.*"exit":\([0-9]*\).*"metrics":\(.*\)}/\1 \2/' spool/runs/1/result.json
  3 {"loss":{"first":0.1,"last":0.3,"min":0.1,"max":0.3}}

What the command finds in its environment:

  $ nn-run -p lr=0.1 -p 'a b=x y' -- sh -c 'env | grep ^NN_ | sort; cat "$NN_PARAMS"; test -d "$NN_CHECKPOINTS" && echo $PYTHONUNBUFFERED' | sed "s,$PWD,.,"
  NN_ATTEMPT=1
  NN_CHECKPOINTS=./spool/runs/2/checkpoints
  NN_PARAMS=./spool/runs/2/params.json
  NN_PARAM_a_b=x y
  NN_PARAM_lr=0.1
  NN_RUN=2
  NN_RUN_DIR=./spool/runs/2
  NN_SPOOL=./spool
  {"lr":0.1,"a b":"x y"}
  1

Quiet; a signal; a time limit; not found; cannot be run; no such directory:

  $ nn-run -q echo hello
  $ nn-run -- sh -c 'kill -9 $$'
  [137]
  $ nn-run --time 0.1s --grace 10s sleep 1000
  nn-run: run 5: the time limit of 0.1s is over
  [124]
  $ nn-run no-such-program
  nn-run: run 6: cannot run no-such-program: not found in PATH
  [127]
  $ nn-run ./spool
  nn-run: run 7: cannot run ./spool: Is a directory
  [126]
  $ touch plain && nn-run ./plain
  nn-run: run 8: cannot run ./plain: Permission denied
  [126]
  $ ls spool/done spool/failed
  spool/done:
  0000002.1
  0000003.1
  
  spool/failed:
  0000001.1~exit,3
  0000004.1~signal,9
  0000005.1~time
  0000006.1~exit,127
  0000007.1~exit,126
  0000008.1~exit,126

A command that ignores TERM is killed after the grace time:

  $ nn-run --time 0.1s --grace 0.1s -- sh -c 'trap "" TERM; while :; do sleep 0.02; done'
  nn-run: run 9: the time limit of 0.1s is over
  [124]
  $ sed 's/.*\("signal":[0-9]*\).*\("evidence":"[^"]*"\).*/\1 \2/' spool/runs/9/result.json
  "signal":9 "evidence":"the time limit of 0.1s was over"

Nothing of a run survives its end, in its group or out of it:

  $ nn-run -- sh -c 'sleep 1000.'$$' & setsid sleep 1000.'$$' & setsid sh -c "trap \"\" TERM; exec sleep 1000.'$$'" & echo started'
  started
  $ grep -o '"leftovers":[0-9]*' spool/runs/10/result.json
  "leftovers":3
  $ ps -eo args | grep -c "^sleep 1000.$$"
  0
  [1]

A template, and files of metrics beside the log:

  $ nn-run -q --pattern 'iter {step} cost {cost}' -- sh -c 'echo iter 5 cost 0.5 other=1'
  $ cut -d, -f2- spool/runs/11/history.jsonl
  "step":5,"cost":0.5}
  $ nn-run -q --metrics 'out/*/m*.csv' -- sh -c 'mkdir -p out/v0; printf "epoch,acc\n1,0.5\n2,0.75\n" > out/v0/metrics.csv'
  $ cut -d, -f2- spool/runs/12/history.jsonl
  "epoch":1,"acc":0.5}
  "epoch":2,"acc":0.75}

Standard input is passed on; a closed standard output stops nothing:

  $ echo text | nn-run -- cat
  text
  $ nn-run -- seq 100000 | head -n 1
  1
  $ wc -l < spool/runs/14/log
  100000
  $ nn-run -- echo lost > /dev/full
  nn-run: cannot write standard output: No space left on device
  [125]
  $ ls spool/running

A run within a run is one of its own, and inherits no parameters:

  $ nn-run -q -p outer=1 -- sh -c 'nn-run -p inner=2 -- env > inner'
  $ grep -c NN_PARAM_outer inner
  0
  [1]
  $ grep NN_PARAM_inner inner; grep -c "^NN_RUN=$(ls spool/runs | sort -n | tail -n 1)$" inner
  NN_PARAM_inner=2
  1
