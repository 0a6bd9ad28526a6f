Three lines around a plain command make a run of it. The later lines find the run by the script they are in.

  $ nn-queue init >/dev/null; kept() { nn-log export $1 | sed 's/"t":"[^"]*",//'; }
  $ cat >job.sh <<'EOF'
  > nn-log start -n plain --param lr=0.1
  > for e in 1 2 3; do echo "epoch=$e loss=0.$e" >>train.out; echo "{\"epoch\":$e,\"valid_cost\":1.$e}" >>valid.jsonl; nn-log progress --log *.out --data *.jsonl; done
  > nn-queue list | cut -f1-2,4-5
  > nn-log finish --status $?
  > EOF
  $ sh job.sh; nn-queue list --all | cut -f1,2,5,8; kept 1; ls spool/runs/1 | sed 's/history.*files/history.HOST.files/'; ls spool/hosts | grep -c ,
  1
  1	running		plain
  1	done	plain	
  {"run":1,"epoch":1,"loss":0.1}
  {"run":1,"epoch":1,"valid_cost":1.1}
  {"run":1,"epoch":2,"loss":0.2}
  {"run":1,"epoch":2,"valid_cost":1.2}
  {"run":1,"epoch":3,"loss":0.3}
  {"run":1,"epoch":3,"valid_cost":1.3}
  attempt.json
  env
  events.jsonl
  facts.json
  history.HOST.files.jsonl
  job.json
  progress.json
  result.json
  0
  [1]
  $ nn-queue show 1 | grep -E '^(command|parameters|values|evidence)'; nn-table 1 | tail -1 | cut -f1-3; nn-run -q -- true; ls spool/runs/1/log
  command     sh job.sh
  parameters  lr=0.1
  values      loss 0.3 (from 0.1 to 0.3)
  1	done	plain
  ls: cannot access 'spool/runs/1/log': No such file or directory
  [2]

How it ended is what finish is told; a script that ends without a word is known to be dead.

  $ printf '%s\n' "trap 'nn-log finish --status \$?' EXIT" 'nn-log start' 'exit 3' >trap.sh; sh trap.sh; nn-queue list --all last | cut -f1,2,8
  3
  3	failed	exit 3
  $ printf '%s\n' 'N=$(nn-log start -n dies | cat); echo $N' 'nn-queue list | cut -f1,2,8' 'exit 1' >dies.sh; sh dies.sh; nn-queue list | cut -f1,2,8; nn-queue recover
  4
  4	running	
  4	running	runner dead: nn-queue recover
  4	its script ended without nn-log finish: exit status unknown
  $ nn-queue show dies | grep -E '^(state|evidence)'
  state       failed: exit status unknown
  evidence    its script ended without nn-log finish

Whoever reads, reads on: only what is new, only whole lines, until the end; a file that was begun anew from its start.

  $ mkdir b; cd b; cat >../b.sh <<'EOF'
  > nn-log start -n reads >/dev/null; p() { nn-log progress --log a.log --data d.json && nn-log export reads | sed 's/"t":"[^"]*",//' | tail -n +$1; echo --; }
  > p 1
  > printf 'Epoch 1/9\nloss: 0.5\nEpoch 2/9\nlo' >a.log; p 1
  > printf 'ss: 0.4\n' >>a.log; echo '[{"epoch":1,"cost":9}]' >d.json; p 2
  > printf '[{"epoch":1,"cost":9},\n {"epoch":2,"cost":8}]' >d.json; p 4
  > echo '{"epoch":99,"loss":9}' >>$(ls $NN_SPOOL/runs/5/history.*.files.jsonl) # left by a call that was killed
  > echo 'Epoch 7: loss 0.1' >a.log; p 5
  > printf 'Epoch 8: loss 0.05' >>a.log; p 6; nn-log finish; nn-log export reads | sed 's/"t":"[^"]*",//' | tail -n +6
  > EOF
  $ sh ../b.sh 2>&1 | sed 's,/.*/b/,,'; cd ..
  nn-log: warning: a.log is not there yet
  nn-log: warning: d.json is not there yet
  --
  nn-log: warning: d.json is not there yet
  {"run":5,"epoch":1,"loss":0.5}
  --
  {"run":5,"epoch":2,"loss":0.4}
  {"run":5,"epoch":1,"cost":9}
  --
  {"run":5,"epoch":2,"cost":8}
  --
  {"run":5,"epoch":7,"loss":0.1}
  --
  --
  {"run":5,"epoch":8,"loss":0.05}

Under nn-run or a worker the same script speaks of the run it is in.

  $ nn-run -n around -- sh trap.sh; nn-queue list --all last | cut -f1,2,5,8
  nn-log: inside run 6, which nn-run records: no other is made
  6
  6	failed	around	exit 3
  $ cd b; nn-run -q -n deep -- sh ../job.sh; cd ..; nn-queue list --all last | cut -f1,2,5; kept last | sort -u | head -3
  7	done	deep
  {"run":7,"epoch":1,"loss":0.1}
  {"run":7,"epoch":1,"valid_cost":1.1}
  {"run":7,"epoch":2,"loss":0.2}

In a batch job it is called as the job, also found from another place of the same job, and goes on when that is started
again.

  $ export SLURM_JOB_ID=77 SLURM_JOB_NAME=LM_miuc; mkdir c; cd c
  $ printf '%s\n' 'nn-log start' 'echo "epoch=1 loss=3" >>o.out; nn-log progress --log o.out' '[ -e ../again ] || { touch ../there; until [ -e ../go ]; do sleep 0.02; done; kill -9 $$; }' 'echo "epoch=2 loss=2" >>o.out; nn-log finish --log o.out' >../slurm.sh
  $ sh ../slurm.sh & until_ok test -e ../there; setsid -f sh -c 'nn-log epoch=5 valid=5 -r LM_miuc; nn-log progress; touch ../went' ; until_ok test -e ../went; touch ../go; wait 2>/dev/null
  8
  $ rm o.out; touch ../again; SLURM_RESTART_COUNT=1 sh ../slurm.sh; nn-queue list --all LM_miuc | cut -f2,5,8; nn-log export LM_miuc | sed 's/"t":"[^"]*",//'
  nn-log: run 8 goes on: the job was started again
  8
  done	LM_miuc	
  {"run":8,"epoch":1,"loss":3}
  {"run":8,"epoch":2,"loss":2}
  $ SLURM_RESTART_COUNT=2 sh ../slurm.sh 2>&1 | grep -v '^ \|^Usage'; cd ..; unset SLURM_JOB_ID SLURM_JOB_NAME
  nn-log: run 8 of this job is done
  8
  nn-log: this script has started no run: 'nn-log start' first, or name one with --run
  nn-log: this script has started no run: 'nn-log start' first, or name one with --run

Called off: the script and what it runs are told, and progress says so.

  $ printf '%s\n' 'nn-log start -n off >/dev/null' 'touch on; until [ -e never ]; do sleep 0.02; done' >off.sh; setsid sh off.sh & until_ok test -e on; nn-queue cancel off; wait; nn-queue recover
  9	stopping
  9	called off, and its script ended without nn-log finish: cancelled
  $ printf '%s\n' 'N=$(nn-log start -n asks); touch spool/runs/$N/cancel' 'nn-log progress; echo $?; nn-log finish' >asks.sh; sh asks.sh; nn-queue list --all asks | cut -f2
  nn-log: run 10 was called off
  1
  cancelled

Mistakes touch nothing.

  $ nn-log progress 2>&1 | head -1
  nn-log: this script has started no run: 'nn-log start' first, or name one with --run
  $ nn-log finish 2>&1 | head -1; nn-log finish -r 1; nn-log finish -r 99
  nn-log: this script has started no run: 'nn-log start' first, or name one with --run
  nn-log: run 1 does not run
  nn-log: there is no run 99
  [2]
  $ sh -c 'nn-log start >/dev/null; nn-log start; nn-log finish --status x; nn-log progress stray; nn-log start -q; nn-log finish --status 1; nn-log finish' 2>&1 | grep -v '^  \|^ *nn-log \[\|^Usage\|^usage\|^       nn-log\|^$\|^Record'
  nn-log: run 11 of this script goes on: 'nn-log finish' ends it
  nn-log: option '--status': 'x' is not an exit status from 0 to 255
  nn-log: unexpected argument 'stray'
  nn-log: unknown option '-q'
  nn-log: this script has started no run: 'nn-log start' first, or name one with --run
  $ sh -c 'nn-log start >/dev/null; nn-log progress --log no.log --data . no*; nn-log finish' 2>&1 | sed "s,$PWD,HERE,"
  nn-log: warning: HERE/no.log is not there yet
  nn-log: warning: cannot read HERE: not a regular file
  nn-log: warning: cannot read HERE: not a regular file
  $ nn-run -q -n own -- sh -c 'touch in; until [ -e out ]; do sleep 0.02; done' & until_ok test -e in; nn-log finish -r own; touch out; wait
  nn-log: run 13 is under nn-run, which records its end
  $ nn-log -r 1 start 2>&1 | head -1
  nn-log: export, import, start, progress, finish, report come first: nn-log export RUNS
