A spreadsheet as people keep it: headings over groups, empty rows, results; the rows to do are the jobs.

  $ cat > rnn.csv <<'END'
  > ,,,Test,,Train,,Code,Params,,,
  > date,status,name,10ep,50ep,10ep,git,pyth,task,sequence len,learning rate,comments
  > 2015-05-20,,tbd,0.106,2E-3,9.9000000000000005E-2,c02a97d,python rnn.py -a tanh,trend,10,1E-3,
  > ,,,,,,,,,,,
  > ,TODO,,,,,,,trend,20,"0.001, decay 0.999","see ""notes"""
  > ,TODO,long,,,,,,noisy trend,90,2.0000000000000001E-4,
  > ,TODO,,,,,,python rnn.py -q,lag,10,,
  > ,TODO,,,,,,python rnn.py -q,lag,10,,again
  > END
  $ nn-sweep rnn.csv
  nn-sweep: rnn.csv:5: this row has no command: give one with --command
  [2]
  $ nn-sweep -n --command 'python rnn.py -t {task} -n {sequence len}' rnn.csv
  nn-sweep: warning: rnn.csv: rows that repeat an earlier experiment: line 8
  # 4 experiments
  python rnn.py -t trend -n 20
  python rnn.py -t 'noisy trend' -n 90
  python rnn.py -q
  python rnn.py -q
  $ nn-sweep --command 'python rnn.py -n{sequence_len}' rnn.csv 2>/dev/null | sed "s|$PWD|HERE|"
  {"group":"rnn","argv":["python","rnn.py","-n20"],"cwd":"HERE","params":{"task":"trend","sequence len":20,"learning rate":"0.001, decay 0.999"},"note":"see \"notes\""}
  {"name":"long","group":"rnn","argv":["python","rnn.py","-n90"],"cwd":"HERE","params":{"task":"noisy trend","sequence len":90,"learning rate":0.0002}}
  {"group":"rnn","argv":["python","rnn.py","-q"],"cwd":"HERE","params":{"task":"lag","sequence len":10}}
  {"group":"rnn","argv":["python","rnn.py","-q"],"cwd":"HERE","params":{"task":"lag","sequence len":10},"note":"again"}
  $ nn-sweep --command 'python rnn.py -lr {learning rate}' rnn.csv 2>&1 | sed "s|$PWD|HERE|"
  nn-sweep: warning: rnn.csv: rows that repeat an earlier experiment: line 8
  {"group":"rnn","argv":["python","rnn.py","-lr","0.001, decay 0.999"],"cwd":"HERE","params":{"task":"trend","sequence len":20,"learning rate":"0.001, decay 0.999"},"note":"see \"notes\""}
  {"name":"long","group":"rnn","argv":["python","rnn.py","-lr","0.0002"],"cwd":"HERE","params":{"task":"noisy trend","sequence len":90,"learning rate":0.0002}}
  {"group":"rnn","argv":["python","rnn.py","-q"],"cwd":"HERE","params":{"task":"lag","sequence len":10}}
  {"group":"rnn","argv":["python","rnn.py","-q"],"cwd":"HERE","params":{"task":"lag","sequence len":10},"note":"again"}
  $ sed 's/python rnn.py -q/./' rnn.csv | nn-sweep -n --command 'python rnn.py -lr {learning rate}'
  nn-sweep: warning: standard input: rows that repeat an earlier experiment: line 8
  # 4 experiments
  python rnn.py -lr '0.001, decay 0.999'
  python rnn.py -lr 0.0002
  .
  .

Any table with names in its first row: every row is a job.

  $ printf 'lr\tact\tneeds\tcmd\r\n0.1\ttanh\tgpus=1\ttrain -a {act} -lr {lr}\r\n\r\n0.2\trelu\t\ttrain -lr {lr}\r\n' > t.tsv
  $ nn-sweep t.tsv | sed "s|$PWD|HERE|"
  {"group":"t","argv":["train","-a","tanh","-lr","0.1"],"cwd":"HERE","params":{"lr":0.1,"act":"tanh"},"needs":{"gpus":1}}
  {"group":"t","argv":["train","-lr","0.2"],"cwd":"HERE","params":{"lr":0.2,"act":"relu"}}
  $ printf 'lr,hold\r0.1,TRUE\r0.2,\r' | nn-sweep --command 'train {lr}' | sed "s|$PWD|HERE|"
  {"argv":["train","0.1"],"cwd":"HERE","params":{"lr":0.1},"hold":true}
  {"argv":["train","0.2"],"cwd":"HERE","params":{"lr":0.2}}
  $ printf 'status;lr\ndone;0,1\n' | nn-sweep --command 'train {lr}'
  nn-sweep: standard input: there is no experiment to run
  [1]
  $ printf 'lr,lr\n1,2\n' | nn-sweep --command 'train {lr}'
  nn-sweep: standard input:1: two columns are named 'lr'
  [2]
  $ printf 'lr,act\n1,"2\n' | nn-sweep --command 'train {lr}'
  nn-sweep: standard input:2: a quote (") is not closed
  [2]
  $ printf 'lr,act\n1,2,,x\n' | nn-sweep --command 'train {lr}'
  nn-sweep: standard input:2: 'x' stands in column 4, which has no name
  [2]
  $ printf 'lr,needs\n1,gpu=1\n' | nn-sweep --command 'train {lr}'
  nn-sweep: standard input:2: unknown need 'gpu' (did you mean 'gpus'?)
  [2]
