Bad input is told at once.

  $ nn-watch --once 2>&1 | sed "s,$PWD,DIR,"
  nn-watch: DIR/spool: there is no spool here (make one with 'nn-queue init')
  $ nn-queue init >/dev/null
  $ nn-watch --once nobody
  nn-watch: there is no run 'nobody'
  [2]
  $ nn-watch --follow
  nn-watch: --follow goes with --events, or with a log
  usage: nn-watch [-a] [--once] [--json] [RUNS]
         nn-watch --events [-f] [RUNS]
         nn-watch [--tick] [--new]
         nn-watch why RUN
         nn-watch [-f] [--json] [-p TEMPLATE]... [--rule RULE]... FILE|-
  [2]
  $ nn-watch --events --once
  nn-watch: --events prints all that is on record of the runs, as JSON: it takes --follow alone
  usage: nn-watch [-a] [--once] [--json] [RUNS]
         nn-watch --events [-f] [RUNS]
         nn-watch [--tick] [--new]
         nn-watch why RUN
         nn-watch [-f] [--json] [-p TEMPLATE]... [--rule RULE]... FILE|-
  [2]
  $ nn-watch --frob
  nn-watch: unknown option '--frob'
  usage: nn-watch [-a] [--once] [--json] [RUNS]
         nn-watch --events [-f] [RUNS]
         nn-watch [--tick] [--new]
         nn-watch why RUN
         nn-watch [-f] [--json] [-p TEMPLATE]... [--rule RULE]... FILE|-
  [2]
  $ nn-watch why
  nn-watch: why: which run? One is wanted
  usage: nn-watch [-a] [--once] [--json] [RUNS]
         nn-watch --events [-f] [RUNS]
         nn-watch [--tick] [--new]
         nn-watch why RUN
         nn-watch [-f] [--json] [-p TEMPLATE]... [--rule RULE]... FILE|-
  [2]
  $ nn-watch why 1 2
  nn-watch: why: which run? One is wanted
  usage: nn-watch [-a] [--once] [--json] [RUNS]
         nn-watch --events [-f] [RUNS]
         nn-watch [--tick] [--new]
         nn-watch why RUN
         nn-watch [-f] [--json] [-p TEMPLATE]... [--rule RULE]... FILE|-
  [2]
  $ nn-watch why 7
  nn-watch: there is no run 7
  [2]

Damage in the spool is passed over or told; a reader that leaves, and a full disk.

  $ nn-run -q -n a -- sh -c 'echo epoch=1 loss=2'
  $ printf 'nonsense\n{"t":3}\n\377\n' >>spool/runs/1/events.jsonl; printf 'nonsense\n' >>spool/runs/1/history.jsonl; echo '{' >spool/runs/1/resources.jsonl; echo '{' >spool/hosts/far.json
  $ nn-watch --once 1 | cut -f1-3,7-
  1	done	a	epoch=1 loss=2	▄		
  $ nn-watch --events | grep -c event
  2
  $ nn-watch --events | head -n 1 | grep -c started
  1
  $ nn-watch --once 1 >/dev/full
  nn-watch: cannot write standard output: No space left on device
  [2]
