The lines of scripts/examples/crontab, as cron executes them: by sh, with next to nothing in the environment.

  $ nn-queue init >/dev/null; line() { sed -n "/^[*@0-9]/s/^[^	]*	//p" "$TESTS/../scripts/examples/crontab" | sed -n "$1p"; }
  $ as_cron() { env -i HOME="$HOME" PATH="$PATH" NN_SPOOL="$NN_SPOOL" LOGNAME=me SHELL=/bin/sh sh -c "$(line $1 | sed s/50G/1M/)"; }
  $ line 1,9 | wc -l; nn-queue add --live -- true; nn-queue add --live -- false
  5
  1
  2
  $ as_cron 2 >pid 2>/dev/null; nn-queue wait 1 2 | sort; kill $(cat pid)
  1	done	
  2	failed	exit 1
  $ as_cron 1 2>&1 | head -1
  nn-mail: to whom? give an address, or set mail.to
  $ as_cron 3; as_cron 4 >said; as_cron 5; echo $?
  0
