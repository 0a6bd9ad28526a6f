A spool that a person names is not made behind her back.

  $ nn-queue list 2>&1 | sed "s|$PWD|HERE|g"
  nn-queue: HERE/spool: there is no spool here (make one with 'nn-queue init')
  $ nn-queue init | sed "s|$PWD|HERE|"
  HERE/spool

One command, and what is laid over it.

  $ nn-queue add -n first -p lr=0.1 -p act=tanh -g g1 --needs 'slots=2 ram=1G' --time 2h --note 'a "note"' --tag x -- echo 'a b'
  1
  $ cat spool/runs/1/job.json | sed 's/"cwd":"[^"]*"/"cwd":"."/; s/"added":"[^"]*"/"added":"now"/'
  {"argv":["echo","a b"],"cwd":".","name":"first","group":"g1","note":"a \"note\"","params":{"lr":0.1,"act":"tanh"},"needs":{"slots":2,"ram":"1G","time":"2h"},"tags":["x"],"added":"now"}
  $ tr '\0' '\n' <spool/runs/1/env | grep ^TERM
  TERM=dumb

Jobs from standard input: numbers come out, blank lines do not matter.

  $ printf '{"argv":["true"],"name":"x"}\n\n{"argv":["true"],"cwd":"sub","priority":3}\n' | nn-queue add --hold --retries 2
  2
  3
  $ ls spool/queued spool/held
  spool/held:
  3-0000003.1
  5-0000002.1
  
  spool/queued:
  5-0000001.1
  $ sed 's/"cwd":"[^"]*\/\([^"]*\)"/"cwd":"\1"/; s/"added":"[^"]*"/"added":"now"/' spool/runs/3/job.json
  {"argv":["true"],"cwd":"sub","priority":3,"hold":true,"retries":2,"added":"now"}

All or nothing: the third line is wrong, and neither of the others is added.

  $ printf '{"argv":["true"]}\n{"argv":["true"]}\n{"argv":["true"],"prams":{}}\n' | nn-queue add
  nn-queue: standard input:3: unknown key 'prams' (did you mean 'params'?)
  [2]
  $ printf '{"argv":["true"]}\n{"argv":["true"' | nn-queue add
  nn-queue: standard input:2: column 16: expected ',' or ']'
  [2]
  $ printf '{"argv":["true"]}\n[]\n' | nn-queue add
  nn-queue: standard input:2: expected a JSON object
  [2]
  $ printf '{"argv":["true"]}\n{"argv":["\377"]}\n' | nn-queue add
  nn-queue: standard input:2: not valid UTF-8
  [2]
  $ printf '{"argv":[]}\n' | nn-queue add
  nn-queue: standard input:1: 'argv' is missing
  [2]
  $ printf '{"argv":["x"],"priority":10}' | nn-queue add
  nn-queue: standard input:1: 'priority' must be a whole number from 0 to 9
  [2]
  $ nn-queue add </dev/null
  nn-queue: there is no job on standard input
  [1]
  $ ls spool/runs | wc -l
  3

Slips on the command line.

  $ nn-queue
  nn-queue: say what to do: a verb such as add, list or work
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ nn-queue ad -- true
  nn-queue: unknown verb 'ad' (did you mean 'add'?)
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ nn-queue add --pri 3 -- true
  nn-queue: unknown option '--pri'
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ nn-queue add --prio 10 -- true
  nn-queue: option '--prio': '10' is not a digit from 0 to 9
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ nn-queue add --needs gpu=1 -- true
  nn-queue: --needs: unknown need 'gpu' (did you mean 'gpus'?)
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ nn-queue add -p lr -- true
  nn-queue: 'lr': expected KEY=VALUE
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ nn-queue add --time soon -- true
  nn-queue: option '--time': 'soon' is not a duration such as 2h30m
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ nn-queue add -n
  nn-queue: option '-n' needs a value
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ echo '{"argv":["true"]}' | nn-queue add -n one
  nn-queue: --name names one run: give its command after '--'
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ nn-queue add -n "$(printf '%0300d' 1)" -- true
  nn-queue: 'name' is longer than 200 bytes, or holds a NUL
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ ls spool/runs | wc -l
  3

Any name goes; no file is called after it.

  $ nn-queue add -n "../../$(printf 'a\033[31m\nb')" -- true
  4
  $ nn-queue list 4 | cut -f1-5
  4	queued	5		../../a\x1b[31m\nb

Nobody listens, or the disk is full.

  $ nn-queue add -- true | head -n 0
  $ nn-queue add -- true >/dev/full
  nn-queue: cannot write standard output: No space left on device
  [2]
  $ nn-queue list | cut -f1-3
  1	queued	5
  4	queued	5
  5	queued	5
  6	queued	5
  3	held	3
  2	held	5
