Points from arguments, inside a run: NN_RUN_DIR says which.

  $ export NN_NOW=2026-11-22T23:00:00.123Z
  $ mkdir run
  $ export NN_RUN_DIR="$PWD/run"
  $ nn-log epoch=3 valid_cost=0.12
  $ nn-log step=100 batch=5 batches=20 loss=nan grad_norm=1e-7 best=-inf
  $ cat run/history.*.jsonl
  {"t":"2026-11-22T23:00:00.123Z","epoch":3,"valid_cost":0.12}
  {"t":"2026-11-22T23:00:00.123Z","step":100,"batch":5,"batches":20,"loss":"NaN","grad_norm":1e-7,"best":"-Infinity"}

A torn last line is closed first.

  $ printf '{"epoch":4,"lo' >>"$(echo run/history.*.jsonl)"
  $ nn-log epoch=5 loss=1
  $ tail -n 2 run/history.*.jsonl
  {"epoch":4,"lo
  {"t":"2026-11-22T23:00:00.123Z","epoch":5,"loss":1}

Another run, by number, name or last: -r needs the spool.

  $ nn-log -r 1 loss=1 2>&1 | grep -o 'no spool'
  no spool
  $ mkdir -p spool/runs/1 && printf '{"argv":["true"],"name":"first"}' >spool/runs/1/job.json
  $ chmod 700 spool && printf '1\n' >spool/version
  $ for state in queued held submitted running done failed cancelled hosts tmp code; do mkdir spool/$state; done
  $ nn-log -r 1 epoch=1 loss=2 && nn-log --run first epoch=2 loss=1 && nn-log -r last epoch=3 loss=0.5
  $ cat spool/runs/1/history.*.jsonl
  {"t":"2026-11-22T23:00:00.123Z","epoch":1,"loss":2}
  {"t":"2026-11-22T23:00:00.123Z","epoch":2,"loss":1}
  {"t":"2026-11-22T23:00:00.123Z","epoch":3,"loss":0.5}
  $ nn-log -r 7 loss=1
  nn-log: there is no run 7
  [2]

With NN_RUN alone the folder is looked up.

  $ unset NN_RUN_DIR
  $ NN_RUN=1 nn-log epoch=4 loss=0.25 && tail -n 1 spool/runs/1/history.*.jsonl
  {"t":"2026-11-22T23:00:00.123Z","epoch":4,"loss":0.25}
