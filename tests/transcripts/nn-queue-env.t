A run gets the environment in which it was queued, and nothing of its worker's.

  $ nn-queue init >/dev/null
  $ ONLY_QUEUED=1 BOTH=queued nn-queue add -- env
  1
  $ chmod -R g+r,o+r . && umask 0 && nn-queue add -- true; ls -l spool/runs/2/env | cut -c1-10; umask 022
  2
  -rw-------
  $ env -i PATH=/nowhere:"$PATH" HOME=/worker NN_SPOOL="$NN_SPOOL" ONLY_WORKER=1 BOTH=worker NN_RUN=99 NN_PARAM_x=1 nn-queue work -q
  $ nn-queue log 1 | sort | sed "s|$PWD|HERE|g; s|^PATH=.*|PATH|" | grep -vE '^(_|TESTS)='
  BOTH=queued
  HOME=HERE
  LC_ALL=C
  NN_ATTEMPT=1
  NN_CHECKPOINTS=HERE/spool/runs/1/checkpoints
  NN_RUN=1
  NN_RUN_DIR=HERE/spool/runs/1
  NN_SPOOL=HERE/spool
  ONLY_QUEUED=1
  PATH
  PWD=HERE
  PYTHONUNBUFFERED=1
  TERM=dumb
  TZ=UTC

What is set for a run wins over what was queued; what belongs to the run inside which it was queued does not survive, nor
do that one's GPUs, which it does not have.

  $ nn-queue add -p lr=0.1 --live -- sh -c 'NN_SPOOL=$NN_SPOOL nn-queue add -- env; CUDA_VISIBLE_DEVICES=own nn-queue add -- env'
  3
  $ mkdir smi; printf '0, GPU-aa, 24576, 10, 24000, 0, 35, 20.5, Disabled, 550.1, Card\n' >smi/gpus
  $ nn-queue add -p lr=0.1 --needs gpus=1 -- sh -c 'env | grep -E "GPU|CUDA"; nn-queue add -- env'
  4
  $ NN_NVIDIA_SMI=$TESTS/nvidia-smi SMI=$PWD/smi nn-queue work -q; nn-queue log 4
  CUDA_VISIBLE_DEVICES=GPU-aa
  NN_GPUS=GPU-aa
  7
  $ for run in 5 6 7; do nn-queue log $run | grep -E '^(NN_RUN|NN_PARAM|NN_GPUS|CUDA|NN_ATTEMPT)' | sed "s|$PWD|HERE|g"; done
  NN_ATTEMPT=1
  NN_RUN=5
  NN_RUN_DIR=HERE/spool/runs/5
  CUDA_VISIBLE_DEVICES=own
  NN_ATTEMPT=1
  NN_RUN=6
  NN_RUN_DIR=HERE/spool/runs/6
  NN_ATTEMPT=1
  NN_RUN=7
  NN_RUN_DIR=HERE/spool/runs/7
  $ printf 'PATH=%s\0NN_RUN=99\0NN_PARAM_lr=0.1\0CUDA_VISIBLE_DEVICES=GPU-zz\0NN_GPUS=GPU-zz\0X=1\0' "$PATH" >recorded
  $ nn-queue add --hold -- env; cat recorded >spool/runs/8/env; nn-queue release 8 >/dev/null; nn-queue work -q; nn-queue log 8 | grep -E '^(NN_RUN=|NN_PARAM|NN_GPUS|CUDA|X)'
  8
  NN_RUN=8
  X=1

A run made by hand has no environment: then it gets the least that programs need.

  $ cd spool; mkdir runs/20; echo '{"argv":["env"],"cwd":"/"}' >runs/20/job.json; touch queued/5-0000020.1; cd ..
  $ LANG=C SECRET=1 LC_TIME=x SHELL=/bin/sh nn-queue work -q; nn-queue log 20 | sed 's/=.*//' | sort
  HOME
  LANG
  NN_ATTEMPT
  NN_CHECKPOINTS
  NN_RUN
  NN_RUN_DIR
  NN_SPOOL
  PATH
  PYTHONUNBUFFERED
  SHELL
  TZ

git is asked in the run's own environment, too.

  $ mkdir bin code; printf '#!/bin/sh\necho "$WHOSE" >>"$SPY"\nexec %s "$@"\n' "$(command -v git)" >bin/git; chmod +x bin/git; git init -q code
  $ cd code; SPY=$PWD/../spy WHOSE=queued PATH=$PWD/../bin:$PATH nn-queue add --live -- true; rm -f ../spy; cd ..; WHOSE=worker nn-queue work -q; sort -u spy
  9
  queued
