In a batch job the run has the job's name, and what is known of the job is on record.

  $ nn-queue init >/dev/null; soon() { echo $(($(date +%s) + $1)); }
  $ export SLURM_JOB_ID=4713 SLURM_ARRAY_JOB_ID=4711 SLURM_ARRAY_TASK_ID=3 SLURM_JOB_NAME=LM_miuc SLURM_JOB_PARTITION=gpu SLURM_JOB_GPUS=0,1
  $ nn-run -q -- true; nn-queue list --all | cut -f1,2,5; nn-queue show 1 | grep ^batch
  1	done	LM_miuc
  batch       slurm 4711_3, LM_miuc in gpu
  $ grep -o '"batch":{[^}]*}' spool/runs/1/job.json spool/runs/1/facts.json
  spool/runs/1/job.json:"batch":{"engine":"slurm","id":"4711_3"}
  spool/runs/1/facts.json:"batch":{"engine":"slurm","id":"4711_3","name":"LM_miuc","queue":"gpu","gpus":"0,1"}
  $ ls spool/batch | sed 's/[0-9a-f]\{32\}/KEY/'; cat spool/batch/*
  slurm,,4711_3,KEY
  1
  $ nn-run -q -n mine -- true; SLURM_JOB_NAME=bash nn-run -q -- true; nn-queue list --all 2-3 | cut -f1,5
  2	mine
  3	
  $ env -i PATH="$PATH" NN_SPOOL=$NN_SPOOL JOB_ID=12 SGE_TASK_ID=7 JOB_NAME=sge QUEUE=main.q nn-run -q -- true; nn-queue show 4 | grep -E '^(run|batch)'
  run         4 sge
  batch       gridengine 12.7, sge in main.q
  $ env -i PATH="$PATH" NN_SPOOL=$NN_SPOOL PBS_JOBID='123[4].server' PBS_JOBNAME=pbs nn-run -q -- true; nn-queue show 5 | grep -E '^(run|batch)'
  run         5 pbs
  batch       pbs 123_4_.server, pbs

The job was cut off, and is started again by its scheduler: the script's run goes on as the same, and what is done is not
done again.

  $ cat >job.sh <<'EOF'
  > nn-run -q -n prepare -- sh -c 'echo prepared >>said'
  > nn-run -q -n train --checkpoint 'ckpt*' -- sh -c 'for e in 1 2 3; do [ -e ckpt$e ] || { echo epoch=$e loss=0.$e; touch ckpt$e; [ $e = 3 ] || until [ -e go$e ]; do sleep 0.02; done; }; done'
  > EOF
  $ export SLURM_JOB_ID=20 SLURM_ARRAY_TASK_ID=; runner() { ls spool/running | sed 's/.*,\([0-9]*\),[0-9]*~s/\1/'; }
  $ sh job.sh 2>/dev/null & until_ok test -e ckpt1; kill -TERM $(runner); wait; nn-queue list --all 6-7 | cut -f1,2,5,8
  6	done	prepare	
  7	failed	train	preempted
  $ export SLURM_RESTART_COUNT=1; touch go1; sh job.sh 2>&1 | grep -v Killed & until_ok test -e ckpt2; R=$(runner); sh job.sh 2>&1 | sed 's,process [0-9]*,process PID,'; C=$(cat /proc/$R/task/$R/children | tr -d ' '); kill -9 $R; kill -9 -$C; wait 2>/dev/null; until_ok sh -c "! grep -q . /proc/$C/cmdline"
  nn-run: run 6 of this job is done: it is not run again
  nn-run: run 7 of this job runs already, under process PID here
  nn-run: run 6 of this job is done: it is not run again
  nn-run: run 7 goes on: the job was started again
  $ SLURM_RESTART_COUNT=2 sh job.sh
  nn-run: run 6 of this job is done: it is not run again
  nn-run: run 7 goes on: the job was started again
  $ nn-queue list --all 6-7 | cut -f1,2,5,8; cat said; cut -d, -f2- spool/runs/7/history.jsonl; ls spool/done spool/running
  6	done	prepare	
  7	done	train	
  prepared
  "epoch":1,"loss":0.1}
  "epoch":2,"loss":0.2}
  "epoch":3,"loss":0.3}
  spool/done:
  0000001.1
  0000002.1
  0000003.1
  0000004.1
  0000005.1
  0000006.1
  0000007.3
  
  spool/running:
  $ nn-queue show 7 | grep -E '^batch|requeued' | sed 's/20[0-9-]* [0-9:]*/TIME/; s/~[^ ]*/~.../'
  batch       slurm 20, LM_miuc in gpu, started again 2 times
              TIME requeued from=0000007.1~... batch={"engine":"slurm","id":"20","name":"LM_miuc","queue":"gpu","gpus":"0,1","restarts":1}
              TIME requeued from=0000007.2~... batch={"engine":"slurm","id":"20","name":"LM_miuc","queue":"gpu","gpus":"0,1","restarts":2}

Another command in the same job is another run. A run that a person called off stays so.

  $ nn-run -q -- true; nn-queue list --all last | cut -f1,2; unset SLURM_RESTART_COUNT
  8	done
  $ nn-run -q -n off -- sleep 100 & until_ok sh -c 'ls spool/running | grep s$'; nn-queue cancel off; wait; SLURM_RESTART_COUNT=1 nn-run -n off -- sleep 100
  9	stopping
  nn-run: run 9 of this job was called off ('nn-queue retry 9' takes that back)
  [125]

The time limit is the job's: --finish-up works without --time. Where the environment does not tell when it ends, Slurm is asked.

  $ cat >train.sh <<'EOF'
  > trap 'echo saved; exit' USR1; touch ready; until [ -e never ]; do sleep 0.02; done
  > EOF
  $ SLURM_JOB_END_TIME=$(soon 100) nn-run -q --finish-up 85s -- sh train.sh
  nn-run: run 10: 1m25s left: USR1 tells it to save and leave
  [124]
  $ nn-queue list --all last | cut -f2,8; cat spool/runs/10/log | grep saved
  failed	time limit
  saved
  $ mkdir bin; printf '#!/bin/sh\necho "$*" >>asked\necho 1:40\n' >bin/squeue; chmod +x bin/squeue
  $ PATH=$PWD/bin:$PATH nn-run -q --finish-up 88s -- sh train.sh; cat asked
  nn-run: run 11: 1m28s left: USR1 tells it to save and leave
  --noheader --format=%L --jobs=20
  $ printf '#!/bin/sh\necho UNLIMITED\n' >bin/squeue; PATH=$PWD/bin:$PATH nn-run --finish-up 88s -- true
  nn-run: warning: slurm does not tell when the job ends: --finish-up needs --time here
  $ SLURM_JOB_END_TIME=$(soon 100) nn-run --finish-up 5m -- true 2>&1 | sed 's/ 1m[0-9.]*s/ 1m30s/'
  nn-run: warning: the job ends in 1m30s: too soon to finish up
  $ env -u SLURM_JOB_ID nn-run --finish-up 5m -- true 2>&1 | head -1
  nn-run: 'finish-up' is counted back from a time limit, and there is none

A TERM when the time is over is the time limit; before that it is a preemption.

  $ rm ready; SLURM_JOB_END_TIME=$(soon 3) nn-run -q -n late -- sh train.sh & until_ok test -e ready; kill -TERM $(runner); wait; nn-queue list --all last | cut -f2,5,8
  failed	late	time limit
  $ rm ready; SLURM_JOB_END_TIME=$(soon 3000) nn-run -q -n early -- sh train.sh & until_ok test -e ready; kill -TERM $(runner); wait; nn-queue list --all last | cut -f2,5,8
  failed	early	preempted

Variables of a job in which a run was queued do not make the job of what it starts itself.

  $ nn-queue add --live -- nn-run -q -n inner -- true >/dev/null; env -u SLURM_JOB_ID nn-queue work -q; grep -c '"batch":' spool/runs/$(nn-queue list --all inner | cut -f1)/job.json
  0
  [1]
