What the page shows, as files. Runs to be shown:

  $ nn-queue init >/dev/null
  $ nn-queue add -n first -g g -p lr=0.1 -- sh -c 'echo "epoch 1: cost 5"; echo "epoch 2: cost 4"'
  1
  $ nn-queue add -n second -g g -p lr=0.01 -- sh -c 'echo "epoch 1: cost 9"; exit 3'
  2
  $ nn-queue work -q
  [1]
  $ nn-web --export out
  $ ls out/data out/data/runs out/data/runs/1
  out/data:
  about.js
  hosts.js
  queue.js
  runs
  runs.js
  tmp
  
  out/data/runs:
  1
  1.js
  2
  2.js
  
  out/data/runs/1:
  history.js
  log.js
  resources.js
  $ grep -c 'name="nn-data" content="files"' out/index.html
  1
  $ cat out/data/runs/1/log.js
  nn.put("runs/1/log", {"from":0,"to":32,"size":32,"text":"epoch 1: cost 5\nepoch 2: cost 4\n"});
  $ sed 's/"t":\[[^]]*\]/"t":[...]/' out/data/runs/1/history.js
  nn.put("runs/1/history", {"run":1,"series":{"cost":{"t":[...],"epoch":[1,2],"y":[5,4]}}});
  $ grep -o '"state":"[a-z]*","how":"[^"]*","name":"[^"]*"' out/data/runs.js
  "state":"failed","how":"exit 3","name":"second"

Again, of one run only: what is told of the other is gone.

  $ echo 1 | nn-web --export out -
  $ ls out/data/runs
  1
  1.js
  $ grep -o '"run":[0-9]*' out/data/runs.js
  "run":1

The server says where it is, and ends when it is told to.

  $ nn-web --listen 127.0.0.1:0 >address & pid=$!
  $ until_ok grep -q . address
  $ sed 's/:[0-9]*\/$/:PORT\//' address
  http://127.0.0.1:PORT/
  $ kill $pid; wait $pid

A spool without runs.

  $ nn-queue init none 2>/dev/null >/dev/null
  $ export NN_SPOOL=none
  $ nn-web --export empty
  [1]
  $ ls empty/data
  about.js
  hosts.js
  queue.js
  runs
  runs.js
  tmp
  $ echo | nn-web --export empty -
  [1]
