Slips of the pen are told of before anything is touched.

  $ nn-mail --flsh
  nn-mail: unknown option '--flsh'
  usage: nn-mail [-s SUBJECT] [-a FILE]... [-r RUN] [--later] [TO...]
         nn-mail --events [--later] [TO...]
         nn-mail --flush [--all]
         nn-mail --list [--all] [--json]
         nn-mail --print [--raw] [MESSAGE]
         nn-mail --test [TO]
         nn-mail --setup
  [2]
  $ nn-mail -s 2>&1 | head -1
  nn-mail: option '-s' needs a value
  $ nn-mail --flush --test 2>&1 | head -1
  nn-mail: one of --events, --flush, --list, --print, --test and --setup at a time
  $ nn-mail --flush -s x 2>&1 | head -1
  nn-mail: option '-s' does not go with --flush
  $ nn-mail --flush me@example.org 2>&1 | head -1
  nn-mail: unexpected argument 'me@example.org'
  $ nn-mail --later --print 2>&1 | head -1
  nn-mail: option '--later' does not go with --print
  $ nn-mail me 2>&1 | head -1
  nn-mail: 'me' is no mail address: it has no '@'
  $ nn-mail -- -oX/tmp/x@example.org 2>&1 | head -1
  nn-mail: '-oX/tmp/x@example.org' is no mail address: it begins with '-'
  $ nn-mail "$(printf 'me@example.org\nBcc: you@example.org')" 2>&1 | head -1
  nn-mail: 'me@example.org\nBcc: you@example.org' is no mail address: it holds control characters
  $ ls

Without a spool, without a recipient, without what is to be sent.

  $ nn-mail me@example.org 2>&1 | sed "s,$PWD,.,"
  nn-mail: ./spool: there is no spool here (make one with 'nn-queue init')
  $ nn-queue init >/dev/null
  $ echo text | nn-mail 2>&1 | head -1
  nn-mail: to whom? give an address, or set mail.to
  $ echo text | nn-mail -a nowhere me@example.org
  nn-mail: cannot read nowhere: No such file or directory
  [2]
  $ echo text | nn-mail -r 7 me@example.org
  nn-mail: there is no run 7
  [2]
  $ nn-mail --print
  nn-mail: there are no messages
  [1]
  $ nn-mail --list
  [1]
  $ nn-mail --print x
  nn-mail: there is no message 'x'
  [2]

Settings that are wrong.

  $ nn-mail --flush
  $ echo text | nn-mail me@example.org 2>&1
  nn-mail: warning: no mail server is known: set mail.server or mail.via (nn-mail --setup asks for all); the message is kept, nn-mail --flush tries again
  $ nn-mail --flush
  nn-mail: no mail server is known: set mail.server or mail.via (nn-mail --setup asks for all)
  [2]
  $ NN_MAIL_VIA=smtp NN_MAIL_SERVER=mx:99999 nn-mail --test
  nn-mail: mail.server: 'mx:99999' is not HOST or HOST:PORT
  [2]
  $ NN_MAIL_SERVER=mx.example.org NN_MAIL_USER=me NN_MAIL_TLS=none nn-mail --test
  nn-mail: mail.tls = none with mail.user: a password is never sent in the clear
  [2]
  $ NN_MAIL_SERVER=127.0.0.1:9 NN_MAIL_USER=me nn-mail --test
  nn-mail: 127.0.0.1:9: mail.user is set, but neither mail.password-file nor mail.password-command
  [2]
  $ echo secret >password; chmod 644 password
  $ NN_MAIL_SERVER=127.0.0.1:9 NN_MAIL_USER=me NN_MAIL_PASSWORD_FILE=password nn-mail --test
  nn-mail: 127.0.0.1:9: others may read the password in password: chmod 600 password
  [2]
  $ NN_MAIL_SERVER=127.0.0.1:9 NN_MAIL_USER=me NN_MAIL_PASSWORD_COMMAND='echo locked >&2; exit 3' nn-mail --test
  nn-mail: 127.0.0.1:9: mail.password-command failed: locked
  [2]
  $ NN_MAIL_TO=nobody nn-mail </dev/null
  nn-mail: mail.to: 'nobody' is no mail address: it has no '@'
  [2]
  $ NN_MAIL_FROM='a b' nn-mail me@example.org </dev/null
  nn-mail: mail.from: 'a b' is no mail address: it has no '@'
  [2]
  $ NN_MAIL_TIMEOUT=soon NN_MAIL_SERVER=mx nn-mail --flush
  nn-mail: setting mail.timeout: 'soon' is not a duration such as 30s
  [2]
  $ echo 'mail.sever = x' >spool/config; nn-mail --flush 2>&1 | sed "s,$PWD,.,"; rm spool/config
  nn-mail: ./spool/config:1: unknown key 'mail.sever' (did you mean 'mail.server'?)

A message that cannot be sent now is kept; one that is refused is not lost either.

  $ echo one | NN_MAIL_SERVER=127.0.0.1:9 nn-mail -s one me@example.org
  nn-mail: warning: 127.0.0.1:9: no connection: Connection refused; the message is kept, nn-mail --flush tries again
  $ echo two | NN_MAIL_VIA='echo no such user >&2; exit 67 #' nn-mail -s two me@example.org 2>&1 | sed 's/failed\/.*)/failed\/NAME)/'
  nn-mail: not sent: me@example.org: the server says 554 (status 67 of 'echo no such user >&2; exit 67 #') no such user (mail/failed/NAME)
  $ nn-mail --list | cut -f2,4-6,8
  new	me@example.org		0	
  new	me@example.org	one	1	127.0.0.1:9: no connection: Connection refused
  failed	me@example.org	two	1	me@example.org: the server says 554 (status 67 of 'echo no such user >&2; exit 67 #') no such user
  $ NN_MAIL_VIA='exit 1 #' nn-mail --flush --all 2>&1 | cut -d: -f3-
   'exit 1 #' ended with status 1; kept
   'exit 1 #' ended with status 1; kept
  $ NN_MAIL_VIA='exit 1 #' nn-mail --flush

Outputs that fail.

  $ nn-mail --list >/dev/full
  nn-mail: cannot write standard output: No space left on device
  [2]
  $ nn-mail --list | head -1 | cut -f2
  new
