Two GPUs. A run that needs one has it alone; CUDA_VISIBLE_DEVICES names it. The third waits, and says for what; what
needs none overtakes it.

  $ mkdir smi; export NN_NVIDIA_SMI=$TESTS/nvidia-smi SMI=$PWD/smi HOSTNAME=$(cat /proc/sys/kernel/hostname)
  $ printf '0, GPU-aa, 24576, 10, 24000, 0, 35, 20.5, Disabled, 550.1, Card\n1, GPU-bb, 24576, 10, 24000, 0, 35, 20.5, Disabled, 550.1, Card\n' >smi/gpus
  $ nn-queue init >/dev/null
  $ train='echo $NN_RUN $CUDA_VISIBLE_DEVICES >>given; until [ -e go ]; do sleep 0.02; done'
  $ list() { nn-queue list >seen; shown; }; shown() { cut -f1,2,10 <seen | sed "s/$HOSTNAME/HOST/"; }
  $ until_listed() { until_ok sh -c "nn-queue list >seen; grep -q '$1' seen"; shown; }
  $ for n in 1 2 3; do nn-queue add --live --needs gpus=1 -- sh -c "$train"; done >/dev/null; nn-queue add --live -n small -- touch small
  4
  $ nn-queue work -q -j4 & until_ok nn-queue wait small; until_ok sh -c '[ $(cat given | wc -l) = 2 ]'; until_listed 'needed'; sort given
  1	running	
  2	running	
  3	queued	gpus: 1 needed, none free on HOST
  1 GPU-aa
  2 GPU-bb
  $ cat spool/runs/1/placed.json | sed "s/$HOSTNAME/HOST/"
  {"generation":1,"host":"HOST","gpus":["GPU-aa"],"slots":1}
  $ touch go; wait; sort given; nn-queue list
  1 GPU-aa
  2 GPU-bb
  3 GPU-aa

Several GPUs for one run; one that wants them all is not starved by those behind it that want one, although one is free.

  $ rm go given; nn-queue add --live --needs gpus=1 -- sh -c "$train"; nn-queue add --live --needs gpus=2 -- sh -c "$train"
  5
  6
  $ for n in 7 8; do nn-queue add --live --needs gpus=1 -- sh -c "$train"; done >/dev/null; nn-queue work -q -j4 & until_listed 'needed'; touch go; wait; head -2 given; sed 1,2d given | sort
  5	running	
  6	queued	gpus: 2 needed, 1 free on HOST
  7	queued	its turn
  8	queued	its turn
  5 GPU-aa
  6 GPU-aa,GPU-bb
  7 GPU-aa
  8 GPU-bb

By memory: two fit on each, with the most room first.

  $ rm go given; for n in 9 10 11 12 13; do nn-queue add --live --needs gpu-mem=11G -- sh -c "$train"; done >/dev/null
  $ nn-queue work -q -j5 & until_ok sh -c '[ $(cat given | wc -l) = 4 ]'; until_listed 'needed'; cut -d' ' -f2 given | sort; touch go; wait; sed -n 5p given
  9	running	
  10	running	
  11	running	
  12	running	
  13	queued	gpus: 1 with 11G needed, none free on HOST
  GPU-aa
  GPU-aa
  GPU-bb
  GPU-bb
  13 GPU-aa

Strangers. A GPU that they use is not free but for a run that shares; nobody waits behind them.

  $ rm go given; sleep 600 & stranger=$!; echo "GPU-aa, $stranger, python3, 2048" >smi/apps; touch go
  $ nn-queue add --live --needs gpus=2 -- sh -c "$train"; nn-queue add --live --needs gpus=1 -- sh -c "$train"; nn-queue add --live --needs 'gpus=2 share' -- sh -c "$train"
  14
  15
  16
  $ nn-queue work -q -j3 & until_ok sh -c '[ $(cat given | wc -l) = 2 ]'; until_listed '1 free'; cat given
  14	queued	gpus: 2 needed, 1 free and 1 used by others on HOST
  15 GPU-bb
  16 GPU-aa,GPU-bb
  $ kill $stranger; rm smi/apps; wait; sed -n 3p given
  14 GPU-aa,GPU-bb

A process on a GPU that belongs to a run is no stranger.

  $ rm go given; nn-queue add --live --needs 'gpu-mem=11G' -- sh -c "$train"; nn-queue add --live --needs 'gpu-mem=11G' -- sh -c "$train"
  17
  18
  $ nn-queue work -q --gpus 0 & until_ok test -s spool/runs/17/attempt.json; pid=$(tr ',' '\n' <spool/runs/17/attempt.json | sed -n 's/"pid"://p'); echo "GPU-aa, $pid, sh, 11264" >smi/apps
  $ sed -i 's/24000/12736/' smi/gpus; nn-queue work -q --gpus 0 & until_ok sh -c '[ $(cat given | wc -l) = 2 ]'; touch go; wait; sed -i 's/12736/24000/' smi/gpus; rm smi/apps; cat given
  17 GPU-aa
  18 GPU-aa

What can never be here is left, and said once.

  $ nn-queue add --live --needs gpus=8 -- true; nn-queue add --live --needs 'gpus=1 gpu-mem=80G' -- true; nn-queue add --after 19 -- true; nn-queue add -- true
  19
  20
  21
  22
  $ nn-queue work 2>&1 | sed "s/$HOSTNAME/HOST/; s/ [0-9.]*m*s$/ TIME/"; nn-queue work -q --gpus 1,GPU-aa 2>&1 | sed "s/$HOSTNAME/HOST/"; nn-queue cancel 19-22 2>/dev/null
  22 true done TIME
  nn-queue: cannot start 21: after 19, which cannot start here
  nn-queue: cannot start 20: gpus: 1 with 80G needed, HOST has none
  nn-queue: cannot start 19: gpus: 8 needed, HOST has 2
  nn-queue: cannot start 21: after 19, which cannot start here
  nn-queue: cannot start 20: gpus: 1 with 80G needed, HOST has none
  nn-queue: cannot start 19: gpus: 8 needed, HOST has 2
  19	cancelled
  20	cancelled
  21	cancelled
  [2]
  $ nn-queue add --live --needs gpus=1 -- true; CUDA_VISIBLE_DEVICES= nn-queue work -q 2>/dev/null; nn-queue work --gpus none 2>&1 | sed "s/$HOSTNAME/HOST/"; nn-queue work -q --gpus GPU-b; nn-queue work --gpus x 2>&1 | head -1
  23
  nn-queue: cannot start 23: gpus: 1 needed, HOST has none
  nn-queue: option '--gpus': 'x' is not 'all', 'none', or numbers or UUIDs with commas between them

MIG: the instances are devices.

  $ printf '0, GPU-aa, 81559, 11125, 69956, [N/A], 53, 433.78, Enabled, 550.1, Card\n' >smi/gpus
  $ printf 'GPU 0: Card (UUID: GPU-aa)\n  MIG 3g.40gb     Device  0: (UUID: MIG-a)\n  MIG 1g.10gb     Device  1: (UUID: MIG-b)\n' >smi/list
  $ rm -f given; nn-queue add --live --needs gpus=1 -- sh -c "$train"; nn-queue add --live --needs gpu-mem=8G -- sh -c "$train"; rm go; nn-queue work -q -j2 & until_ok sh -c '[ $(cat given | wc -l) = 2 ]'; touch go; wait; sort given
  24
  25
  24 MIG-a
  25 MIG-b

nvidia-smi fails: what needs a GPU waits, all else runs. It hangs: the same, after a while.

  $ echo 'NVIDIA-SMI has failed' >smi/fails; nn-queue add --live --needs gpus=1 -- true; nn-queue add -- true
  26
  27
  $ nn-queue work -q --forever & until_ok nn-queue wait 27; until_listed 'smi'; kill $!; wait
  26	queued	gpus: nvidia-smi: NVIDIA-SMI has failed
  $ rm smi/fails; touch smi/hang; nn-queue add -- true; nn-queue work -q --forever & until_ok nn-queue wait 28; list; kill $!; wait; rm smi/hang; until_ok sh -c '! ls -ld /proc/[0-9]*/cwd 2>/dev/null | grep -q "$SMI"'
  28
  26	queued	gpus: HOST asks which are free

No GPU at all, asked for in so many words, and a number left unsaid.

  $ nn-queue cancel 26 >/dev/null; for needs in gpus=0 ram=1; do CUDA_VISIBLE_DEVICES=3 nn-queue add --live --needs $needs -- sh -c 'echo "[$CUDA_VISIBLE_DEVICES]"'; done
  29
  30
  $ nn-queue work -q; nn-queue show 1 | grep ^gpus; nn-queue log 29; nn-queue log 30
  gpus        GPU-aa
  []
  [3]
