Four runs, and what can be done to those that wait.

  $ nn-queue init >/dev/null
  $ for n in a b c d; do echo '{"argv":["true"],"name":"'$n'","group":"g","note":"first","tags":["old"]}'; done | nn-queue add
  1
  2
  3
  4
  $ nn-queue hold 1 b
  1	held
  2	held
  $ ls spool/queued spool/held | paste -sd ' '
  spool/held: 5-0000001.1 5-0000002.1  spool/queued: 5-0000003.1 5-0000004.1
  $ nn-queue release 1-2
  1	queued
  2	queued
  $ nn-queue prio 2 d 3
  4	queued
  3	queued
  $ ls spool/queued
  2-0000003.2
  2-0000004.2
  5-0000001.2
  5-0000002.2
  $ nn-queue cancel last last~1
  4	cancelled
  3	cancelled
  $ nn-queue retry 4
  4	queued
  $ ls spool/queued spool/cancelled | paste -sd ' '
  spool/cancelled: 0000003.2  spool/queued: 2-0000004.3 5-0000001.2 5-0000002.2

The priority stays with the run; a priority for what is held or has ended counts when it comes back.

  $ cat spool/runs/4/labels.json
  {"priority":2}
  $ nn-queue hold 1 | nn-queue prio 0
  1	held
  $ nn-queue prio 1 3
  3	cancelled
  $ nn-queue retry c
  3	queued
  $ ls spool/queued spool/held | paste -sd ' '
  spool/held: 0-0000001.3  spool/queued: 1-0000003.3 2-0000004.3 5-0000002.2

What was done is on record, by the host it was done on.

  $ sed 's/"t":"[^"]*"/"t":"now"/' spool/runs/3/events.*.jsonl
  {"t":"now","event":"prio","from":"queued/5-0000003.1","to":"queued/2-0000003.2"}
  {"t":"now","event":"cancel","from":"queued/2-0000003.2","to":"cancelled/0000003.2"}
  {"t":"now","event":"retry","from":"cancelled/0000003.2","to":"queued/1-0000003.3"}

Several at once: what cannot be done is told, and the rest is done.

  $ mv spool/queued/5-0000002.2 spool/done/0000002.2
  $ nn-queue hold 2 nobody 4 99
  nn-queue: there is no run 'nobody'
  nn-queue: there is no run 99
  nn-queue: cannot hold 2: done already
  4	held
  [2]
  $ nn-queue retry @g
  nn-queue: cannot retry 2: done (--done runs it again all the same)
  nn-queue: cannot retry 1 4: held
  3	queued
  [2]
  $ nn-queue retry --done 2
  2	queued
  $ mv spool/queued/5-0000002.3 spool/failed/0000002.3~signal,9
  $ nn-queue cancel 2
  nn-queue: cannot cancel 2: failed already (signal 9 (KILL))
  [2]
  $ nn-queue release 2 4
  nn-queue: cannot release 2: failed already (signal 9 (KILL))
  4	queued
  [2]

A claimed run that has not started can be called off; one that runs on another host is asked to stop.

  $ mv spool/queued/2-0000004.4 spool/running/0000004.4~far,01234567,1,2,3~c
  $ mv spool/queued/1-0000003.3 spool/running/0000003.3~far,01234567,1,2,3~far,01234567,1,4,5~s
  $ nn-queue hold 3-4
  nn-queue: cannot hold 4: about to start
  nn-queue: cannot hold 3: running
  [2]
  $ nn-queue cancel 3 4
  nn-queue: run 3 runs on far: its nn-run there sees this within seconds
  3	stopping
  4	cancelled
  $ ls spool/runs/3/cancel spool/cancelled
  spool/runs/3/cancel
  
  spool/cancelled:
  0000004.4
  $ nn-queue retry 3
  nn-queue: cannot retry 3: running
  [2]
  $ nn-queue retry 4 && ls spool/queued
  4	queued
  2-0000004.5

Notes and tags: job.json stays as it was.

  $ nn-queue note 'looks good' 1 | nn-queue tag best,old
  1
  $ nn-queue tag -d old 1 a
  1
  $ nn-queue note '' 2
  2
  $ cat spool/runs/1/labels.json spool/runs/2/labels.json
  {"priority":0,"note":"looks good","tags":["best"]}
  {"note":""}

Slips.

  $ nn-queue prio 17 1 2>&1 | head -1
  nn-queue: say which priority: a digit from 0 (first) to 9 (last), then the runs
  $ nn-queue prio 2>&1 | head -1
  nn-queue: say which priority: a digit from 0 (first) to 9 (last), then the runs
  $ nn-queue tag 2>&1 | head -1
  nn-queue: say the tags, separated by commas, then the runs
  $ nn-queue tag , 1 2>&1 | head -1
  nn-queue: a tag is a word of at most 200 bytes
  $ nn-queue note 2>&1 | head -1
  nn-queue: say the note, then the runs
  $ nn-queue hold --all 2>&1 | head -1
  nn-queue: unknown option '--all'
  $ nn-queue hold </dev/null
  nn-queue: which runs? give them as operands or on standard input
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]

Waiting.

  $ nn-queue cancel 4 >/dev/null; nn-queue wait 2 4
  2	failed	signal 9 (KILL)
  4	cancelled	
  [1]
  $ nn-queue wait --timeout 0.1s 1 2
  nn-queue: run 1 is held: it has to be released first
  2	failed	signal 9 (KILL)
  nn-queue: 1: not ended yet
  [75]
  $ (sleep 0.1; mv spool/held/0-0000001.3 spool/done/0000001.3) & nn-queue wait a; wait
  nn-queue: run 1 is held: it has to be released first
  1	done	
  $ nn-queue wait --timeout soon 2>&1 | head -1
  nn-queue: option '--timeout': 'soon' is not a duration such as 2h30m

A damaged labels.json is told, not overwritten; a full disk (or a reader that left) harms nothing.

  $ printf '{"no' >spool/runs/2/labels.json; nn-queue note x 2 4 2>&1 | sed "s|$PWD|HERE|"; cat spool/runs/2/labels.json; echo
  nn-queue: HERE/spool/runs/2/labels.json:1: column 5: string without end
  4
  {"no
  $ nn-queue retry 2 4 >/dev/full; ls spool/queued
  nn-queue: cannot write standard output: No space left on device
  2-0000004.6
  5-0000002.4
  $ nn-queue hold 2 4 | head -n 0; ls spool/queued
