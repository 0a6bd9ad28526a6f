A training is killed with kill -9, its nn-run as well, goes on from its last checkpoint, and leaves one unbroken curve:
that of a training nobody killed.

  $ nn-queue init >/dev/null
  $ train() { nn-run -q -n "$1" -- "$TESTS/../scripts/demo/train" -a tanh -lr 0.01 -epochs 120 -save 20; }
  $ train undisturbed
  $ nn-queue add --live -n killed -- "$TESTS/../scripts/demo/train" -a tanh -lr 0.01 -epochs 120 -save 20
  2
  $ nn-queue work -q & until_ok test -e spool/runs/2/checkpoints/params-0040
  $ command=$(sed 's/.*"pid":\([0-9]*\).*/\1/' spool/runs/2/attempt.json)
  $ runner=$(ls spool/running | sed 's/.*,\([0-9]*\),[0-9]*~s/\1/')
  $ kill -9 $! $runner $command
  $ until_ok sh -c 'nn-queue recover && ls spool/failed | grep .'
  $ nn-queue list -a --state failed | cut -f1,2,5
  2	failed	killed
  $ nn-queue retry killed && nn-queue work -q && nn-queue log killed | grep -A1 -e ---
  2	queued
  --- attempt 2 ---
  linear_trend: 24 training sequences of length 10; tanh net of 35 parameters
  $ for run in undisturbed killed; do nn-log export --csv $run | cut -d, -f3- >$run; done
  $ cmp undisturbed killed && head -n 3 killed && wc -l <killed
  epoch,train_cost,valid_cost
  1,16.9485,7.10281
  2,6.82651,4.96676
  121

Nothing is lost: what was done twice is in the file twice, and where the second attempt begins is on record.

  $ grep -c checkpoints/params-00 spool/runs/2/resumed.jsonl
  1
  $ nn-queue show killed | grep -o '^attempt *2\|^ *attempt=1'
  attempt     2
              attempt=1
