A training that becomes NaN is stopped by one rule in the settings, and it shows.

  $ nn-queue init >/dev/null
  $ echo 'rule = stop if nan(train_cost)' >spool/config
  $ printf 'for e in 1 2; do echo "epoch $e train_cost 0.$e"; done\necho "epoch 3 train_cost nan"\nexec sleep 600\n' >train.sh
  $ nn-run -q sh train.sh
  nn-run: run 1: error: nan: train_cost is NaN at epoch 3
  nn-run: run 1: error: rule: stop if nan(train_cost) (train_cost nan) at epoch 3
  [143]
  $ nn-queue list -a | cut -f1,2,8
  1	failed	stopped by rule
  $ nn-queue show 1 | grep -E '^(state|evidence)'
  state       failed: stopped by rule
  evidence    stopped by a rule: TERM was sent; stop if nan(train_cost) (train_cost nan)

So does one of a job, and one on the command line of nn-queue; retries do not bring it back.

  $ rm spool/config
  $ echo '{"argv":["sh","train.sh"],"rules":["stop if nan(train_cost)"],"retries":2}' | nn-queue add 2>/dev/null
  2
  $ nn-queue add --again --rule 'stop if nan(train_cost)' --retries 2 -- sh train.sh 2>/dev/null
  3
  $ nn-queue work -q
  nn-run: run 2: error: nan: train_cost is NaN at epoch 3
  nn-run: run 2: error: rule: stop if nan(train_cost) (train_cost nan) at epoch 3
  nn-run: run 3: error: nan: train_cost is NaN at epoch 3
  nn-run: run 3: error: rule: stop if nan(train_cost) (train_cost nan) at epoch 3
  [1]
  $ ls spool/failed; ls spool/queued
  0000001.1~rule
  0000002.1~rule
  0000003.1~rule

For so many points in a row: two are not three, and three with one between are not either.

  $ nn-run -q --rule 'warn if loss > 5 for 3 points' sh -c 'e=0; for x in 6 7 1 8 9 2 6 7 8 9; do e=$((e+1)); echo "epoch=$e loss=$x"; done'
  nn-run: run 4: warning: rule: warn if loss > 5 for 3 points (loss 8) at epoch 9
  $ nn-run -q --rule 'warn if loss > 5 for 4 points' sh -c 'e=0; for x in 6 7 1 8 9 2 6 7 8 1; do e=$((e+1)); echo "epoch=$e loss=$x"; done'

For so long.

  $ printf 'e=0; until grep -q judged $NN_RUN_DIR/events.jsonl; do e=$((e+1)); echo "epoch=$e x=5"; sleep 0.1; done' >long.sh
  $ nn-run -q --rule 'warn if x > 3 for 1s' sh long.sh 2>&1 | sed 's/epoch [0-9]*/epoch .../'
  nn-run: run 6: warning: rule: warn if x > 3 for 1s (x 5) at epoch ...
  $ nn-run -q --rule 'warn if loss > 3 for 1h' sh -c 'for e in 1 2 3 4 5 6; do echo "epoch=$e loss=5"; sleep 0.3; done'

After an epoch: not in it.

  $ nn-run -q --rule 'warn if loss > 5 after epoch 3' sh -c 'for e in 1 2 3 4 5; do echo "epoch=$e loss=9"; done'
  nn-run: run 8: warning: rule: warn if loss > 5 after epoch 3 (loss 9) at epoch 4

A command is executed once, in the directory of the run's command.

  $ nn-run -q --rule "run 'echo \$NN_RUN \$NN_ATTEMPT >>fixed' if loss > 5" sh -c 'for e in 1 2 3 4 5; do echo "epoch=$e loss=9"; done; until [ -s fixed ]; do sleep 0.05; done'
  nn-run: run 9: warning: rule: run 'echo $NN_RUN $NN_ATTEMPT >>fixed' if loss > 5 (loss 9) at epoch 1
  $ cat fixed
  9 1

Mail: one message, however long it holds.

  $ printf 'mail.to = you@example.org\nmail.from = me@example.org\nmail.via = cat >>../got #\nmail.notify = failed\n' >spool/config
  $ nn-run -q --rule 'mail if acc > 0.9' sh -c 'for e in 1 2 3 4 5; do echo "epoch=$e acc=0.9$e"; done'
  nn-run: run 10: warning: rule: mail if acc > 0.9 (acc 0.91) at epoch 1
  $ until grep -q ^Subject: got; do sleep 0.05; done 2>/dev/null; grep -c '^Subject:' got; grep '^Subject:' got
  1
  Subject: run 10: mail if acc > 0.9 (acc 0.91)
  $ rm spool/config

Mistakes are told with their column, wherever the rule stands.

  $ nn-run --rule 'stop if nan(train_cost' true 2>&1 | head -1
  nn-run: rule: column 23: expected ')', found the end
  $ nn-run --rule 'warn if loss > 5 for 3 ponts' true 2>&1 | head -1
  nn-run: rule: column 24: nothing more was expected, found 'ponts'
  $ nn-run --rule 'warn if loss > 5 after epoch x' true 2>&1 | head -1
  nn-run: rule: column 30: expected a number, found 'x'
  $ nn-run --rule 'warn if loss >> 5' true 2>&1 | head -1
  nn-run: rule: column 15: expected a number, found '>'
  $ nn-run --rule "run fix.sh if loss > 5" true 2>&1 | head -1
  nn-run: rule: column 5: expected a command in quotes, found 'fix.sh'
  $ nn-queue add --rule 'warn if loss > 5 for' true 2>&1 | head -1
  nn-queue: rule: column 21: expected 'N points' or a duration such as 5m, found the end
  $ echo '{"argv":["true"],"rules":["warn if a and"]}' | nn-queue add
  nn-queue: standard input:1: 'rules': rule: column 11: expected a comparison such as < or >=, found 'and'
  [2]
  $ printf '# mine\nrule = stop if nan(x))\n' >spool/config; nn-run true 2>&1 | sed 's/ .*config/ config/'; rm spool/config
  nn-run: config:2: rule: column 15: nothing more was expected, found ')'
  $ ls spool/runs | wc -l
  10
