A grid: later keys vary fastest, numbers print round.

  $ mkdir code
  $ cat > grid.conf <<'END'
  > name    = rnn-{activation}-{lr}
  > command = python3 rnn.py -a {activation} -lr {lr} --note 'it''s {activation}'
  > dir     = code
  > needs   = gpus=1 ram=16G time=2-00:00:00   # as the queue takes it
  > tags    = demo, {activation}
  > [grid]
  > activation = linear, tanh
  > lr         = log 1e-3 1e-1 3
  > [exclude]
  > activation=tanh lr>0.05
  > END
  $ nn-sweep -n grid.conf | sed "s|$PWD|HERE|"
  # 5 experiments, 1 excluded
  cd HERE/code
  python3 rnn.py -a linear -lr 0.001 --note 'its linear'
  python3 rnn.py -a linear -lr 0.01 --note 'its linear'
  python3 rnn.py -a linear -lr 0.1 --note 'its linear'
  python3 rnn.py -a tanh -lr 0.001 --note 'its tanh'
  python3 rnn.py -a tanh -lr 0.01 --note 'its tanh'
  $ nn-sweep grid.conf | head -2 | sed "s|$PWD|HERE|"
  {"name":"rnn-linear-0.001","group":"grid","argv":["python3","rnn.py","-a","linear","-lr","0.001","--note","its linear"],"cwd":"HERE/code","params":{"activation":"linear","lr":0.001},"needs":{"gpus":1,"ram":"16G","time":"2-00:00:00"},"tags":["demo","linear"]}
  {"name":"rnn-linear-0.01","group":"grid","argv":["python3","rnn.py","-a","linear","-lr","0.01","--note","its linear"],"cwd":"HERE/code","params":{"activation":"linear","lr":0.01},"needs":{"gpus":1,"ram":"16G","time":"2-00:00:00"},"tags":["demo","linear"]}

What is printed is what the queue reads.

  $ nn-queue init > init.out
  $ nn-sweep grid.conf | nn-queue add
  1
  2
  3
  4
  5
  $ nn-queue list @grid | cut -f1-4
  1	queued	5	grid
  2	queued	5	grid
  3	queued	5	grid
  4	queued	5	grid
  5	queued	5	grid

Coupled values, draws, repetitions; the same ones every time.

  $ cat > mix.conf <<'END'
  > command = ./train -c {clip} -d {decay} -lr {lr} -u {units} -s {seed}
  > [zip]
  > clip, decay = 20, 0.999 ; 5, 0.99
  > [random 2 seed=7]
  > lr    = loguniform 1e-4 1e-1
  > units = choice 10, 50, 100
  > [repeat]
  > seed = 1 .. 2
  > END
  $ nn-sweep -n mix.conf
  # 8 experiments
  ./train -c 20 -d 0.999 -lr 0.0157281 -u 100 -s 1
  ./train -c 20 -d 0.999 -lr 0.0157281 -u 100 -s 2
  ./train -c 20 -d 0.999 -lr 0.000201221 -u 50 -s 1
  ./train -c 20 -d 0.999 -lr 0.000201221 -u 50 -s 2
  ./train -c 5 -d 0.99 -lr 0.0157281 -u 100 -s 1
  ./train -c 5 -d 0.99 -lr 0.0157281 -u 100 -s 2
  ./train -c 5 -d 0.99 -lr 0.000201221 -u 50 -s 1
  ./train -c 5 -d 0.99 -lr 0.000201221 -u 50 -s 2
  $ nn-sweep mix.conf > once; nn-sweep - < mix.conf | sed 's/{/{"group":"mix",/' > twice; cmp once twice

Experiments with names, that inherit; what one sets, it does not vary.

  $ cat > named.conf <<'END'
  > command = ./train -n {experiment} -hidden {hidden} -a {a}
  > [params]
  > hidden = 5
  > [grid]
  > a = tanh, relu
  > [experiment small : base]
  > [experiment big]
  > hidden = 500
  > [experiment huge : big]
  > command = ./train -many {hidden} -a {a} -f {filter size}
  > a = linear
  > filter size = 3
  > END
  $ nn-sweep -n named.conf
  # 5 experiments
  ./train -n small -hidden 5 -a tanh
  ./train -n small -hidden 5 -a relu
  ./train -n big -hidden 500 -a tanh
  ./train -n big -hidden 500 -a relu
  ./train -many 500 -a linear -f 3
  $ nn-sweep named.conf | tail -1 | sed "s|$PWD|HERE|"
  {"name":"huge","group":"named","argv":["./train","-many","500","-a","linear","-f","3"],"cwd":"HERE","params":{"hidden":500,"a":"linear","filter size":3}}

A value is one word, whatever it holds; quotes in the command are those of a shell.

  $ cat > quote.conf <<'END'
  > command = sh -c 'printf "%s\n" "$1" "{{{x}}}"' sh {x} ''
  > [grid]
  > x = 'a b; rm *', "it's, so", '', \n
  > END
  $ nn-sweep -n quote.conf
  # 4 experiments
  sh -c 'printf "%s\n" "$1" "{a b; rm *}"' sh 'a b; rm *' ''
  sh -c 'printf "%s\n" "$1" "{it'\''s, so}"' sh 'it'\''s, so' ''
  sh -c 'printf "%s\n" "$1" "{}"' sh '' ''
  sh -c 'printf "%s\n" "$1" "{\n}"' sh '\n' ''
  $ nn-sweep -n quote.conf | tail -n +2 | sh
  a b; rm *
  {a b; rm *}
  it's, so
  {it's, so}
  
  {}
  \n
  {\n}

A first word that would set a variable is quoted too.

  $ printf 'command = {x} -v\n[params]\nx = a=b\n' | nn-sweep -n
  # 1 experiment
  'a=b' -v

Ranges of every kind.

  $ printf 'command = x {n} {r} {l}\n[zip]\nn = 3 .. 1\nr = range 0.1 0.3 0.1\nl = linspace 0 1 3\n' | nn-sweep -n
  # 3 experiments
  x 3 0.1 0
  x 2 0.2 0.5
  x 1 0.3 1

Repeated experiments are left out, and told of.

  $ printf 'command = x {a}\n[grid]\na = 1, 2, 1\n' | nn-sweep -n
  nn-sweep: warning: standard input: left out what repeats an earlier experiment: number 3
  # 2 experiments, 1 repeated
  x 1
  x 2

Commands that are the same although the experiments are not: perhaps a place was forgotten.

  $ printf 'command = x {a}\n[grid]\na = 1\n[repeat]\nseed = 1 .. 2\n' | nn-sweep -n
  nn-sweep: warning: standard input: some commands are the same: there is no place in them for {seed}
  # 2 experiments
  x 1
  x 1

More of them than anybody could store: they come as they are asked for.

  $ printf 'command = x {a} {b}\n[grid]\na = 1 .. 1000000\nb = 1 .. 1000000\n[exclude]\na<2 b<2\n' > huge.conf
  $ nn-sweep -n huge.conf | head -3
  # 1000000000000 experiments before exclusion
  x 1 2
  x 1 3
  $ nn-sweep huge.conf | head -1 | sed "s|$PWD|HERE|"
  {"group":"huge","argv":["x","1","2"],"cwd":"HERE","params":{"a":1,"b":2}}

Code that is not frozen, and what is linked to.

  $ printf 'command = x\ndir = /\nlive = yes\nlink = data, .venv\n' | nn-sweep
  {"argv":["x"],"cwd":"/","params":{},"live":true,"link":["data",".venv"]}

What a long training needs: places in all but the profiler, whose braces are its own.

  $ printf 'command = true\nname = n{lr}\nretries = 2\nneeds = time=1h\nfinish-up = 5m\ncheckpoint = out/{lr}/*.pt\nkeep-checkpoints = last=2\nprofile = strace -o {out}\n[grid]\nlr = 1\n' | nn-sweep - | sed 's/"cwd":"[^"]*",//'
  {"name":"n1","argv":["true"],"params":{"lr":1},"needs":{"time":"1h"},"retries":2,"checkpoint":"out/1/*.pt","keep-checkpoints":"last=2","finish-up":"5m","profile":"strace -o {out}"}
