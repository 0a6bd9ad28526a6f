A run that failed: what happened, the traceback, what was different from the last good run, the curve.

  $ nn-queue init >/dev/null
  $ export NN_MAIL_VIA='cat >>got #' NN_MAIL_FROM=me@example.org
  $ export NN_MAIL_TO=you@example.org; run() { NN_MAIL_TO= nn-run -q "$@"; }
  $ events() { sed "s/^{/{\"run\":$1,/" spool/runs/$1/events*.jsonl; }
  $ shown() { nn-mail --print $1 | sed '1,3d; /^More/,$d' | grep -v -e '^when' -e '^host' -e '^ran' -e '^used'; }
  $ say='echo epoch=1 cost=0.5; echo epoch=2 cost=0.4'
  $ run -n good -p lr=0.1 -- sh -c "$say"
  $ run -n bad -p lr=10 -p clip=1 -- sh -c "$say; printf 'Traceback (most recent call last):\n  File \"rnn.py\", line 7, in step\nValueError: \033[31mno\033[0m\n'; exit 3"
  [3]
  $ events 2 | nn-mail --events
  $ shown run2.1.ended
  From: me@example.org
  To: you@example.org
  Subject: run 2 bad: failed (exit 3)
  
  run 2 bad: failed (exit 3)
  command     sh -c 'echo epoch=1 cost=0.5; echo epoch=2 cost=0.4; printf '\''Traceback (most recent call last):\n  File "rnn.py", line 7, in step\nValueError: \033[31mno\033[0m\n'\''; exit 3'
  parameters  lr=10 clip=1
  values      cost 0.4 (from 0.4 to 0.5)
  
  The end of its log:
    epoch=1 cost=0.5
    epoch=2 cost=0.4
    Traceback (most recent call last):
      File "rnn.py", line 7, in step
    ValueError: no
  
  Different from run 1 good, which went well:
    lr: 10, there 0.1
    clip: 1, there none
  
  $ nn-mail --print run2.1.ended | grep -c -e epoch$ -e 'image/png curve.png'
  2
  $ grep -a -E '^(Auto-Submitted|In-Reply-To)' got | sed 's/run2\..*@/run2.HASH@/'
  In-Reply-To: <nn.run2.HASH@example.org>
  Auto-Submitted: auto-generated

A message has an id that no other has, that of a run with the same number in another spool for instance: servers and
readers drop what they think they have seen.

  $ cp -r spool other; rm other/mail/*/run2*; events 2 | NN_SPOOL=$PWD/other nn-mail --events
  $ grep -a '^Message-ID: <nn.run2.1.ended[.]' got | sort -u | wc -l
  2

Heard of again it is not told again; what is no news is not told at all.

  $ events 2 | nn-mail --events; nn-mail --list --all | cut -f1
  run2.1.ended
  $ echo '{"run":1,"event":"ended","state":"failed","how":"preempted"}' | nn-mail --events
  $ echo '{"run":1,"event":"ended","state":"failed","how":"exit,1","again":true}' | nn-mail --events
  $ echo '{"run":1,"event":"ended","state":"cancelled"}' | nn-mail --events
  $ echo '{"run":1,"level":"info","detector":"plateau","why":"x"}' | nn-mail --events
  $ echo '{"run":77,"event":"ended","state":"failed"}' | nn-mail --events
  $ events 1 | NN_MAIL_NOTIFY=failed nn-mail --events
  $ nn-mail --list --all | cut -f1
  run2.1.ended

What was found in a run that still goes on.

  $ echo '{"t":"2026-11-23T12:00:00Z","run":1,"level":"error","detector":"nan","metric":"cost","at":{"epoch":31},"why":"cost is NaN","evidence":{"last":0.4}}' | nn-mail --events
  $ shown $(nn-mail --list --all | grep nan | cut -f1)
  From: me@example.org
  To: you@example.org
  Subject: run 1 good: cost is NaN
  
  run 1 good: cost is NaN
  why         cost is NaN
  at          epoch 31
  evidence    last=0.4
  command     sh -c 'echo epoch=1 cost=0.5; echo epoch=2 cost=0.4'
  parameters  lr=0.1
  values      cost 0.4 (from 0.4 to 0.5)
  

Templates.

  $ run -n own -g @x -- sh -c "$say; exit 1"
  [1]
  $ events 3 | NN_MAIL_SUBJECT='{name}: {what}' NN_MAIL_BODY='{{{run}} ended.\n{log}' nn-mail --events
  $ shown run3.1.ended | sed '/^ *0/,$d'
  From: me@example.org
  To: you@example.org
  Subject: own: failed (exit 1)
  
  {3} ended.
  epoch=1 cost=0.5
  epoch=2 cost=0.4
  
  3 own
  cost
  $ NN_MAIL_SUBJECT='{nmae}' nn-mail --events </dev/null 2>&1 | cut -d';' -f1
  nn-mail: mail.subject: there is no {nmae} (did you mean 'name'?)

A sweep: its first failure at once, the rest when all of it has ended.

  $ for i in 1 2 3 4 5 6; do printf '{"argv":["sh","-c","echo epoch=1 cost=0.%s; exit %s"],"cwd":"%s","name":"e%s","group":"grid"}\n' $i $((i % 3 == 0)) "$PWD" $i; done | nn-queue add | tr '\n' ' '
  4 5 6 7 8 9  (no newline)
  $ for i in 1 2 3 4 5 6; do NN_MAIL_TO= nn-queue work -q 2>/dev/null; done; nn-queue list --all --state failed | cut -f1 | sort | tr '\n' ' '
  2 3 6 9  (no newline)
  $ for i in 4 5 6 7 8 9; do events $i; done | nn-mail --events
  $ shown news | sed '/^The first/,$d'
  From: me@example.org
  To: you@example.org
  Subject: @grid: 2 failed, 4 finished
  
  @grid: 2 failed, 4 finished
  
  run 6 e3: failed (exit 1)
      epoch=1 cost=0.3
  run 9 e6: failed (exit 1)
      epoch=1 cost=0.6
  run 4 e1: done
      cost 0.1 (from 0.1 to 0.1)
  run 5 e2: done
      cost 0.2 (from 0.2 to 0.2)
  run 7 e4: done
      cost 0.4 (from 0.4 to 0.4)
  run 8 e5: done
      cost 0.5 (from 0.5 to 0.5)
  

Many at once are one message; in quiet hours, and beyond the limit, there is none.

  $ for i in 1 2 3 4 5; do run -- true; done
  $ all() { for i in 10 11 12 13 14; do events $i; done; }
  $ all | TZ=UTC NN_NOW=2026-11-23T23:00:00Z NN_MAIL_QUIET=22:00-07:00 nn-mail --events
  $ NN_MAIL_LIMIT=1 nn-mail --events </dev/null
  $ ls spool/mail/held | wc -l
  5
  $ nn-mail --events </dev/null; nn-mail --list --all | cut -f5 | tail -n 1
  5 finished
  $ ls spool/mail/held | wc -l
  0

Slips of the pen.

  $ echo '{"run":1' | nn-mail --events
  nn-mail: standard input:1: column 9: expected ',' or '}'
  [2]
  $ echo 7 | nn-mail --events
  nn-mail: standard input:1: expected a JSON object
  [2]
  $ NN_MAIL_NOTIFY=faild nn-mail --events </dev/null
  nn-mail: mail.notify: 'faild' is not failed, finished, warning or none (did you mean 'failed'?)
  [2]
  $ NN_MAIL_QUIET=night nn-mail --events </dev/null
  nn-mail: mail.quiet: 'night' is not of the form 22:00-07:00
  [2]
  $ NN_MAIL_TO= nn-mail --events </dev/null 2>&1 | head -1
  nn-mail: to whom? give an address, or set mail.to
  $ nn-mail --events --all 2>&1 | head -1
  nn-mail: option '--all' does not go with --events
