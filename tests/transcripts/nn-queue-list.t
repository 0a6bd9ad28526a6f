A spool with a run in every state, made by hand.

  $ nn-queue init >/dev/null; cd spool
  $ for n in 1 2 3 4 5 6 7 8; do mkdir runs/$n; echo '{"argv":["true"],"name":"r'$n'","group":"g"}' >runs/$n/job.json; done
  $ touch queued/5-0000001.1 queued/3-0000002.1 held/5-0000003.1 'submitted/0000004.1~elsewhere,7'
  $ touch done/0000006.1 failed/0000007.1~exit,3 cancelled/0000008.1
  $ touch running/0000005.1~far,01234567,1,2,3~far,01234567,1,4,5~s; cd ..
  $ nn-queue list
  5	running		g	r5			unknown, no sign of life, on far	true	
  4	submitted		g	r4				true	handed to elsewhere
  2	queued	3	g	r2				true	no worker runs
  1	queued	5	g	r1				true	no worker runs
  3	held	5	g	r3				true	
  $ nn-queue list --all | cut -f1,2
  6	done
  7	failed
  8	cancelled
  5	running
  4	submitted
  2	queued
  1	queued
  3	held
  $ nn-queue list --state failed --state done,held --json
  {"run":6,"state":"done","prio":null,"group":"g","name":"r6","time":null,"progress":null,"note":null,"command":"true","waits":null}
  {"run":7,"state":"failed","prio":null,"group":"g","name":"r7","time":null,"progress":null,"note":"exit 3","command":"true","waits":null}
  {"run":3,"state":"held","prio":5,"group":"g","name":"r3","time":null,"progress":null,"note":null,"command":"true","waits":null}
  $ nn-queue list 7 r6
  6	done		g	r6				true	
  7	failed		g	r7			exit 3	true	
  $ nn-queue list @g --state queued | cut -f1-3
  2	queued	3
  1	queued	5

What is damaged hides nothing else; seen twice, the most advanced is shown; strangers are left alone.

  $ echo '{"argv":' >spool/runs/1/job.json; touch spool/running/0000003.1~far,01234567,1,2,3~c spool/queued/README
  $ nn-queue list | cut -f1,2,7-8 | sed 's/[^ 	]*\/spool/SPOOL/'
  3	running		unknown, no sign of life, on far
  5	running		unknown, no sign of life, on far
  4	submitted		
  2	queued		
  1	queued		SPOOL/runs/1/job.json:2: column 1: unexpected end

Errors.

  $ nn-queue list --state runing 2>&1 | head -1
  nn-queue: there is no state 'runing' (did you mean 'running'?): one of queued held submitted running done failed cancelled
  $ nn-queue list 99
  nn-queue: there is no run 99
  [2]
  $ nn-queue list nobody
  nn-queue: there is no run 'nobody'
  [2]
  $ nn-queue list --frob 2>&1 | head -1
  nn-queue: unknown option '--frob'
  $ nn-queue list >/dev/full
  nn-queue: cannot write standard output: No space left on device
  [2]
  $ nn-queue list | head -1 | cut -f1
  3
  $ chmod o+w spool; nn-queue list 2>&1 | sed 's/[^ ]*\/spool/SPOOL/'; chmod o-w spool
  nn-queue: SPOOL: anybody may write here, so nothing in it can be trusted (chmod o-w)
  $ echo 9 >spool/version; nn-queue list 2>&1 | sed 's/[^ ]*\/spool/SPOOL/'
  nn-queue: SPOOL: is a spool of version '9', this is for version 1
