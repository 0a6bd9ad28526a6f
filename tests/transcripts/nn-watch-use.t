What there is to see: one run that has ended, one that fails, one that runs, one that waits for it.

  $ nn-queue init >/dev/null
  $ nn-watch --once
  [1]
  $ nn-run -q -n first -- sh -c 'for e in 1 2 3 4; do echo "epoch=$e train_loss=$((5 - e)).5 valid_loss=$((6 - e)).25"; done'
  $ nn-run -q -n second -- sh -c 'exit 3'
  [3]
  $ nn-queue add --live -n third -g g -p epochs=10 -- sh -c 'echo "epoch=4 loss=0.5"; until [ -e go ]; do sleep 0.02; done'
  3
  $ nn-queue add --live -n fourth --after 3 -- true
  4
  $ nn-queue work -q & until_ok test -s spool/runs/3/history.jsonl
  $ nn-watch --once | cut -f1-4,7-
  3	running	third	40 %	epoch=4 loss=0.5	▄		
  4	queued	fourth					
  $ nn-watch -a | cut -f1-4,7-
  3	running	third	40 %	epoch=4 loss=0.5	▄		
  4	queued	fourth					
  1	done	first		epoch=4 valid_loss=2.25 train_loss=1.5	█▆▃▁		
  2	failed	second					exit 3
  $ nn-watch --once --json 3 | sed 's/"elapsed":[0-9.]*/"elapsed":T/'
  {"run":3,"state":"running","name":"third","group":"g","done":0.4,"elapsed":T,"left":null,"at":{"epoch":4},"values":{"loss":0.5},"warnings":[],"note":""}
  $ echo 2 | nn-watch --once | cut -f1-3,10
  2	failed	second	exit 3

It tells of what is not as it should be, and changes nothing.

  $ nn-queue list third | cut -f1,2; ls spool/running | wc -l
  3	running
  1

Events: what happened, in order; and from now on.

  $ nn-watch --events 1 2 | sed 's/"t":"[^"]*"/"t":T/; s/"pid":.*/"pid":P/'
  {"t":T,"run":1,"event":"started","attempt":1,"pid":P
  {"t":T,"run":1,"event":"ended","state":"done"}
  {"t":T,"run":2,"event":"started","attempt":1,"pid":P
  {"t":T,"run":2,"event":"ended","state":"failed","how":"exit,3"}
  $ nn-watch --events -f >events & until_ok grep -q '"run":3,"event":"started"' events; touch go; until_ok grep -q '"run":4,"event":"ended"' events; kill $!; wait
  $ grep -c '"run":3,"event":"ended"' events
  1

The live screen, on a terminal of 12 lines: drawn, one run in full, back, and gone, the terminal as it was.

  $ printf 'j\r' >keys; printf 'qq' >>keys
  $ script -qec 'stty rows 12 cols 70; TERM=xterm NO_COLOR=1 nn-watch -a 1 2' seen <keys >/dev/null; tr '\033' '\n' <seen | grep -o 'first .*\|second .*' | sed 's/  .*//' | sort -u
  first
  second
  $ grep -ac '?1049l' seen
  1

What the time goes into needs samples.

  $ nn-watch why first
  nn-watch: run 1 has too few samples yet: the first comes after ten seconds
  [2]
  $ for s in 0 1 2; do echo '{"t":"2026-01-01T00:00:'$s'0Z","cpu_percent":99,"read":0,"written":0,"rss":1048576,"threads":4,"gpus":[{"utilisation":7}]}'; done >spool/runs/1/resources.jsonl
  $ nn-watch why first | grep -v 'of the host' | sed 's/cpu 99 %.*/cpu 99 %/'
  run 1: CPU-bound: about one core works while the GPU waits, as when data are loaded or prepared in one process
    cpu 99 %
    GPU 7 %
    disk 0 a second
    memory 1M
    threads 4
    medians of 3 samples over 20s
