Runs that are for some hosts only. A worker elsewhere passes them over, and names them when nothing else is left.

  $ nn-queue init >/dev/null; HOST=$(uname -n | sed 's/\..*//'); blank() { sed "s/$HOST/HERE/g"; }
  $ nn-queue add --live --host 'no-such-*, nor-this' -- true; nn-queue add --live --host "$HOST" -- true; nn-queue add --live -- true
  1
  2
  3
  $ nn-queue list | cut -f1,2,10 | blank
  1	queued	no worker runs on no-such-*, nor-this
  2	queued	no worker runs on HERE
  3	queued	no worker runs
  $ nn-queue work 2>&1 | blank | sed 's/done .*/done/'
  2 true done
  3 true done
  nn-queue: cannot start 1: host: for no-such-*, nor-this, this is HERE
  $ echo '{"argv":["true"],"host":["a"]}' | nn-queue add
  nn-queue: standard input:1: 'host' must be names of hosts, or patterns such as "gpu*"
  [2]
  $ nn-queue add --host a/b -- true 2>&1 | head -1
  nn-queue: 'host' must be names of hosts, or patterns such as "gpu*"
  $ printf '%s\n' 'command = true' 'host = gpu?' | nn-sweep - | grep -o '"host":[^,}]*'
  "host":"gpu?"
  $ printf '%s\n' 'command = true' 'host = gpu/1' | nn-sweep -
  nn-sweep: standard input:2: 'host' must be names of hosts, or patterns such as "gpu*"
  [2]

A worker that lives but is not on such a host does not count; what it waits for is in the words of show and wait, too.

  $ nn-queue work --forever -q 2>/dev/null & W=$!; until_ok sh -c 'ls spool/hosts | grep waits'
  $ nn-queue list | cut -f1,2,10; nn-queue show 1 | grep waits
  1	queued	no worker runs on no-such-*, nor-this
  waits       no worker runs on no-such-*, nor-this

Who works here, what runs, what is free; nothing is known of GPUs where there are none.

  $ nn-queue add --live -n long -- sh -c 'until [ -e go ]; do sleep 0.02; done' >/dev/null; until_ok sh -c 'ls spool/running | grep "~s"'
  $ until_ok sh -c 'nn-queue hosts | grep -q "	1	1	"'; nn-queue hosts | cut -f1-5,11,12 | blank | sed 's/[0-9]*	$/AGE	/'
  HERE	1	1			AGE	
  $ until_ok sh -c 'nn-queue hosts | cut -f6 | grep .'; nn-queue hosts --json | blank | sed 's/:[0-9][0-9.]*/:N/g'
  {"host":"HERE","workers":N,"runs":N,"gpus_free":null,"gpus":null,"ram_free":N,"ram":N,"disk_free":N,"load":N,"cores":N,"heard":N,"note":null}
  $ kill -9 $W; wait $W 2>/dev/null; touch go; nn-queue wait 4 >/dev/null
  $ nn-queue hosts | cut -f1-3,12 | blank
  HERE	0	0	

GPUs: those given to runs of this spool are not free, nor are those whose memory others use.

  $ mkdir smi; export NN_NVIDIA_SMI=$TESTS/nvidia-smi SMI=$PWD/smi; rm go spool/hosts/*.json
  $ for g in a b c; do printf '%s, GPU-%s, 24576, %s, 24000, 0, 35, 20.5, Disabled, 550.1, Card\n' $g $g$g $([ $g = b ] && echo 9000 || echo 10); done | tr abc 012 | sed 's/GPU-00/GPU-aa/; s/GPU-11/GPU-bb/; s/GPU-22/GPU-cc/' >smi/gpus
  $ nn-queue work --forever -q 2>/dev/null & W=$!; until_ok sh -c 'nn-queue hosts | cut -f5 | grep 3'; nn-queue hosts | cut -f2-5
  1	0	2	3
  $ nn-queue add --live --needs gpus=1 -- sh -c 'until [ -e go ]; do sleep 0.02; done' >/dev/null; until_ok sh -c 'nn-queue hosts | cut -f3 | grep 1'; nn-queue hosts | cut -f2-5
  1	1	1	3
  $ touch go; kill $W; wait $W
  [1]

Hosts that are only heard of: one that is silent, one whose claim is fresh.

  $ touch -d '2 hours ago' spool/hosts/far,01234567,1,2,3 spool/hosts/far,01234567,1,2,3.waits.json; touch spool/hosts/near,01234567,1,2,3 spool/hosts/near,01234567,1,2,3.waits.json
  $ touch 'spool/running/0000003.9~near,01234567,1,2,3~c' && rm spool/done/0000003.1; nn-queue hosts | cut -f1-3,12 | grep -v "^$HOST" | sed 's/ 2h[0-9 ms]*/ 2h/'
  far	0	0	silent for 2h
  near	1	0	
  $ nn-queue hosts now
  nn-queue: unexpected argument 'now'
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
