Slips of the pen are told of before anything is looked at.

  $ nn-diskcheck --need twenty
  nn-diskcheck: option '--need': 'twenty' is not a size such as 20G
  usage: nn-diskcheck [--need SIZE] [--inodes N] [--ram SIZE] [--gpu-mem SIZE]
                      [--like RUN] [--probe] [--json] [PATH...]
  [2]
  $ nn-diskcheck --need -1 2>&1 | head -1
  nn-diskcheck: option '--need': '-1' is not a size such as 20G
  $ nn-diskcheck --need 2>&1 | head -1
  nn-diskcheck: option '--need' needs a value
  $ nn-diskcheck --inodes 1.5 2>&1 | head -1
  nn-diskcheck: option '--inodes': '1.5' is not a number of files
  $ nn-diskcheck --nede 20G 2>&1 | head -1
  nn-diskcheck: unknown option '--nede'
  $ nn-diskcheck -n 20G 2>&1 | head -1
  nn-diskcheck: unknown option '-n'
  $ nn-diskcheck --probe 2>&1 | head -1
  nn-diskcheck: option '--probe' allocates what is needed: give --need or --like
  $ nn-diskcheck --need 1G "$NOT_SET" 2>&1 | head -1
  nn-diskcheck: an empty PATH

What cannot be judged is a failure, not a no.

  $ touch file; ln -s nowhere link
  $ nn-diskcheck file/x 2>&1 | sed "s,$PWD,.,"
  nn-diskcheck: cannot look at ./file/x: Not a directory
  $ nn-diskcheck link/x 2>&1 | sed "s,$PWD,.,"
  nn-diskcheck: ./link is a symbolic link to nowhere
  $ nn-diskcheck --like 1 2>&1 | sed "s,$PWD,.,"
  nn-diskcheck: ./spool: there is no spool here (make one with 'nn-queue init')
  $ nn-queue init > /dev/null; nn-diskcheck --like 1
  nn-diskcheck: there is no run 1
  [2]

Outputs that fail.

  $ nn-diskcheck > /dev/full
  nn-diskcheck: cannot write standard output: No space left on device
  [2]
  $ nn-diskcheck . . | head -1 | cut -f1
  .
