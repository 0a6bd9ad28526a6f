A message, sent by a program in place of a server.

  $ nn-queue init >/dev/null
  $ export NN_NOW=2026-11-23T12:00:00Z NN_MAIL_VIA="tee got >whom; printf '%s ' >>whom" NN_MAIL_FROM='Me <me@example.org>'
  $ echo 'all is well' | nn-mail -s 'the grid is done' you@example.org they@example.org
  $ sed 's/<nn.*@/<NAME@/' got
  Date: Mon, 23 Nov 2026 12:00:00 +0000
  From: "Me" <me@example.org>
  To: you@example.org,
   they@example.org
  Message-ID: <NAME@example.org>
  Subject: the grid is done
  MIME-Version: 1.0
  Content-Type: text/plain; charset=us-ascii
  Content-Transfer-Encoding: 7bit
  
  all is well
  $ tail -n 1 whom
  you@example.org they@example.org  (no newline)

Nothing that is said begins a header.

  $ echo x | nn-mail -s "$(printf 'done\r\nBcc: all@example.org')" you@example.org; grep -a Bcc got
  Subject: done Bcc: all@example.org

A run: its headline, its curve, its thread.

  $ nn-run -q -n tiny -- sh -c 'for i in 1 2 3 4 5; do echo "epoch=$i valid_cost=0.$((9-i))"; done'
  $ nn-mail -r last you@example.org </dev/null
  $ grep -a -E '^(Subject|Content-Type|Content-Disp|In-Reply|Auto)' got | sed 's/run1\..*@/run1.HASH@/'
  In-Reply-To: <nn.run1.HASH@example.org>
  Subject: run 1 tiny: done
  Content-Type: multipart/related;
  Content-Type: multipart/alternative;
  Content-Type: text/plain; charset=us-ascii
  Content-Type: text/html; charset=us-ascii
  Content-Type: image/png
  Content-Disposition: inline;
  $ nn-mail --print | sed -n '/^Date/,$p' | sed 's/, [0-9.]*K*]$/, SIZE]/'
  Date: Mon, 23 Nov 2026 12:00:00 +0000
  From: "Me" <me@example.org>
  To: you@example.org
  Subject: run 1 tiny: done
  
  run 1 tiny: done
  
  1 tiny
  valid_cost
   0.8+a
      | aaaaaa
      |       aaaaaa
   0.7+             aaaaa
      |                  aaaaaa
      |                        aaaaaa
   0.6+                              aaaaaaa
      |                                     aaaaaa
      |                                           aaaaaa
   0.5+                                                 aaaaa
      |                                                      aaaaaa
      |                                                            aaaaaa
   0.4+                                                                  a
      ++---------------+----------------+----------------+---------------+
       1               2                3                4               5
                                      epoch
  [text/html, SIZE]
  [image/png curve.png, SIZE]

Without values there is no curve.

  $ nn-run -q -- true
  $ nn-mail -r 2 you@example.org </dev/null
  nn-mail: warning: run 2 has no values to draw
  $ nn-mail --print | sed -n '/^Subject/,$p'
  Subject: run 2: done
  
  run 2: done

Kept for later, and sent by whoever says so.

  $ echo later | nn-mail --later -s 'for later' you@example.org
  $ echo epoch=1 >ä.log
  $ echo 'also later, and ä' | nn-mail --later -s 'für später' -a 'ä.log' you@example.org
  $ nn-mail --list | cut -f2-6
  new	2026-11-23T12:00:00.000Z	you@example.org	for later	0
  new	2026-11-23T12:00:00.000Z	you@example.org	für später	0
  $ nn-mail --list --json | sed 's/"message":"[^"]*"/"message":"NAME"/' | tail -n 1
  {"message":"NAME","state":"new","added":"2026-11-23T12:00:00.000Z","to":"you@example.org","subject":"für später","tries":0,"next":null,"said":""}
  $ nn-mail --print | sed 1,2d
  Date: Mon, 23 Nov 2026 12:00:00 +0000
  From: "Me" <me@example.org>
  To: you@example.org
  Subject: für später
  
  also later, and ä
  [text/plain ä.log, 8]
  $ nn-mail --print --raw | sed 's/<nn.*@/<NAME@/; s/=_.*\./=_BOUNDARY./; s/=_.*--/=_BOUNDARY--/'
  Date: Mon, 23 Nov 2026 12:00:00 +0000\x0d
  From: "Me" <me@example.org>\x0d
  To: you@example.org\x0d
  Message-ID: <NAME@example.org>\x0d
  Subject: =?utf-8?B?ZsO8ciBzcMOkdGVy?=\x0d
  MIME-Version: 1.0\x0d
  Content-Type: multipart/mixed;\x0d
   boundary="=_BOUNDARY.1"\x0d
  \x0d
  --=_BOUNDARY.1\x0d
  Content-Type: text/plain; charset=utf-8\x0d
  Content-Transfer-Encoding: base64\x0d
  \x0d
  YWxzbyBsYXRlciwgYW5kIMOkDQo=\x0d
  --=_BOUNDARY.1\x0d
  Content-Type: text/plain; charset=utf-8\x0d
  Content-Transfer-Encoding: base64\x0d
  Content-Disposition: attachment;\x0d
   filename*=utf-8''%C3%A4.log\x0d
  \x0d
  ZXBvY2g9MQo=\x0d
  --=_BOUNDARY--\x0d
  $ nn-mail --flush | cut -f2-
  sent	you@example.org
  sent	you@example.org
  $ nn-mail --list
  [1]
  $ nn-mail --list --all | cut -f2,5 | sort | uniq -c | sed 's/^ *//'
  1 sent	done\r\nBcc: all@example.org
  1 sent	for later
  1 sent	für später
  1 sent	run 1 tiny: done
  1 sent	run 2: done
  1 sent	the grid is done
  $ ls spool/mail; ls spool/tmp spool/mail/tries
  failed
  new
  sent
  tries
  spool/mail/tries:
  
  spool/tmp:

A server that is not there now: kept, and sent when there is one; what was not due is due then too.

  $ echo one | NN_MAIL_VIA= NN_MAIL_SERVER=127.0.0.1:9 nn-mail -s one you@example.org
  nn-mail: warning: 127.0.0.1:9: no connection: Connection refused; the message is kept, nn-mail --flush tries again
  $ nn-mail --print | sed -n 2p
  State: new, tried once, again after 2026-11-23 12:05:00: 127.0.0.1:9: no connection: Connection refused
  $ nn-mail --flush
  $ NN_NOW=2026-11-23T12:06:00Z nn-mail --flush | cut -f2-
  sent	you@example.org

What was sent is removed a month later, by nn-queue gc.

  $ nn-queue gc; touch -d '40 days ago' spool/mail/sent/*; nn-queue gc | cut -d/ -f2 | sort | uniq -c | sed 's/^ *//'
  7 sent
  $ ls spool/mail/sent
