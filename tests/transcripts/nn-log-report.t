The three lines around a plain command, with a server: the run is seen there too.

  $ nn-queue init >/dev/null; NN_SPOOL=$PWD/there nn-queue init >/dev/null; (umask 077; echo a-token-that-nobody-guesses >token)
  $ at() { NN_SPOOL=$PWD/there "$@"; }; web() { rm -f url; NN_SPOOL=$PWD/there nn-web --listen ${1:-0} --token-file token >url & until_ok grep -q / url; URL=$(sed 's,/$,,' url); PORT=${URL##*:}; }
  $ web; export NN_REPORT_TOKEN_FILE=$PWD/token
  $ cat >job.sh <<'END'
  > nn-log start -n far --param lr=0.1 --server $URL
  > for e in 1 2 3; do echo "epoch=$e loss=0.$e" >>train.out; echo "{\"epoch\":$e,\"valid_cost\":1.$e}" >>valid.jsonl; nn-log progress --log *.out --data *.jsonl; done
  > NN_SPOOL=there nn-queue list | cut -f1,2,5,10 | sed 's/by [^ ]*/by HOST/; s/heard of .* ago/heard of T ago/'
  > nn-log finish --status $?
  > END
  $ URL=$URL sh job.sh; at nn-queue list --all | cut -f1,2,5,8; at nn-table 1 | tail -1 | cut -f1-3; at nn-log export far | sed 's/"t":"[^"]*",//'
  1
  1	submitted	far	reported by HOST (run 1 there), last heard of T ago
  1	done	far	
  1	done	far
  {"run":1,"epoch":1,"loss":0.1}
  {"run":1,"epoch":1,"valid_cost":1.1}
  {"run":1,"epoch":2,"loss":0.2}
  {"run":1,"epoch":2,"valid_cost":1.2}
  {"run":1,"epoch":3,"loss":0.3}
  {"run":1,"epoch":3,"valid_cost":1.3}
  $ sed -i '/^for/s/done$/echo left by a call that was killed >>"$(ls -d spool\/runs\/* | tail -1)\/log"; done/' job.sh; grep -c killed job.sh
  1
  $ cmp train.out there/runs/1/log; cmp spool/runs/1/history.*.jsonl there/runs/1/history.*.jsonl; ls spool/reports; nn-log report; nn-log report far
  1	done	run 1 there

While the server is away the lines warn, and the script goes on; later it is told, once.

  $ kill $!; wait $! 2>/dev/null; URL=$URL sh job.sh 2>&1 | sed "s/$PORT/PORT/"; echo $?; ls spool/reports
  nn-log: warning: run 2 is not reported now: 127.0.0.1:PORT: no connection: Connection refused ('nn-log report' does it later)
  2
  nn-log: warning: run 2 is not reported now: 127.0.0.1:PORT: no connection: Connection refused ('nn-log report' does it later)
  0
  2
  $ nn-log report 2>&1 | sed "s/$PORT/PORT/"; web $PORT; nn-log report; nn-log report; at nn-queue list --all | cut -f1,2,5; cmp train.out spool/runs/2/log; cmp train.out there/runs/2/log
  nn-log: warning: run 2: 127.0.0.1:PORT: no connection: Connection refused
  2	done	run 2 there
  1	done	far
  2	done	far

Runs of other kinds, when they are named; settings in place of the option; an end that is not good.

  $ nn-run -q -n here -- sh -c 'echo epoch=1 loss=7; exit 3'; NN_REPORT_SERVER=$URL nn-log report here; at nn-queue list --all last | cut -f1,2,5,8; at nn-queue log last
  3	failed	run 3 there
  3	failed	here	exit 3
  epoch=1 loss=7
  $ NN_REPORT_SERVER=$URL sh -c "trap 'nn-log finish --status \$?' EXIT; nn-log start -n set; exit 5"; at nn-queue list --all set | cut -f2,8
  4
  failed	exit 5

Mistakes: those of the line touch nothing, those of the settings keep nobody from training.

  $ sh -c 'nn-log start --server box:8080' 2>&1 | head -1; nn-log report --server ftp://box 2>&1 | head -1; nn-queue list
  nn-log: 'box:8080' is no address such as https://box.example.org:8080 (no http:// or https://)
  nn-log: 'ftp://box' is no address such as https://box.example.org:8080 (neither http nor https)
  $ nn-run -q -n more -- true; nn-log report more 2>&1 | head -1; nn-log report 99; nn-log --server x start 2>&1 | head -1
  nn-log: say where to: --server URL, or report.server
  nn-log: there is no run 99
  nn-log: unknown option '--server'
  $ echo other-token-than-that >wrong; NN_REPORT_SERVER=$URL NN_REPORT_TOKEN_FILE=wrong sh -c 'nn-log start && nn-log finish'
  nn-log: warning: run 6 is not reported now: wrong: others can read it: chmod 600 wrong ('nn-log report' does it later)
  6
  nn-log: warning: run 6 is not reported now: wrong: others can read it: chmod 600 wrong ('nn-log report' does it later)
  $ chmod 600 wrong; NN_REPORT_SERVER=$URL NN_REPORT_TOKEN_FILE=wrong sh -c 'nn-log start && nn-log finish' 2>&1 | sed "s/$PORT/PORT/"
  nn-log: warning: run 7 is not reported now: the token is wrong ('nn-log report' does it later)
  7
  nn-log: warning: run 7 is not reported now: the token is wrong ('nn-log report' does it later)
  $ env -u NN_REPORT_TOKEN_FILE NN_REPORT_SERVER=$URL nn-log report | head -1
  nn-log: warning: run 6: report.token-file does not say where the token is
  nn-log: warning: run 7: report.token-file does not say where the token is
  $ nn-log report | head -1; nn-log report 1 >/dev/full
  6	done	run 5 there
  nn-log: cannot write standard output: No space left on device
  [2]
  $ kill $!
