A training that becomes NaN is stopped by one rule in the settings, and it shows.

  $ nn-queue init >/dev/null
  $ echo 'rule = stop if nan(train_cost)' >spool/config
  $ printf 'for e in 1 2; do echo "epoch $e train_cost 0.$e"; done\necho "epoch 3 train_cost nan"\nexec sleep 600\n' >train.sh
  $ nn-run -q sh train.sh
  $ nn-queue list -a | cut -f1,2,8
  $ nn-queue show 1 | grep -E '^(state|evidence)'

So does one of a job, and one on the command line of nn-queue; retries do not bring it back.

  $ rm spool/config
  $ echo '{"argv":["sh","train.sh"],"rules":["stop if nan(train_cost)"],"retries":2}' | nn-queue add
  $ nn-queue add --again --rule 'stop if nan(train_cost)' --retries 2 -- sh train.sh
  $ nn-queue work -q
  $ ls spool/failed; ls spool/queued

For so many points in a row: two are not three, and three with one between are not either.

  $ nn-run -q --rule 'warn if loss > 5 for 3 points' sh -c 'e=0; for x in 6 7 1 8 9 2 6 7 8 9; do e=$((e+1)); echo "epoch=$e loss=$x"; done'
  $ nn-run -q --rule 'warn if loss > 5 for 4 points' sh -c 'e=0; for x in 6 7 1 8 9 2 6 7 8 1; do e=$((e+1)); echo "epoch=$e loss=$x"; done'

For so long.

  $ printf 'e=0; until grep -q judged $NN_RUN_DIR/events.jsonl; do e=$((e+1)); echo "epoch=$e loss=5"; sleep 0.1; done' >long.sh
  $ nn-run -q --rule 'warn if loss > 3 for 1s' sh long.sh 2>&1 | sed 's/epoch [0-9]*/epoch .../'
  $ nn-run -q --rule 'warn if loss > 3 for 1h' sh -c 'for e in 1 2 3 4 5 6; do echo "epoch=$e loss=5"; sleep 0.3; done'

After an epoch: not in it.

  $ nn-run -q --rule 'warn if loss > 5 after epoch 3' sh -c 'for e in 1 2 3 4 5; do echo "epoch=$e loss=9"; done'

A command is executed once, in the directory of the run's command.

  $ nn-run -q --rule "run 'echo \$NN_RUN \$NN_ATTEMPT >>fixed' if loss > 5" sh -c 'for e in 1 2 3 4 5; do echo "epoch=$e loss=9"; done; until [ -s fixed ]; do sleep 0.05; done'
  $ cat fixed

Mail: one message, however long it holds.

  $ printf 'mail.to = you@example.org\nmail.from = me@example.org\nmail.via = cat >>../got #\nmail.notify = failed\n' >spool/config
  $ nn-run -q --rule 'mail if acc > 0.9' sh -c 'for e in 1 2 3 4 5; do echo "epoch=$e acc=0.9$e"; done'
  $ until [ -s got ]; do sleep 0.05; done; grep -c '^Subject:' got; grep '^Subject:' got
  $ rm spool/config

Mistakes are told with their column, wherever the rule stands.

  $ nn-run --rule 'stop if nan(train_cost' true 2>&1 | head -1
  $ nn-run --rule 'warn if loss > 5 for 3 ponts' true 2>&1 | head -1
  $ nn-run --rule 'warn if loss > 5 after epoch x' true 2>&1 | head -1
  $ nn-run --rule 'warn if loss >> 5' true 2>&1 | head -1
  $ nn-run --rule "run fix.sh if loss > 5" true 2>&1 | head -1
  $ nn-queue add --rule 'warn if loss > 5 for' true 2>&1 | head -1
  $ echo '{"argv":["true"],"rules":["warn if a and"]}' | nn-queue add
  $ printf '# mine\nrule = stop if nan(x))\n' >spool/config; nn-run true 2>&1 | sed 's/ .*config/ config/'; rm spool/config
  $ ls spool/runs | wc -l
