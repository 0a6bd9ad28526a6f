Every mistake is told with its line, and nothing is printed.

  $ printf 'command = x\n\nprams = 1\n' > a.conf; nn-sweep a.conf
  nn-sweep: a.conf:3: unknown key 'prams' (did you mean 'params'?)
  [2]
  $ printf 'command = x {lr}\n[grid]\nl_r = 1\n' | nn-sweep
  nn-sweep: standard input:1: 'command' has a place for 'lr', which is no parameter (did you mean 'l_r'?)
  [2]
  $ printf 'command = x\n[gird]\n' | nn-sweep
  nn-sweep: standard input:2: unknown section 'gird' (did you mean 'grid'?)
  [2]
  $ printf 'name = x\n' | nn-sweep
  nn-sweep: standard input: there is no 'command': give one with --command
  [2]
  $ printf 'command = x | tee log\n' | nn-sweep
  nn-sweep: standard input:1: 'command': '|' would need a shell: quote it, or write the command as sh -c '...'
  [2]
  $ printf 'command = x "a\n' | nn-sweep
  nn-sweep: standard input:1: 'command': a double quote is not closed
  [2]
  $ printf 'command = x {a\n' | nn-sweep
  nn-sweep: standard input:1: 'command': '{' without '}' (write '{{' for a brace)
  [2]
  $ printf 'command = x\n[grid]\na = log 0 1 5\n' | nn-sweep
  nn-sweep: standard input:3: 'a': 'log 0 1 5': log needs numbers above 0
  [2]
  $ printf 'command = x\n[grid]\na = 1\n[zip]\na = 2\n' | nn-sweep
  nn-sweep: standard input:5: parameter 'a' has its values from line 3 already
  [2]
  $ printf 'command = x\n[zip]\na, b = 1, 2 ; 3\n' | nn-sweep
  nn-sweep: standard input:3: 'a, b': expected 2 values between semicolons, not '3'
  [2]
  $ printf 'command = x\n[random]\na = int 1 3\n' | nn-sweep
  nn-sweep: standard input:2: expected [random N] or [random N seed=S]
  [2]
  $ printf 'command = x\n[random 3]\na = unifrom 1 3\n' | nn-sweep
  nn-sweep: standard input:3: 'a': 'unifrom': expected uniform, loguniform, int or choice (did you mean 'uniform'?)
  [2]
  $ printf 'command = x\n[grid]\nlr = 1\n[exclude]\nlr>high\n' | nn-sweep
  nn-sweep: standard input:5: 'high' is no number: only = and != compare texts
  [2]
  $ printf 'command = x\n[experiment a : b]\n[experiment b : a]\n' | nn-sweep
  nn-sweep: standard input:3: the parents of 'a' go round in a circle
  [2]
  $ printf 'command = x\n[experiment a : bse]\n' | nn-sweep
  nn-sweep: standard input:2: there is no experiment 'bse'
  [2]
  $ printf 'command = x {h}\n[experiment a]\nh = 1\n[experiment b]\n' | nn-sweep
  nn-sweep: standard input:4: experiment 'b' has no 'h', which its command asks for
  [2]

Also what only shows in one of the experiments:

  $ printf 'command = x\nneeds = gpus={n}\n[grid]\nn = 1, 2, many\n' | nn-sweep
  nn-sweep: standard input:2: need 'gpus=many': not a whole number
  [2]
  $ printf 'command = x\nneeds = gpu={n}\n[grid]\nn = 1\n' | nn-sweep
  nn-sweep: standard input:2: unknown need 'gpu' (did you mean 'gpus'?)
  [2]
  $ printf 'command = x\npriority = {n}\n[grid]\nn = 1, 20\n' | nn-sweep
  nn-sweep: standard input:2: 'priority' must be a whole number from 0 to 9
  [2]
  $ printf 'command = x\nname = %%0300d{n}\n[grid]\nn = 1\n' | sed "s/%0300d/$(printf %0300d 1)/" | nn-sweep
  nn-sweep: standard input:2: 'name' is longer than 200 bytes, or holds a NUL
  [2]
  $ printf 'command = x\nlive = maybe\n' | nn-sweep
  nn-sweep: standard input:2: 'live': 'maybe' is neither yes nor no
  [2]
  $ printf 'command = x\nhold = perhaps\n' | nn-sweep
  nn-sweep: standard input:2: 'hold': 'perhaps' is neither yes nor no
  [2]

Nothing to read, or not text; names as hostile as can be.

  $ nn-sweep none.conf
  nn-sweep: cannot read none.conf: No such file or directory
  [2]
  $ nn-sweep .
  nn-sweep: cannot read .: Is a directory
  [2]
  $ printf 'command = x\n# \377\n' | nn-sweep
  nn-sweep: standard input:2: not valid UTF-8
  [2]
  $ printf 'command = x\n\033]0;ha\007 = 1\n' | nn-sweep
  nn-sweep: standard input:2: unknown key '\x1b]0;ha\x07': parameters belong into a section, [params] or [grid]
  [2]
  $ printf 'command = x {a}\n[grid]\na = "\033[31m../\\n"\n' | nn-sweep | sed "s|$PWD|HERE|"
  {"argv":["x","\u001b[31m../\\n"],"cwd":"HERE","params":{"a":"\u001b[31m../\\n"}}
  $ printf 'command = x\r[grid]\ra = 1, 2\r' | nn-sweep
  nn-sweep: standard input:1: a carriage return stands here: lines end with LF, or CR LF
  [2]
  $ nn-sweep < /dev/null
  nn-sweep: standard input: there is no 'command': give one with --command
  [2]
  $ printf 'command = x\n[grid]\na = 1\n[exclude]\na=1\n' | nn-sweep
  nn-sweep: standard input: there is no experiment to run
  [1]
  $ nn-sweep a b
  nn-sweep: one specification at a time
  usage: nn-sweep [-n] [--command TEMPLATE] [SPEC]
  [2]
  $ nn-sweep --comand x
  nn-sweep: unknown option '--comand'
  usage: nn-sweep [-n] [--command TEMPLATE] [SPEC]
  [2]
  $ nn-sweep --command 'x > y' a.conf
  nn-sweep: option '--command': '>' would need a shell: quote it, or write the command as sh -c '...'
  usage: nn-sweep [-n] [--command TEMPLATE] [SPEC]
  [2]

Standard output that cannot take it.

  $ printf 'command = x {a}\n[grid]\na = 1 .. 100000\n' > b.conf
  $ nn-sweep b.conf > /dev/full
  nn-sweep: cannot write standard output: No space left on device
  [2]
  $ nn-sweep b.conf | head -1 | cut -c1-30
  {"group":"b","argv":["x","1"],
