Memory. More than the host has is never started; what runs were promised and do not use yet counts.

  $ nn-queue init >/dev/null; export HOSTNAME=$(cat /proc/sys/kernel/hostname)
  $ list() { nn-queue list | cut -f1,2,10 | sed "s/$HOSTNAME/HOST/; s/[0-9.]*[GM] free.*(.*)/FREE/"; }
  $ nn-queue add --live --needs ram=900T -- true; nn-queue add --live --needs 'ram=1G disk=1K' -- true
  1
  2
  $ nn-queue work 2>&1 | sed "s/$HOSTNAME/HOST/; s/has [0-9.]*[GT]/has SO-MUCH/; s/ [0-9.]*m*s$/ TIME/"; nn-queue cancel 1 >/dev/null
  2 true done TIME
  nn-queue: cannot start 1: ram: 900T needed, HOST has SO-MUCH
  $ cat spool/runs/2/placed.json | sed "s/$HOSTNAME/HOST/; s/\[[0-9,]*\]/[DEVICES]/"
  {"generation":1,"host":"HOST","ram":1073741824,"disk":1024,"slots":1,"devices":[DEVICES]}
  $ half=$(nn-diskcheck --ram 1 . | awk '$2 == "ram" {printf "%.0f", $3 * 0.6}'); wait='echo $NN_RUN >>ran; until [ -e go ]; do sleep 0.02; done'
  $ for n in 3 4; do nn-queue add --live --needs ram=$half -- sh -c "$wait"; done; nn-queue add --live --needs ram=1K -- sh -c "$wait"; nn-queue add --live -- sh -c "$wait"
  3
  4
  5
  6
  $ nn-queue work -q -j4 & until_ok sh -c '[ $(cat ran | wc -l) = 2 ]'; until_ok sh -c 'nn-queue list | grep promised'; list | sed 's/ram: [^ ]* needed/ram: HALF needed/'; touch go; wait; sort ran
  3	running	
  6	running	
  4	queued	ram: HALF needed, FREE on HOST
  5	queued	its turn
  3
  4
  5
  6

Disk: where it works, and where it is recorded.

  $ nn-queue add --live --needs disk=900P -- true; nn-queue work 2>&1 | sed "s/, .* has [0-9.]*[GT]/, PLACE has SO-MUCH/"; nn-queue cancel 7 >/dev/null
  7
  nn-queue: cannot start 7: disk: 900P needed, PLACE has SO-MUCH
  $ half=$(nn-diskcheck . | awk '{printf "%.0f", $3 * 0.6}'); rm go ran
  $ for n in 8 9; do nn-queue add --live --needs disk=$half -- sh -c "$wait"; done >/dev/null
  $ nn-queue work -q -j4 & until_ok sh -c 'nn-queue list | grep promised'; nn-queue list | cut -f1,2; touch go; wait; cat ran
  8	running
  9	queued
  8
  9

Slots: a run that needs two waits for both, and nothing gets before it; it is not claimed while it waits.

  $ rm go ran; nn-queue add --live -- sh -c "$wait"; nn-queue add --live --needs slots=2 -- sh -c "$wait"; nn-queue add --live -- sh -c "$wait"
  10
  11
  12
  $ nn-queue work -q -j2 & until_ok sh -c 'nn-queue list | grep slots'; list; touch go; wait; cat ran
  10	running	
  11	queued	slots: 2 needed, 1 free on HOST
  12	queued	its turn
  10
  11
  12

Two workers of one host know of each other; one that was killed left its run, which keeps what it has.

  $ mkdir smi; export NN_NVIDIA_SMI=$TESTS/nvidia-smi SMI=$PWD/smi
  $ printf '0, GPU-aa, 24576, 10, 24000, 0, 35, 20.5, Disabled, 550.1, Card\n' >smi/gpus
  $ rm go ran; for n in 13 14; do nn-queue add --live --needs gpus=1 -- sh -c "$wait"; done
  13
  14
  $ nn-queue work -q & first=$!; until_ok test -e ran; kill -9 $first; wait $first 2>/dev/null; nn-queue work -q & until_ok sh -c 'nn-queue list | grep needed'; list; touch go; wait; cat ran
  13	running	
  14	queued	gpus: 1 needed, none free on HOST
  13
  14

What was given to another generation counts for nothing.

  $ nn-queue add --live --needs gpus=1 -- sh -c 'echo $CUDA_VISIBLE_DEVICES' && sed 's/"generation":1/"generation":7/; s/GPU-aa/GPU-zz/' spool/runs/13/placed.json >spool/runs/15/placed.json
  15
  $ echo 'not json' >spool/runs/2/placed.json; nn-queue retry --done 2 >/dev/null; nn-queue work -q -j2; nn-queue log 15
  GPU-aa
