A run is judged while it runs: a NaN is said at once, in one line, and stands among the events.

  $ nn-queue init >/dev/null
  $ nn-run -q sh -c 'echo epoch=1 loss=2.5; echo epoch=2 loss=2.1; echo epoch=3 loss=nan; echo epoch=4 loss=nan'
  nn-run: run 1: error: nan: loss is NaN at epoch 3
  $ grep judged spool/runs/1/events.jsonl | sed 's/"t":"[^"]*"/"t":"..."/'
  {"t":"...","event":"judged","run":1,"attempt":1,"level":"error","detector":"nan","metric":"loss","at":{"epoch":3},"why":"loss is NaN","evidence":{"value":"NaN","numbers_before":2}}
  $ NN_JUDGE=off nn-run -q sh -c 'echo epoch=1 loss=nan'
  $ NN_JUDGE=no nn-run true
  nn-run: setting judge: 'no' is neither on nor off
  [125]

A rule stops it, and that is how it ended; it is not run again.

  $ nn-run -q --retries 3 --rule 'stop if loss > 15 for 2 points' sh -c 'for e in 1 2 3; do echo epoch=$e loss=${e}0; done; sleep 600'
  nn-run: run 3: error: rule: stop if loss > 15 for 2 points (loss 30) at epoch 3
  [143]
  $ ls spool/failed
  0000003.1~rule
  $ grep -o '"evidence":"[^"]*"' spool/runs/3/result.json
  "evidence":"stopped by a rule: TERM was sent; stop if loss > 15 for 2 points (loss 30)"

Rules of the configuration are for all runs. A command of a rule finds the event in its environment; its words are no log.

  $ echo 'rule = run "echo $NN_EVENT >event" if nan(cost) and not loss < 0' >spool/config
  $ nn-run -q sh -c 'echo epoch=1 loss=1 cost=nan; until [ -s event ]; do sleep 0.05; done'
  nn-run: run 4: error: nan: cost is NaN at epoch 1
  nn-run: run 4: warning: rule: run "echo $NN_EVENT >event" if nan(cost) and not loss < 0 (cost nan, loss 1) at epoch 1
  $ grep -o '"detector":"[a-z]*","metric":"cost"' event
  "detector":"rule","metric":"cost"
  $ nn-queue add --rule 'mail if acc@max >= 0.9' -- sh -c 'echo epoch=1 acc=0.95'
  5
  $ nn-queue work -q
  nn-run: run 5: warning: rule: mail if acc@max >= 0.9 (acc 0.95) at epoch 1
  $ grep -o '"notify":true' spool/runs/5/events.jsonl
  "notify":true

What is left of disk and memory can be asked for, too.

  $ nn-run -q --rule 'stop if disk_free > 0 and inodes_free >= 0 and ram_free > 1k' sleep 600 2>&1 | sed 's/ (.*//'
  nn-run: run 6: error: rule: stop if disk_free > 0 and inodes_free >= 0 and ram_free > 1k

Mistakes are told with their column, before anything is touched. A name that never came is told at the end.

  $ nn-run --rule 'stop if nam(loss)' true 2>&1 | head -1
  nn-run: rule: column 9: unknown function 'nam' (did you mean 'nan'?)
  $ nn-queue add --rule 'stop nan(loss)' true 2>&1 | head -1
  nn-queue: rule: column 6: expected 'if', found 'nan'
  $ echo '{"argv":["true"],"rules":["warn if x"]}' | nn-queue add
  nn-queue: standard input:1: 'rules': rule: column 10: expected a comparison such as < or >=, found the end
  [2]
  $ printf 'command = true\nrule = stop if x <\n' | nn-sweep
  nn-sweep: standard input:2: 'rules': rule: column 12: expected a number, found the end
  [2]
  $ printf '\nrule = stp if nan(x)\n' >spool/config
  $ nn-run true 2>&1 | sed 's/ .*config/ config/'
  nn-run: config:2: rule: column 1: expected warn, stop, mail or run, found 'stp' (did you mean 'stop'?)
  $ rm spool/config
  $ nn-run -q --rule 'stop if train_cst > 3' sh -c 'echo epoch=1 train_cost=1'
  nn-run: warning: run 7: rule 'stop if train_cst > 3': there was no variable 'train_cst' (did you mean 'train_cost'?)
