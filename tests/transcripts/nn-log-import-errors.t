What is no run of the kind that was named, or damaged, is told with its place, and nothing of it is imported.

  $ nn-queue init >/dev/null
  $ nn-log import 2>&1 | head -n 1
  nn-log: import what? give --sacred, --tensorboard, --mlflow, --csv or --log and paths
  $ nn-log import old 2>&1 | head -n 1
  nn-log: unexpected argument 'old'
  $ nn-log import --sacred 2>&1 | head -n 1
  nn-log: option '--sacred' needs a value
  $ nn-log import --csv x.csv -p '{loss}' 2>&1 | head -n 1
  nn-log: --pattern goes with --log
  $ nn-log -r 1 import --csv x.csv 2>&1 | head -n 1
  nn-log: export, import, start, progress, finish, report come first: nn-log export RUNS
  $ nn-log import --sacred nowhere
  nn-log: cannot read nowhere: No such file or directory
  [2]
  $ mkdir empty; for kind in sacred tensorboard mlflow; do nn-log import --$kind empty 2>&1; done | sed "s:$PWD:.:"
  nn-log: ./empty: holds no runs of Sacred (directories with a run.json)
  nn-log: ./empty: holds no event files of TensorBoard (events.out.tfevents.…)
  nn-log: ./empty: holds no runs of MLflow (directories with a meta.yaml)
  $ mkdir -p bad/1 bad/2 bad/3 bad/4
  $ echo '{"status":"COMPLETED"' >bad/2/run.json; echo '{"status":"QUEUED"}' >bad/3/run.json; echo '{"status":"COMPLETED"}' >bad/4/run.json
  $ echo '{"loss":{"steps":[1,2],"values":[1]}}' >bad/4/metrics.json; mkfifo bad/5
  $ nn-log import --sacred bad 2>&1 | sed "s:$PWD:.:"
  nn-log: ./bad/1/run.json: is missing: this is no whole run
  nn-log: ./bad/2/run.json:2: column 1: expected ',' or '}'
  nn-log: ./bad/3/run.json: is queued, and has not run
  nn-log: ./bad/4/metrics.json: 'loss': has 1 values and 2 steps
  $ nn-log import --sacred bad 2>/dev/null
  [2]
  $ printf '\030\0\0\0\0\0\0\0\243\177\113\042' >events.out.tfevents.1; nn-log import --tensorboard . 2>&1 | sed "s:$PWD:.:"
  nn-log: warning: .: no scalars in it: left out
  $ printf '\030\0\0\0\0\0\0\1\243\177\113\042' >events.out.tfevents.1; nn-log import --tensorboard . 2>&1 | sed "s:$PWD:.:"
  nn-log: ./events.out.tfevents.1: byte 0: the length of a record does not fit its checksum: the file is damaged
  $ printf 'epoch,loss\n1,2,3\n' >a.csv; printf 'epoch,loss\n1,"2\n' >b.csv; printf 'epoch,loss\n1,x\n' >c.csv; printf 'loss\n\377\n' >d.csv; printf 'loss\n1\n' >e.csv; mkfifo f.csv
  $ nn-log import --csv ?.csv 2>&1 | sed "s:$PWD:.:"
  nn-log: ./a.csv:2: has more cells than the heading
  nn-log: ./b.csv:2: a quote (") is not closed
  nn-log: ./c.csv: holds no values: no number stands below a heading that is no counter
  nn-log: ./d.csv:2: is not valid UTF-8
  nn-log: cannot read ./f.csv: not a regular file
  1
  $ printf 'nothing\n' >x.log; nn-log import --log x.log 2>&1 | sed "s:$PWD:.:"
  nn-log: warning: run 2, ./x.log: no values were found in it
  2
  $ ls spool/runs spool/done
  spool/done:
  0000001.1
  0000002.1
  
  spool/runs:
  1
  2
  $ nn-log import --again --csv e.csv -g "$(printf %0300d 0)" 2>&1 | sed "s:$PWD:.:"
  nn-log: ./e.csv: 'group' is longer than 200 bytes, or holds a NUL
  $ nn-log import --new --again --csv e.csv 2>&1 | head -n 1
  nn-log: --new and --again exclude each other
