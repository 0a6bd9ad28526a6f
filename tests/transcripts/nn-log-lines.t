Lines in, points recorded: the values of one position stand together.

  $ export NN_NOW=2026-11-22T23:00:00Z
  $ mkdir run; export NN_RUN_DIR="$PWD/run"
  $ nn-log - <<'END'
  > Loading 3 files took 1.25 seconds
  > Epoch 1/2
  >  10/20 [====>....] - ETA: 0s - loss: 2.5000
  >  20/20 [=========] - 1s 5ms/step - loss: 2.25 - val_loss: nan
  > Iteration 40, loss = 1.5
  > Validation score: 0.75
  > END
  $ cat run/history.*.jsonl
  {"t":"2026-11-22T23:00:00.000Z","epoch":1,"batch":10,"batches":20,"loss":2.5}
  {"t":"2026-11-22T23:00:00.000Z","epoch":1,"batch":20,"batches":20,"loss":2.25,"val_loss":"NaN"}
  {"t":"2026-11-22T23:00:00.000Z","epoch":1,"step":40,"loss":1.5,"Validation_score":0.75}

Templates.

  $ rm run/*
  $ nn-log -p 'pass {epoch}: {train_cost} (test {test_cost})' - <<'END'
  > pass 1: 0.5 (test 0.75)
  > pass x: 0.5 (test 0.75)
  > at last pass   2: .25 (test 1e-3) done
  > END
  $ cat run/history.*.jsonl
  {"t":"2026-11-22T23:00:00.000Z","epoch":1,"train_cost":0.5,"test_cost":0.75}
  {"t":"2026-11-22T23:00:00.000Z","epoch":2,"train_cost":0.25,"test_cost":0.001}

What is found is there while the program before it in the pipe still runs.

  $ rm run/*; mkfifo lines
  $ nn-log - <lines & exec 3>lines
  $ echo 'epoch=1 loss=0.5' >&3
  $ until grep -q loss run/* 2>/dev/null; do :; done; cat run/history.*.jsonl
  {"t":"2026-11-22T23:00:00.000Z","epoch":1,"loss":0.5}
  $ exec 3>&-; wait
