What would be found: line, counters, name, value, and who found it.

  $ cat >train.log <<'END'
  > 2026-01-02 10:00:00 | INFO | model | 1.2M parameters on 10.0.0.7:29500
  > epochs=2, batch=4, name=None, device=cpu, lr=0.1
  > Train Epoch: 1 [100/500 (20%)]	Loss: 0.75
  > Test set: Average loss: 0.5, Accuracy: 90/100 (90%)
  > {'eval_loss': 0.25, 'epoch': 2.0}
  > epoch  train_loss  acc
  >     3        0.50  0.9
  > Epoch 4:  50%|█████     | 5/10 [00:01<00:01, 4.9it/s, loss=0.125]
  > END
  $ nn-log --try train.log
  3	epoch=1 batch=100 batches=500	train/Loss	0.75	fields
  4	epoch=1	test/Average_loss	0.5	fields
  4	epoch=1	test/Accuracy	0.9	fields
  5	epoch=2	eval_loss	0.25	object
  7	epoch=3	train_loss	0.5	table
  7	epoch=3	acc	0.9	table
  8	epoch=4 batch=5 batches=10	loss	0.125	bar
  $ nn-log --try --json train.log | head -n 2
  {"line":3,"at":{"epoch":1,"batch":100,"batches":500},"name":"train/Loss","value":0.75}
  {"line":4,"at":{"epoch":1},"name":"test/Average_loss","value":0.5}
  $ nn-log --try -p 'Test set:{*}Accuracy: {hits}/{_}' train.log
  4		hits	90	Test set:{*}Accuracy: {hits}/{_}

Progress bars, escapes and other noise.

  $ printf '\033[1mEpoch 1\033[0m\r\rEpoch 2: loss=1\rEpoch 2: loss=0.5\n\000epoch 3 loss 0.25' | nn-log --try -
  1	epoch=2	loss	0.5	fields
  2	epoch=3	loss	0.25	fields

Records.

  $ printf 'epoch,step,loss\n1,10,0.5\n1,20,\n2,30,nan\n' >log.csv
  $ nn-log --try log.csv
  2	epoch=1 step=10	loss	0.5	csv
  4	epoch=2 step=30	loss	NaN	csv
  $ printf '{"epoch":1,"loss":0.5}\n{"epoch":2,"loss":"NaN"}\nnonsense\n' | nn-log --try --json -
  {"line":1,"at":{"epoch":1},"name":"loss","value":0.5}
  {"line":2,"at":{"epoch":2},"name":"loss","value":"NaN"}

A prefix for the lines below, and fields after a template.

  $ cat >torch.log <<'END'
  > epoch # 1
  > on testing set:
  > score 0.5
  > epoch # 2 a=1, b=2
  > END
  $ nn-log --try -p '^epoch # {epoch} {kv new/}' -p '^epoch # {epoch}' -p 'on testing set:{=test/}' -p '^score {score}' torch.log
  3	epoch=1	test/score	0.5	^score {score}
  4	epoch=2	new/a	1	^epoch # {epoch} {kv new/}
  4	epoch=2	new/b	2	^epoch # {epoch} {kv new/}
