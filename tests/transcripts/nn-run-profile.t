A command under a profiler: what it finds is filed in the run, by attempt, and show says how to read it.

  $ nn-queue init >/dev/null
  $ mkdir bin && PATH=$PWD/bin:$PATH
  $ cat >bin/python3 <<'END'
  > #!/bin/sh
  > case $* in *'-c import cProfile') exit "${broken:-0}" ;; esac
  > [ "$1" = -u ] || exit 0
  > echo "-u $2 CODE $4 $5 $6 $7" | sed "s|$PWD/||"; echo stats >"$4"
  > END
  $ chmod +x bin/python3
  $ nn-run --profile python -- python3 -u train.py --lr 0.1
  -u -c CODE spool/runs/1/profile/1.pstats train.py --lr 0.1
  $ nn-queue show 1 | grep '^profile' | sed "s|$PWD/||"
  profile     python3 -m pstats spool/runs/1/profile/1.pstats
  $ cat spool/runs/1/profile/1.pstats
  stats

Theano is told by its flags, which are kept.

  $ THEANO_FLAGS=floatX=float32 nn-run --profile theano -- sh -c 'echo $THEANO_FLAGS | tr , "\n" | sed "s|=/.*/runs|=runs|"'
  floatX=float32
  profile=True
  profiling.destination=runs/2/profile/1.theano.txt
  $ nn-queue show 2 | grep '^profile'
  profile     theano: nothing written

Any other words go before the command; {out} becomes a file.

  $ printf '#!/bin/sh\no=$1; shift; "$@"; echo "took long" >"${o#--to=}"\n' >bin/stopwatch; chmod +x bin/stopwatch
  $ nn-queue add --profile 'stopwatch --to={out}' -- echo hello
  3
  $ nn-queue work -q; cat spool/runs/3/log
  hello
  $ nn-queue show 3 | grep '^profile' | sed "s|$PWD/||"
  profile     spool/runs/3/profile/1.stopwatch.out
  $ nn-queue retry --done 3; nn-queue work -q; ls spool/runs/3/profile
  3	queued
  1.stopwatch.out
  2.stopwatch.out

perf goes the same way.

  $ printf '#!/bin/sh\necho "perf $*" | sed "s|$PWD/||"\n' >bin/perf; chmod +x bin/perf
  $ nn-run --profile perf -- echo hello
  perf record -q -g -o spool/runs/4/profile/1.perf.data -- echo hello

What cannot be profiled is not begun.

  $ nn-run --profile python -- python3 -c 'print(1)' 2>&1 | head -n 1
  nn-run: profile python: cProfile cannot profile 'python -c': put the code into a file
  $ nn-queue add --profile python -- sh train.sh 2>&1 | head -n 1
  nn-queue: profile python: the command must begin with python, not with 'sh'
  $ printf '{"argv":["true"],"profile":""}\n' | nn-queue add
  nn-queue: standard input:1: 'profile': expected python, theano, perf, or the words to put before the command
  [2]
  $ nn-run --profile 'a "b' -- true 2>&1 | head -n 1
  nn-run: 'profile': a quote is not closed
  $ broken=1 nn-run --profile python -- python3 train.py
  nn-run: run 5: cannot profile: python3 has no module cProfile
  [127]
  $ nn-run --profile 'no-such-profiler -o {out}' -- true
  nn-run: run 6: cannot run no-such-profiler: not found in PATH
  [127]
  $ nn-run --profile stopwatch -- no-such-command
  nn-run: run 7: cannot run no-such-command: not found in PATH
  [127]
  $ ls spool/failed
  0000005.1~exit,127
  0000006.1~exit,127
  0000007.1~exit,127
