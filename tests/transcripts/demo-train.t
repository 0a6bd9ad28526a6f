The demo training prints a line an epoch, the same in every awk.

  $ train() { "$TESTS/../scripts/demo/train" "$@"; }
  $ train -a tanh -lr 0.01 -epochs 3
  linear_trend: 24 training sequences of length 10; tanh net of 35 parameters
  epoch=1 train_cost=16.9485 valid_cost=7.10281
  epoch=2 train_cost=6.82651 valid_cost=4.96676
  epoch=3 train_cost=3.75693 valid_cost=3.1076

Without clipping this one diverges, and goes on to its end. The last parameters are saved, whole.

  $ mkdir 'check points'
  $ export NN_CHECKPOINTS="$PWD/check points"
  $ train -a linear -lr 0.01 -clip 0 -epochs 28 | sed -n '2p;$p'
  epoch=1 train_cost=10.2159 valid_cost=8.44289
  epoch=28 train_cost=nan valid_cost=nan
  $ ls check*
  params-0028
  $ head -n 4 check*/params-0028
  epoch 28
  rate 0.0097237474437709536
  random 1874715464
  order 11 21 14 8 12 6 18 7 4 3 20 1 2 16 22 0 19 13 10 17 15 23 9 5
  $ grep -c . check*/params-0028
  39

A mistake is said at once.

  $ train -lr fast
  rnn.awk: lr: 'fast' is not a number from 0
  [2]
  $ train -a sigmoid
  rnn.awk: activation: 'sigmoid' is not one of linear, tanh, relu
  [2]
  $ train -epochs
  train: option '-epochs' needs a value
  [2]
  $ train --turbo 1
  train: unknown option '--turbo'
  [2]
