Hosts by ssh: settings, and what is said when one cannot be had. What needs a host is in tests/it/ssh.rs.

  $ mkdir -p .config/nn && nn-queue init >/dev/null
  $ nn-queue host list 2>&1 | sed "s|$PWD/||"
  nn-queue: there are no hosts: a section [host NAME] in spool/config makes one
  $ printf '[host gpu1]\nssh = me@gpu1.example.org\ngroup = servers\nslots = 4\n[host login]\nengine = slurm\n' >.config/nn/config
  $ nn-queue host list 2>&1 | sed "s|$PWD/||"
  gpu1	me@gpu1.example.org	servers	worker	0		
  login	login		slurm	0		
  $ nn-queue host list --json
  {"host":"gpu1","ssh":"me@gpu1.example.org","groups":"servers","engine":"worker","runs":0,"reached":null,"note":null}
  {"host":"login","ssh":"login","groups":"","engine":"slurm","runs":0,"reached":null,"note":null}
  $ nn-queue add -n first -- true
  1
  $ nn-queue submit --to gpu2 1
  nn-queue: --to gpu2: there is no such engine, host or group (did you mean 'gpu1'?): one of slurm, gridengine, gpu1, login
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ nn-queue submit --to gpu1 -o x 1
  nn-queue: -o and --max-parallel are for engines: what a host needs stands in its settings, as slots and engine-options
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ printf '#!/bin/sh\necho "ssh: connect to host gpu1 port 22: Connection refused" >&2\nexit 255\n' >ssh && chmod +x ssh
  $ NN_SSH=./ssh nn-queue submit --to gpu1 1
  nn-queue: cannot reach gpu1: connect to host gpu1 port 22: Connection refused
  [75]
  $ NN_SSH=./ssh nn-queue submit --to servers 1
  nn-queue: cannot reach gpu1: connect to host gpu1 port 22: Connection refused
  [75]
  $ NN_SSH=./none nn-queue host check gpu1
  nn-queue: cannot run ./none: No such file or directory
  [2]
  $ nn-queue list | cut -f1,2,5
  1	queued	first
  $ nn-queue host
  nn-queue: say what to do with hosts: list, check or setup
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ nn-queue host chek
  nn-queue: host chek: unknown verb (did you mean 'check'?)
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ nn-queue host setup
  nn-queue: set up which host?
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ nn-queue peer
  nn-queue: another nn-queue starts this, by ssh
  usage: nn-queue VERB [OPTION]... [OPERAND]...
  [2]
  $ printf 'nn-peer' | nn-queue peer 0123456789abcdef | sed 's/"host":"[^"]*"/"host":"…"/; s/"home":"[^"]*"/"home":"…"/; s/"version":"[^"]*"/"version":"…"/'
  nn-peer 0123456789abcdef {"protocol":1,"version":"…","host":"…","home":"…"}
  $ printf '{"op":"report","runs":[{"id":"../../x"}]}\n{"op":"x"}\n' | nn-queue peer 0123456789abcdef | tail -n +2
  {"error":"'../../x' is not the id of a run"}
  {"error":"it is asked for 'x', which it does not know"}
  $ printf '[host gpu1]\ngpsu = 4\n' >.config/nn/config; nn-queue host list 2>&1 | sed "s|$PWD/||"
  nn-queue: .config/nn/config:2: unknown key 'gpsu' of a host (did you mean 'gpus'?)
  $ printf '[hots gpu1]\n' >.config/nn/config; nn-queue host list 2>&1 | sed "s|$PWD/||"
  nn-queue: .config/nn/config:1: unknown section 'hots' (did you mean 'host'?): there is [host NAME]
  $ printf '[host slurm]\n' >.config/nn/config; nn-queue host list 2>&1 | sed "s|$PWD/||"
  nn-queue: .config/nn/config:1: 'slurm' is no name for a host: letters, digits, '.', '-' and '_', and not one of slurm gridengine report local all none sending
  $ printf '[host a]\nspool = nn\n' >.config/nn/config; nn-queue host list 2>&1 | sed "s|$PWD/||"
  nn-queue: .config/nn/config:2: spool: 'nn' is not an absolute path, or one that begins with ~/
  $ printf '[host a]\nssh = -oProxyCommand=x\n' >.config/nn/config; nn-queue host list 2>&1 | sed "s|$PWD/||"
  nn-queue: .config/nn/config:2: ssh: '-oProxyCommand=x' is not what ssh may be given as a host
  $ nn-queue add --input nowhere -- true 2>&1 | sed "s|$PWD/||"
  nn-queue: input nowhere: No such file or directory
  usage: nn-queue VERB [OPTION]... [OPERAND]...
