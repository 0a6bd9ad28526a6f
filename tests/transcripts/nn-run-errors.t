Mistakes touch nothing.

  $ nn-run true 2>&1 | sed "s,$PWD,.,"
  nn-run: ./spool: there is no spool here (make one with 'nn-queue init')
  $ nn-queue init >/dev/null
  $ nn-run 2>&1 | head -n 1
  nn-run: which command?
  $ nn-run --time soon true 2>&1 | head -n 1
  nn-run: option '--time': 'soon' is not a duration such as 90s or 2h30m
  $ nn-run -p lr true 2>&1 | head -n 1
  nn-run: 'lr': expected KEY=VALUE
  $ nn-run --pattern '{loss' true 2>&1 | head -n 1
  nn-run: pattern '{loss', column 1: '{' without '}' (a brace itself is '{{')
  $ nn-run --pattern '{loss' true 2> /dev/null
  [125]
  $ nn-run --claimed nonsense 2>&1 | head -n 1
  nn-run: 'nonsense' is not the token of a claimed run
  $ nn-run --claimed x true 2>&1 | head -n 1
  nn-run: --claimed takes the command from the spool
  $ nn-run --nosuch true 2>&1 | head -n 1
  nn-run: unknown option '--nosuch'
  $ ls spool/runs

A claim that was taken back runs nothing:

  $ nn-queue add -- touch ran
  1
  $ nn-run --claimed "0000001.1~$(hostname),01234567,1,2,3~c"
  nn-run: run 1: the claim was taken back, nothing was run
  [111]
  $ ls ran spool/queued
  ls: cannot access 'ran': No such file or directory
  spool/queued:
  5-0000001.1
  [2]

A damaged job ends with its reason; a run made by hand needs no more than a job and a token:

  $ mkdir spool/runs/2 && echo '{"argv":["true"]' > spool/runs/2/job.json && touch spool/queued/5-0000002.1
  $ mkdir spool/runs/3 && echo "{\"argv\":[\"echo\",\"by hand\"],\"cwd\":\"$PWD\"}" > spool/runs/3/job.json && touch spool/queued/4-0000003.1
  $ mkdir spool/runs/4 && echo '{"argv":["true"],"cwd":"/no/such"}' > spool/runs/4/job.json && touch spool/queued/5-0000004.1
  $ nn-queue work -q 2>&1 | sed "s,$PWD,.,"
  nn-run: run 2: ./spool/runs/2/job.json:2: column 1: expected ',' or '}'
  nn-run: run 4: cannot enter /no/such: No such file or directory
  $ ls spool/done spool/failed
  spool/done:
  0000001.1
  0000003.1
  
  spool/failed:
  0000002.1~exit,125
  0000004.1~exit,125
  $ cat spool/runs/3/log
  by hand
  $ grep -o '"evidence":"[^"]*' spool/runs/2/result.json spool/runs/4/result.json | sed "s,$PWD,.,"
  spool/runs/2/result.json:"evidence":"./spool/runs/2/job.json:2: column 1: expected ',' or '}'
  spool/runs/4/result.json:"evidence":"cannot enter /no/such: No such file or directory
