A trainer that saves a checkpoint and goes on from it. It fails once by itself; with retries it is run again, after a pause.

  $ cat >train <<'END'
  > echo "attempt $NN_ATTEMPT resume=${NN_RESUME-no} from ${NN_CHECKPOINT##*/}"
  > epoch=$(cat "${NN_CHECKPOINT:-/dev/null}")
  > while [ "${epoch:-0}" -lt 4 ]; do
  >     epoch=$((epoch + 1))
  >     echo "epoch=$epoch cost=$((10 - epoch)).$NN_ATTEMPT"
  >     [ $epoch = 2 ] && echo 2 >"$NN_CHECKPOINTS/c-2"
  >     [ $epoch = 3 ] && [ $NN_ATTEMPT = 1 ] && { echo unfinished >"$NN_CHECKPOINTS/c-3.tmp"; exit 1; }
  > done
  > exit 0
  > END
  $ nn-queue init >/dev/null
  $ NN_BACKOFF=0.01s nn-run --retries 2 -n own -- sh train
  attempt 1 resume=no from 
  epoch=1 cost=9.1
  epoch=2 cost=8.1
  epoch=3 cost=7.1
  nn-run: run 1: exit 1; attempt 2 begins in 0.01s
  attempt 2 resume=1 from c-2
  epoch=3 cost=7.2
  epoch=4 cost=6.2
  $ nn-log export --csv own | cut -d, -f1,3-
  run,epoch,cost
  1,1,9.1
  1,2,8.1
  1,3,7.2
  1,4,6.2
  $ ls spool/running spool/queued spool/done | paste -sd ' '
  spool/done: 0000001.2  spool/queued:  spool/running:

Of an older attempt every line is kept; the curve has each stretch once. The same by a worker, which says what it does.

  $ nn-queue add --live -n queued --retries 1 -- sh train
  2
  $ NN_BACKOFF=0.01s nn-queue work 2>&1 | sed 's/ [0-9.]*s$/ TIME/'
  2 queued failed (exit 1), queued again TIME
  2 queued done TIME
  $ nn-queue log queued
  attempt 1 resume=no from 
  epoch=1 cost=9.1
  epoch=2 cost=8.1
  epoch=3 cost=7.1
  --- attempt 2 ---
  attempt 2 resume=1 from c-2
  epoch=3 cost=7.2
  epoch=4 cost=6.2
  $ nn-log export queued | sed 's/"t":"[^"]*",//'
  {"run":2,"epoch":1,"cost":9.1}
  {"run":2,"epoch":2,"cost":8.1}
  {"run":2,"epoch":3,"cost":7.2}
  {"run":2,"epoch":4,"cost":6.2}

By hand: a run that failed, or waits, here and now. What is done is not run again.

  $ nn-run -q -n hand -- sh train
  [1]
  $ nn-run --resume hand
  attempt 2 resume=1 from c-2
  epoch=3 cost=7.2
  epoch=4 cost=6.2
  $ nn-run --resume hand
  nn-run: run 3 is done ('nn-queue retry --done' runs it again)
  [125]
  $ nn-queue add -n waiting -- sh -c 'echo $NN_ATTEMPT'
  4
  $ nn-run --resume waiting
  1
  $ nn-run --resume nobody
  nn-run: there is no run 'nobody'
  [125]
  $ nn-run --resume 1 -- true
  nn-run: --resume takes the command from the spool
  usage: nn-run [-q] [-n NAME] [-g GROUP] [-p KEY=VALUE]... [--note TEXT] [--tag TAG]...
                [--time DURATION] [--finish-up DURATION] [--grace DURATION]
                [--retries N] [--checkpoint GLOB] [--keep-checkpoints RULE] [--weights GLOB]
                [--pattern TEMPLATE]... [--metrics GLOB] [--profile PROFILER]
                [--rule RULE]... [--notify KINDS]
                [--] COMMAND [ARGUMENT]...
         nn-run [-q] [--grace DURATION] --resume RUN
         nn-run [-q] [--grace DURATION] --claimed TOKEN
         nn-run [-q] [--grace DURATION] --claim RUN.GENERATION
         nn-run [-q] [--grace DURATION] --adopt TOKEN
  [125]
  $ nn-run --resume 1 -n other
  nn-run: --resume takes name, parameters and limits from the spool
  usage: nn-run [-q] [-n NAME] [-g GROUP] [-p KEY=VALUE]... [--note TEXT] [--tag TAG]...
                [--time DURATION] [--finish-up DURATION] [--grace DURATION]
                [--retries N] [--checkpoint GLOB] [--keep-checkpoints RULE] [--weights GLOB]
                [--pattern TEMPLATE]... [--metrics GLOB] [--profile PROFILER]
                [--rule RULE]... [--notify KINDS]
                [--] COMMAND [ARGUMENT]...
         nn-run [-q] [--grace DURATION] --resume RUN
         nn-run [-q] [--grace DURATION] --claimed TOKEN
         nn-run [-q] [--grace DURATION] --claim RUN.GENERATION
         nn-run [-q] [--grace DURATION] --adopt TOKEN
  [125]

A program that starts over begins the curve anew.

  $ nn-run -q -n over -- sh -c 'for e in 1 2 3; do echo "epoch=$e cost=$NN_ATTEMPT"; done; exit 3'
  [3]
  $ nn-queue retry over && nn-queue work -q
  5	queued
  [1]
  $ nn-log export over | sed 's/"t":"[^"]*",//'
  {"run":5,"epoch":1,"cost":2}
  {"run":5,"epoch":2,"cost":2}
  {"run":5,"epoch":3,"cost":2}

What failed for good: retries used up; and what cannot be started is not tried again.

  $ NN_BACKOFF=0.01s nn-run --retries 1 -- sh -c 'exit 5'
  nn-run: run 6: exit 5; attempt 2 begins in 0.01s
  [5]
  $ nn-run --retries 3 -- no-such-program
  nn-run: run 7: cannot run no-such-program: not found in PATH
  [127]

Interrupted at the terminal, nothing begins again.

  $ nn-run -n interrupted --retries 1 -- sh -c 'kill -INT $PPID; exec sleep 100'
  [130]

In the pause a signal ends the run as it failed.

  $ nn-run -n pause --retries 1 -- sh -c 'exit 6' 2>err & until_ok grep -q begins err; kill $!; wait $!
  [6]
  $ nn-queue list -a pause | cut -f2-5
  failed			pause

Told to finish up before its time limit, it saves and leaves: interrupted by the limit, whatever its exit status.

  $ cat >long <<'END'
  > trap 'echo saved >"$NN_CHECKPOINTS/last"; exit 0' USR1
  > [ $NN_ATTEMPT = 2 ] && echo resumed from ${NN_CHECKPOINT##*/} && exit 0
  > echo ready; while :; do (trap '' USR1; exec sleep 0.02); done
  > END
  $ nn-run --time 22s --finish-up 19s --retries 1 -n long -- sh long
  ready
  nn-run: run 10: 19s left: USR1 tells it to save and leave
  nn-run: run 10: time limit; attempt 2 begins
  resumed from last
  $ nn-queue show --json long | grep -o '"evidence":"[^"]*"' | tail -n 1
  "evidence":"told to finish up 19s before the time limit of 22s, and left"
  $ nn-run --finish-up 5s -- true
  nn-run: 'finish-up' is counted back from a time limit, and there is none
  usage: nn-run [-q] [-n NAME] [-g GROUP] [-p KEY=VALUE]... [--note TEXT] [--tag TAG]...
                [--time DURATION] [--finish-up DURATION] [--grace DURATION]
                [--retries N] [--checkpoint GLOB] [--keep-checkpoints RULE] [--weights GLOB]
                [--pattern TEMPLATE]... [--metrics GLOB] [--profile PROFILER]
                [--rule RULE]... [--notify KINDS]
                [--] COMMAND [ARGUMENT]...
         nn-run [-q] [--grace DURATION] --resume RUN
         nn-run [-q] [--grace DURATION] --claimed TOKEN
         nn-run [-q] [--grace DURATION] --claim RUN.GENERATION
         nn-run [-q] [--grace DURATION] --adopt TOKEN
  [125]
  $ nn-run --time 1s --finish-up 5s -- true
  nn-run: 'finish-up' is not less than the time limit
  usage: nn-run [-q] [-n NAME] [-g GROUP] [-p KEY=VALUE]... [--note TEXT] [--tag TAG]...
                [--time DURATION] [--finish-up DURATION] [--grace DURATION]
                [--retries N] [--checkpoint GLOB] [--keep-checkpoints RULE] [--weights GLOB]
                [--pattern TEMPLATE]... [--metrics GLOB] [--profile PROFILER]
                [--rule RULE]... [--notify KINDS]
                [--] COMMAND [ARGUMENT]...
         nn-run [-q] [--grace DURATION] --resume RUN
         nn-run [-q] [--grace DURATION] --claimed TOKEN
         nn-run [-q] [--grace DURATION] --claim RUN.GENERATION
         nn-run [-q] [--grace DURATION] --adopt TOKEN
  [125]

Preempted: a TERM to nn-run, and nobody called the run off.

  $ nn-queue add -n machine --retries 1 -- sh -c '[ $NN_ATTEMPT = 2 ] || { trap "exit 0" TERM; echo up; while :; do sleep 0.02; done; }'
  11
  $ nn-queue work 2>err & until_ok grep -q up spool/runs/11/log; kill $(ls spool/running | sed 's/.*,\([0-9]*\),[0-9]*~s/\1/'); wait $!; sed 's/ [0-9.]*s$/ TIME/' err
  11 machine failed (preempted), queued again TIME
  11 machine done TIME
  $ nn-queue show --json machine | grep -o '"evidence":"[^"]*"'
  "evidence":"nn-run got TERM and passed it on"

Checkpoints: what a rule would remove, and then removes; during a run as well.

  $ nn-run -q -n many -- sh -c 'for e in 1 2 3 4 5; do echo "epoch=$e cost=$(((e - 2) * (e - 2)))"; echo x >$NN_CHECKPOINTS/c-$e; done'
  $ nn-queue gc --dry-run --keep-checkpoints last=1,best=cost many
  runs/12/checkpoints/c-1	not kept by the rule
  runs/12/checkpoints/c-3	not kept by the rule
  runs/12/checkpoints/c-4	not kept by the rule
  $ nn-queue gc --keep-checkpoints last=1,best=cost many && ls spool/runs/12/checkpoints
  runs/12/checkpoints/c-1	not kept by the rule
  runs/12/checkpoints/c-3	not kept by the rule
  runs/12/checkpoints/c-4	not kept by the rule
  c-2
  c-5
  $ nn-run -q --keep-checkpoints last=2 -- sh -c 'for e in 1 2 3; do echo x >$NN_CHECKPOINTS/c-$e; done'
  $ ls spool/runs/13/checkpoints; grep -o '"removed".*' spool/runs/13/events.jsonl
  c-2
  c-3
  "removed","checkpoints":["c-1"]}
  $ nn-queue gc --keep-checkpoints last=0 many
  nn-queue: --keep-checkpoints: 'last=0': expected a count from 1
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ nn-run --keep-checkpoints best -- true
  nn-run: --keep-checkpoints: 'best': expected last=COUNT or best=METRIC[:max]
  usage: nn-run [-q] [-n NAME] [-g GROUP] [-p KEY=VALUE]... [--note TEXT] [--tag TAG]...
                [--time DURATION] [--finish-up DURATION] [--grace DURATION]
                [--retries N] [--checkpoint GLOB] [--keep-checkpoints RULE] [--weights GLOB]
                [--pattern TEMPLATE]... [--metrics GLOB] [--profile PROFILER]
                [--rule RULE]... [--notify KINDS]
                [--] COMMAND [ARGUMENT]...
         nn-run [-q] [--grace DURATION] --resume RUN
         nn-run [-q] [--grace DURATION] --claimed TOKEN
         nn-run [-q] [--grace DURATION] --claim RUN.GENERATION
         nn-run [-q] [--grace DURATION] --adopt TOKEN
  [125]
  $ echo '{"argv":["true"],"keep-checkpoints":"all"}' | nn-queue add
  nn-queue: standard input:1: 'keep-checkpoints': 'all': expected last=COUNT or best=METRIC[:max]
  [2]
  $ nn-queue add -n elsewhere --checkpoint 'out/*.pt' -- true
  14
  $ nn-queue gc --keep-checkpoints last=1 elsewhere; nn-queue work -q; nn-queue gc --keep-checkpoints last=1 elsewhere
  nn-queue: cannot remove checkpoints of 14: it has not ended
  nn-queue: cannot remove checkpoints of 14: checkpoints outside of the run's own directory are never removed
  [2]
