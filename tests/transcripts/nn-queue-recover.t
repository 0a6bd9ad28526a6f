Runs of another host. A worker there has claimed one, and started two.

  $ nn-queue init >/dev/null; cd spool
  $ for n in 1 2 3; do mkdir runs/$n; echo '{"argv":["true"],"cwd":"/","name":"r'$n'"}' >runs/$n/job.json; done
  $ echo '{"argv":["true"],"cwd":"/","name":"r3","retries":1}' >runs/3/job.json
  $ w=far.example,01234567,1,2,3; s=far.example,01234567,1,4,5; echo 7 >hosts/$w; echo 9 >hosts/$s; touch -d '3 hours ago' hosts/$s
  $ touch running/0000001.1~$w~c running/0000002.1~$w~$s~s running/0000003.1~$w~$s~s; cd ..

A sign of life: nothing is unknown. Then it is silent: nobody knows, and nobody takes anything.

  $ nn-queue list | cut -f1,2,8
  1	running	on far.example
  2	running	on far.example
  3	running	on far.example
  $ nn-queue recover --host-is-dead far.example 2>&1 | sed 's/life .* ago/life TIME ago/'
  nn-queue: far.example gave a sign of life TIME ago: it is not dead
  $ touch -d '3 hours ago' spool/hosts/far*; nn-queue list | cut -f1,2,8 | sed 's/3h[ 0-9]*m*/3h/'
  1	running	unknown, silent for 3h, on far.example
  2	running	unknown, silent for 3h, on far.example
  3	running	unknown, silent for 3h, on far.example
  $ nn-queue show 2 | sed -n '/^state/s/3h[ 0-9]*m*/3h/p'
  state       running under nn-run 4 on far.example (unknown, silent for 3h, on far.example)
  $ rm spool/hosts/far*; nn-queue list 2 | cut -f8
  unknown, no sign of life, on far.example
  $ nn-queue recover; timeout 20 nn-queue work; ls spool/running | wc -l
  3

What a person may say, and what not.

  $ nn-queue recover --host-is-dead $(uname -n) 2>&1 | sed "s/$(uname -n)/HERE/"
  nn-queue: HERE is this host, and it lives (a container or an earlier boot of it is named HOST,BOOT,NS, as in the names in running/)
  $ nn-queue recover --host-is-dead far.exampel
  nn-queue: nothing in running/ is of far.exampel (did you mean 'far.example'?)
  [2]
  $ nn-queue recover --host-is-dead
  nn-queue: option '--host-is-dead' needs a value
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ nn-queue recover --host-is-dead far.example,01234567
  1	claimed by a silent worker: queued again
  2	far.example is said to be dead: lost
  3	far.example is said to be dead: queued again
  $ nn-queue list --all | cut -f1,2,8; nn-queue show 2 | grep evidence
  2	failed	lost
  3	queued	
  1	queued	
  evidence    a person said that far.example is dead
