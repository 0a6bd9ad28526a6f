Mistakes are said, and nothing is written.

  $ nn-log epoch=1 loss=2
  nn-log: not called inside a run: name one with --run
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ mkdir run; export NN_RUN_DIR="$PWD/run"
  $ nn-log
  nn-log: nothing to record: give NAME=VALUE, or '-' for lines on standard input
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ nn-log loss
  nn-log: 'loss' is not NAME=VALUE
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ nn-log loss=low
  nn-log: loss: 'low' is not a number
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ nn-log 'my loss=1'
  nn-log: 'my loss' cannot name a value
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ nn-log epoch=1
  nn-log: nothing but counters (epoch, step, batch, batches, iter): what was measured?
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ nn-log epoch=nan loss=1
  nn-log: epoch is a counter and cannot be nan
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ nn-log loss=1 loss=2
  nn-log: loss is given twice
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ nn-log t=1
  nn-log: 't' cannot name a value
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ nn-log - loss=1
  nn-log: 'loss=1': beside '-', counters only (epoch, step, batch, batches, iter): values come from the lines
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ nn-log --json loss=1
  nn-log: --json goes with --try
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ nn-log --try
  nn-log: --try needs a file, or '-' for standard input
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ nn-log --try a.log b.log
  nn-log: --try takes one file
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ nn-log --try -r 1 a.log
  nn-log: --try records nothing, so it takes no --run
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ nn-log --colour
  nn-log: unknown option '--colour'
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ ls run

Templates, with the column.

  $ nn-log --try -p 'Epoch {epoch' x.log
  nn-log: pattern 'Epoch {epoch', column 7: '{' without '}' (a brace itself is '{{')
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ nn-log --try -p 'Epoch {epoch} {my loss}' x.log
  nn-log: pattern 'Epoch {epoch} {my loss}', column 15: 'my loss' cannot name a metric
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ nn-log --try -p 'loss} {loss}' x.log
  nn-log: pattern 'loss} {loss}', column 5: '}' without '{' (a brace itself is '}}')
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ nn-log --try -p 'Epoch {_}' x.log
  nn-log: pattern 'Epoch {_}', column 1: nothing to extract: no {name}, {epoch} or {kv}
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]
  $ nn-log -p '{loss}' loss=1
  nn-log: --pattern goes with '-' or --try
  Usage: nn-log [-r RUN] NAME=VALUE...
         nn-log [-r RUN] [-p TEMPLATE]... - [COUNTER=N]...
         nn-log --try [--json] [-p TEMPLATE]... FILE|-
         nn-log export [--csv|--json|--tensorboard DIR|--sacred DIR] RUNS
         nn-log import [--sacred DIR...] [--tensorboard DIR...] [--mlflow DIR...] [--csv FILE...] [--log FILE...]
                [-p TEMPLATE]... [-g GROUP] [--tag TAG]... [--new|--again]
         nn-log start [-n NAME] [-g GROUP] [--param KEY=VALUE]... [--note TEXT] [--tag TAG]...
                      [--server URL]
         nn-log progress [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--server URL]
         nn-log finish [-r RUN] [-p TEMPLATE]... [--log FILE...] [--data FILE...] [--status N]
                       [--server URL]
         nn-log report [--server URL] [RUNS]
  [2]

Files.

  $ nn-log --try gone.log
  nn-log: cannot read gone.log: No such file or directory
  [2]
  $ nn-log --try run
  nn-log: cannot read run: Is a directory
  [2]
  $ NN_RUN_DIR=gone nn-log loss=1 2>&1 | sed 's/history\.[^:]*/history.HOST.jsonl/'
  nn-log: cannot open gone/history.HOST.jsonl: No such file or directory
  $ nn-log --try - </dev/null

Output that is refused, or not read to its end.

  $ printf 'epoch=1 loss=2\n' | nn-log --try - >/dev/full
  nn-log: cannot write standard output: No space left on device
  [2]
  $ seq 1 20000 | sed 's/.*/epoch=& loss=2/' | nn-log --try - | head -n 1
  1	epoch=1	loss	2	fields
