Usage.

  $ nn-web --help | head -1
  usage: nn-web [--listen ADDRESS:PORT] [--host NAME]... [--token-file FILE]
  $ nn-web --help >/dev/full
  nn-web: cannot write standard output: No space left on device
  [2]
  $ nn-web run 2>&1 | head -1
  nn-web: runs are named for --export: a server shows all
  $ nn-web --listen 2>&1 | head -1
  nn-web: option '--listen' needs a value
  $ nn-web --listen here
  nn-web: 'here' is no address such as 127.0.0.1:8080
  usage: nn-web [--listen ADDRESS:PORT] [--host NAME]... [--token-file FILE]
                [--report-token-file FILE]
         nn-web --export DIR [RUNS]
  [2]
  $ nn-web --listen 127.0.0.1:99999 2>&1 | head -1
  nn-web: '127.0.0.1:99999' is no address such as 127.0.0.1:8080
  $ nn-web --host 'a b' 2>&1 | head -1
  nn-web: option '--host': 'a b' is not a name such as box or box:80
  $ nn-web --export out --listen 8080 2>&1 | head -1
  nn-web: --export writes files and ends: the other options are for a server
  $ nn-web --exports out 2>&1 | head -1
  nn-web: unknown option '--exports'

Who can be reached by others needs a token, and keeps it to himself.

  $ nn-web --listen 0.0.0.0:0 2>&1 | head -1
  nn-web: 0.0.0.0:0 can be reached from other machines: give a --token-file, or listen on 127.0.0.1
  $ nn-web --token-file token
  nn-web: cannot read token: No such file or directory
  [2]
  $ echo too-short >token; chmod 644 token
  $ nn-web --token-file token
  nn-web: token: others can read it: chmod 600 token
  [2]
  $ chmod 600 token
  $ nn-web --token-file token
  nn-web: token: a token is one word of at least 16 characters (umask 077; head -c 24 /dev/urandom | base64 >token)
  [2]
  $ echo 'two words of many letters' >token
  $ nn-web --token-file token
  nn-web: token: a token is one word of at least 16 characters (umask 077; head -c 24 /dev/urandom | base64 >token)
  [2]

No spool, and an address that is not this machine's.

  $ nn-web --listen 127.0.0.1:0 2>&1 | sed "s|$PWD/||"
  nn-web: spool: there is no spool here (make one with 'nn-queue init')
  $ nn-web --export out 2>&1 | sed "s|$PWD/||"
  nn-web: spool: there is no spool here (make one with 'nn-queue init')
  $ ls
  token
  $ nn-queue init >/dev/null
  $ echo a-token-of-32-characters-or-more >token
  $ nn-web --listen 192.0.2.1:8080 --token-file token
  nn-web: cannot listen on 192.0.2.1:8080: Cannot assign requested address
  [2]
  $ nn-web --listen 127.0.0.1:0 >/dev/full
  nn-web: cannot write standard output: No space left on device
  [2]

A folder that holds something else, a run that is not there, a folder that cannot be made.

  $ mkdir home; touch home/thesis.tex
  $ nn-web --export home
  nn-web: home: it holds something else than an export: name a new folder, or an empty one
  [2]
  $ ls home
  thesis.tex
  $ nn-web --export out 7
  nn-web: there is no run 7
  [2]
  $ test -e out || echo nothing
  nothing
  $ touch file; nn-web --export file/out
  nn-web: cannot make the directory file/out: Not a directory
  [2]
