One run, made by hand so that everything is known about it.

  $ nn-queue init >/dev/null; export NN_NOW=2026-11-22T20:00:00Z
  $ nn-queue add -n net -g g -p lr=0.1 --note 'first try' --tag best -- python3 train.py --msg "$(printf 'a\033[31mb')"
  1
  $ cd spool/runs/1; mv ../../queued/5-0000001.1 ../../failed/0000001.1~oom
  $ echo '{"attempt":2,"generation":1,"pid":4711,"started":"2026-11-22T20:01:00Z","former":[{"attempt":1,"how":"lost"}]}' >attempt.json
  $ echo '{"generation":1,"state":"failed","how":"oom","started":"2026-11-22T20:01:00Z","ended":"2026-11-22T20:31:00Z","evidence":"oom_kill 1"}' >result.json
  $ printf '{"epoch":1,"cost":3}\n{"epoch":2,"cost":"NaN"}\n{"epoch":3,"cost":2.5}\n{"epo' >history.jsonl
  $ echo '{"t":"2026-11-22T20:01:00Z","event":"started","pid":4711}' >events.jsonl
  $ printf '1\n2\nepoch 1 \033[31mred\n 10%%\r 20%%\r 30%%\nend\377' >log
  $ mkdir checkpoints; touch checkpoints/a checkpoints/b; cd ../../..
  $ nn-queue show net | sed "s|$PWD|HERE|; s/job.json [0-9]*/job.json N/; s/env [0-9.K]*/env N/"
  run         1 net
  state       failed: out of memory
  group       g
  command     python3 train.py --msg 'a\x1b[31mb'
  in          HERE
  parameters  lr=0.1
  note        first try
  tags        best
  added       2026-11-22 20:00:00
  attempt     2, started 2026-11-22 20:01:00, pid 4711
              attempt=1 how=lost
  ended       2026-11-22 20:31:00, after 30m
  evidence    oom_kill 1
  values      cost 2.5 (from 2.5 to 3)
  files       HERE/spool/runs/1
              attempt.json 111, checkpoints/ (2), env N, events.jsonl 58, history.jsonl 74, job.json N, log 40, result.json 134
  events      2026-11-22 20:01:00 started pid=4711
  log         1
              2
              epoch 1 \x1b[31mred
               30%
              end\xff
  $ nn-queue show 1 --json | sed "s|$PWD|HERE|; s/\"job.json\":[0-9]*/\"job.json\":0/; s/\"env\":[0-9]*/\"env\":0/"
  {"run":1,"state":"failed","how":"out of memory","owner":null,"generation":1,"job":{"argv":["python3","train.py","--msg","a\u001b[31mb"],"cwd":"HERE","name":"net","group":"g","note":"first try","params":{"lr":0.1},"tags":["best"],"added":"2026-11-22T20:00:00.000Z"},"labels":null,"attempt":{"attempt":2,"generation":1,"pid":4711,"started":"2026-11-22T20:01:00Z","former":[{"attempt":1,"how":"lost"}]},"result":{"generation":1,"state":"failed","how":"oom","started":"2026-11-22T20:01:00Z","ended":"2026-11-22T20:31:00Z","evidence":"oom_kill 1"},"facts":null,"resources":null,"metrics":{"cost":{"first":3.0,"last":2.5,"min":2.5,"max":3.0}},"files":{"attempt.json":111,"checkpoints/":2,"env":0,"events.jsonl":58,"history.jsonl":74,"job.json":0,"log":40,"result.json":134},"events":[{"t":"2026-11-22T20:01:00Z","event":"started","pid":4711}]}

Its log, byte for byte, and the last lines of it.

  $ nn-queue log 1 | cmp - spool/runs/1/log
  $ nn-queue log -n 2 1; nn-queue log --lines=0 net
   10%\x0d 20%\x0d 30%
  end\xff (no newline)
  $ nn-queue log last | head -1
  1

A run that has not started has no log; following one ends with the run.

  $ nn-queue add -n late -- true; nn-queue show 2 | sed 's/^in .*/in HERE/; /^files/,$d'; nn-queue log late
  2
  run         2 late
  state       queued, priority 5
  waits       no worker runs
  command     true
  in HERE
  added       2026-11-22 20:00:00
  $ (sleep 0.1; echo one >spool/runs/2/log; echo two >>spool/runs/2/log; mv spool/queued/5-0000002.1 spool/done/0000002.1) & nn-queue log -f 2; wait
  one
  two

Errors.

  $ nn-queue show 3; nn-queue log 3
  nn-queue: there is no run 3
  nn-queue: there is no run 3
  [2]
  $ nn-queue show 2>&1 | head -1
  nn-queue: which run? its number, its name, or last
  $ nn-queue log -n x 1 2>&1 | head -1
  nn-queue: option '-n': 'x' is not a number of lines
  $ nn-queue show @g >/dev/full
  nn-queue: cannot write standard output: No space left on device
  [2]
  $ nn-queue log 1 >/dev/full
  nn-queue: cannot write standard output: No space left on device
  [2]
  $ printf '{"argv":["tr' >spool/runs/2/job.json; nn-queue show 2 2>&1 | sed "s|$PWD|HERE|"
  nn-queue: HERE/spool/runs/2/job.json:1: column 13: string without end
