Nothing to read, and slips of the pen.

  $ nn-table 2>&1 | sed "s,$PWD,.,"
  nn-table: ./spool: there is no spool here (make one with 'nn-queue init')
  $ mkdir -p spool/runs spool/done && echo 1 > spool/version
  $ nn-table
  [1]
  $ mkdir spool/runs/1 spool/runs/2
  $ echo '{"argv":["x"],"cwd":"/","params":{"lr":1}}' > spool/runs/1/job.json
  $ echo '{"argv":["x"],"cwd"' > spool/runs/2/job.json
  $ touch spool/done/0000001.1 spool/done/0000002.1

A damaged run is told of, and the others are shown:

  $ nn-table --columns run,lr 2>&1 | sed "s,$PWD,.,"
  nn-table: ./spool/runs/2/job.json:2: column 1: expected ':'
  1	1
  $ nn-table --columns run,lrr 1
  nn-table: no run has 'lrr' (did you mean 'lr'?)
  usage: nn-table [-r] [-t] [--where CONDITION]... [--sort COLUMN] [--columns LIST]
                  [--csv | --json | --markdown | --tsv] [RUNS]
         nn-table diff [--all] [--csv | --json | --markdown | --tsv] RUN RUN
  [2]
  $ nn-table --where 'lrr>1' 1 2>&1 | head -1
  nn-table: no run has 'lrr' (did you mean 'lr'?)
  $ nn-table --sort lrr 1 2>&1 | head -1
  nn-table: no run has 'lrr' (did you mean 'lr'?)
  $ nn-table --columns run,,lr 1
  nn-table: --columns: a name is missing between two commas
  usage: nn-table [-r] [-t] [--where CONDITION]... [--sort COLUMN] [--columns LIST]
                  [--csv | --json | --markdown | --tsv] [RUNS]
         nn-table diff [--all] [--csv | --json | --markdown | --tsv] RUN RUN
  [2]
  $ nn-table --columns @none 1 2>&1 | sed "s,$PWD,.,;2,\$d"
  nn-table: there is no 'table.none' in ./spool/config
  $ nn-table --where lr 1
  nn-table: --where: 'lr': expected COLUMN=VALUE, or != < <= > >= ~ (contains)
  usage: nn-table [-r] [-t] [--where CONDITION]... [--sort COLUMN] [--columns LIST]
                  [--csv | --json | --markdown | --tsv] [RUNS]
         nn-table diff [--all] [--csv | --json | --markdown | --tsv] RUN RUN
  [2]
  $ nn-table --all 1
  nn-table: option '--all' belongs to 'nn-table diff'
  usage: nn-table [-r] [-t] [--where CONDITION]... [--sort COLUMN] [--columns LIST]
                  [--csv | --json | --markdown | --tsv] [RUNS]
         nn-table diff [--all] [--csv | --json | --markdown | --tsv] RUN RUN
  [2]
  $ nn-table diff 1
  nn-table: 'nn-table diff' compares two runs, not 1
  usage: nn-table [-r] [-t] [--where CONDITION]... [--sort COLUMN] [--columns LIST]
                  [--csv | --json | --markdown | --tsv] [RUNS]
         nn-table diff [--all] [--csv | --json | --markdown | --tsv] RUN RUN
  [2]
  $ nn-table diff --sort run 1 2
  nn-table: 'nn-table diff' compares two runs: --columns, --where and --sort have no place there
  usage: nn-table [-r] [-t] [--where CONDITION]... [--sort COLUMN] [--columns LIST]
                  [--csv | --json | --markdown | --tsv] [RUNS]
         nn-table diff [--all] [--csv | --json | --markdown | --tsv] RUN RUN
  [2]
  $ nn-table --colums run
  nn-table: unknown option '--colums'
  usage: nn-table [-r] [-t] [--where CONDITION]... [--sort COLUMN] [--columns LIST]
                  [--csv | --json | --markdown | --tsv] [RUNS]
         nn-table diff [--all] [--csv | --json | --markdown | --tsv] RUN RUN
  [2]
  $ nn-table 7
  nn-table: there is no run 7
  [2]
  $ nn-table 1 > /dev/full
  nn-table: cannot write standard output: No space left on device
  [2]
  $ nn-table --columns run 1 | head -0
