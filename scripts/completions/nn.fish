# fish completion of nn-tools: what all tools share, then one block a tool.

# The numbers of the runs with their names, newest first.
function __nn_runs
    nn-queue list --all 2>/dev/null | cut -f1 | sort -rn | head -n 200
    echo last
end

for tool in nn-sweep nn-queue nn-run nn-watch nn-log nn-table nn-plot nn-diskcheck nn-mail nn-weights
    complete -c $tool -s h -l help -d 'print the usage'
    complete -c $tool -s V -l version -d 'print the version'
end

# nn-sweep
complete -c nn-sweep -s n -l dry-run -d 'count them, and show the commands'
complete -c nn-sweep -l command -x -d 'of experiments that have none'

# nn-queue
set -l verbs init add list hosts show log work submit sync hold release cancel retry prio note tag wait gc recover
set -l states queued held submitted running done failed cancelled
complete -c nn-queue -n "not __fish_seen_subcommand_from $verbs" -f -a "$verbs"
complete -c nn-queue -n '__fish_seen_subcommand_from init' -l group -d 'shared by the group'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -s n -l name -x -d 'what to call it'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -s p -l param -x -d 'a parameter KEY=VALUE'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -s g -l group -x -d 'the set it belongs to'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l needs -x -d 'what it needs'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l host -x -a '(__fish_print_hostnames)' -d 'only there'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l time -x -d 'time limit'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l prio -x -a '(seq 0 9)' -d '0 goes first, 9 last'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l retries -x -d 'so often after a failure'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l after -x -a '(__nn_runs)' -d 'start it when they are done'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l after-any -x -a '(__nn_runs)' -d 'start it when they have ended'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l note -x -d 'a remark'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l tag -x -d 'a label'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l rule -x -d 'what to do when'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l notify -x -a 'failed finished warning none' -d 'what is told by mail'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l pattern -x -d 'how its log lines look'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l metrics -x -d 'files that hold metrics'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l checkpoint -r -d 'what it saves, to be resumed from'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l keep-checkpoints -x -d 'last=K,best=METRIC, remove others'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l finish-up -x -d 'send it USR1 so long before its limit'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l profile -x -a 'python theano perf' -d 'the profiler to run it under'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l hold -d 'do not start it yet'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l live -d 'run in place'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l link -r -F -d 'reach this by a link'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l again -d 'even if it was added before'
complete -c nn-queue -n '__fish_seen_subcommand_from add' -l new -d 'only what was not added before'
complete -c nn-queue -n '__fish_seen_subcommand_from list' -s a -l all -d 'also those that have ended'
complete -c nn-queue -n '__fish_seen_subcommand_from list gc' -l state -x -a "$states" -d 'only these'
complete -c nn-queue -n '__fish_seen_subcommand_from list hosts show' -l json -d 'as JSON lines'
complete -c nn-queue -n '__fish_seen_subcommand_from log' -s f -l follow -d 'until it has ended'
complete -c nn-queue -n '__fish_seen_subcommand_from log' -s n -l lines -x -d 'only the last'
complete -c nn-queue -n '__fish_seen_subcommand_from work' -s j -l slots -x -d 'so many at a time'
complete -c nn-queue -n '__fish_seen_subcommand_from work' -l gpus -x -a 'all none' -d 'which it may give'
complete -c nn-queue -n '__fish_seen_subcommand_from work' -l forever -d 'wait for more'
complete -c nn-queue -n '__fish_seen_subcommand_from work' -l detach -d 'in the background'
complete -c nn-queue -n '__fish_seen_subcommand_from work' -s q -l quiet -d 'no bar'
complete -c nn-queue -n '__fish_seen_subcommand_from submit' -l to -x -a 'slurm gridengine' -d 'the engine'
complete -c nn-queue -n '__fish_seen_subcommand_from submit' -s o -l option -x -d 'words for its command line'
complete -c nn-queue -n '__fish_seen_subcommand_from submit' -l max-parallel -x -d 'so many at a time'
complete -c nn-queue -n '__fish_seen_subcommand_from retry' -l done -d 'also those that are done'
complete -c nn-queue -n '__fish_seen_subcommand_from tag' -s d -l delete -d 'take away'
complete -c nn-queue -n '__fish_seen_subcommand_from wait' -l timeout -x -d 'at most so long'
complete -c nn-queue -n '__fish_seen_subcommand_from gc' -l dry-run -d 'only say'
complete -c nn-queue -n '__fish_seen_subcommand_from gc' -l keep-checkpoints -x -d 'last=K,best=METRIC, remove others'
complete -c nn-queue -n '__fish_seen_subcommand_from gc' -l older-than -x -d 'runs that ended so long ago'
complete -c nn-queue -n '__fish_seen_subcommand_from recover' -l wait -d 'also for silent owners, 90 s'
complete -c nn-queue -n '__fish_seen_subcommand_from recover' -l host-is-dead -x -d 'take its runs'
set -l of_runs list show log submit hold release cancel retry prio note tag wait
complete -c nn-queue -n "__fish_seen_subcommand_from $of_runs" -f -a '(__nn_runs)'

# nn-run
complete -c nn-run -x -a '(__fish_complete_subcommand)'
complete -c nn-run -s q -l quiet -d 'do not print the log'
complete -c nn-run -x -s n -l name -d 'name of the run'
complete -c nn-run -x -s g -l group -d 'the set it belongs to'
complete -c nn-run -x -s p -l param -d 'a parameter'
complete -c nn-run -x -l note -d 'a note'
complete -c nn-run -x -l tag -d 'a tag'
complete -c nn-run -x -l time -d 'end the command after this time'
complete -c nn-run -x -l grace -d 'time between TERM and KILL'
complete -c nn-run -x -l rule -d 'what to do when'
complete -c nn-run -x -l notify -a 'failed finished warning none' -d 'what is told by mail'
complete -c nn-run -x -l pattern -d 'read the log by this template'
complete -c nn-run -r -l metrics -d 'also read these files'
complete -c nn-run -x -l finish-up -d 'send it USR1 so long before its limit'
complete -c nn-run -x -l retries -d 'run it again after a failure'
complete -c nn-run -r -l checkpoint -d 'what it saves, to be resumed from'
complete -c nn-run -x -l keep-checkpoints -d 'last=K,best=METRIC, remove others'
complete -c nn-run -x -l resume -a '(__nn_runs)' -d 'go on with a run'
complete -c nn-run -x -l profile -a 'python theano perf' -d 'the profiler to run it under'
complete -c nn-run -x -l claim -d 'in a job: run what was submitted'
complete -c nn-run -x -l claimed -d 'run what a worker claimed'
complete -c nn-run -x -l adopt -d 'follow a command whose nn-run was killed'

# nn-log
complete -c nn-log -s r -l run -x -a '(__nn_runs)' -d 'the run'
complete -c nn-log -s p -l pattern -x -d 'how values stand in a line'
complete -c nn-log -l try -d 'show what would be recorded, and record nothing'
complete -c nn-log -l json -d 'one JSON object a value'
complete -c nn-log -n '__fish_is_first_arg' -a export -d 'print what is recorded of runs'
complete -c nn-log -n '__fish_seen_subcommand_from export' -l csv -d 'CSV instead of JSON lines'
complete -c nn-log -n '__fish_seen_subcommand_from export' -x -a '(__nn_runs)'

# nn-table
complete -c nn-table -f -a '(__nn_runs)'
complete -c nn-table -x -l where -d 'only runs for which it holds'
complete -c nn-table -x -l sort -d 'by this column'
complete -c nn-table -s r -l reverse -d 'the greatest first'
complete -c nn-table -x -l columns -d 'these columns'
complete -c nn-table -s t -l table -d 'aligned under headings'
complete -c nn-table -l csv -d 'comma-separated'
complete -c nn-table -l json -d 'an object a line'
complete -c nn-table -l markdown -d 'a Markdown table'
complete -c nn-table -l tsv -d 'TAB-separated'
complete -c nn-table -l all -d 'also what is the same in both'

# nn-plot
complete -c nn-plot -a '(__nn_runs)'
complete -c nn-plot -x -s y -l values -d 'the variables'
complete -c nn-plot -x -s x -l along -a 'epoch step time updates' -d 'along what'
complete -c nn-plot -l log -d 'logarithmic y axis'
complete -c nn-plot -x -l smooth -d 'the median of the last values'
complete -c nn-plot -l mean -d 'smooth by the mean'
complete -c nn-plot -x -l ymin -d 'lower end of the y axis'
complete -c nn-plot -x -l ymax -d 'upper end of the y axis'
complete -c nn-plot -l full -d 'leave nothing out'
complete -c nn-plot -r -s o -l output -d 'write this file'
complete -c nn-plot -x -l format -a 'png svg text' -d 'what to write'
complete -c nn-plot -x -l size -a 640x400 -d 'pixels of a picture'
complete -c nn-plot -x -l width -d 'columns of text'
complete -c nn-plot -x -l height -d 'lines of text'
complete -c nn-plot -l ascii -d 'ASCII characters only'
complete -c nn-plot -x -l title -d heading
complete -c nn-plot -x -s p -l pattern -d 'how values stand in a log'

# nn-diskcheck
complete -c nn-diskcheck -x -l need -d 'bytes that must be free'
complete -c nn-diskcheck -x -l inodes -d 'files that must fit'
complete -c nn-diskcheck -x -l ram -d 'memory that must be available'
complete -c nn-diskcheck -x -l gpu-mem -d 'memory that must be free on one GPU'
complete -c nn-diskcheck -x -l like -a '(__nn_runs)' -d 'as much as this run used'
complete -c nn-diskcheck -l probe -d 'see whether it can be allocated'
complete -c nn-diskcheck -l json -d 'an object a line'

# nn-weights
complete -c nn-weights -x -s l -l layer -d 'only layers with such names'
complete -c nn-weights -s s -l singular -d 'the largest singular value as well'
complete -c nn-weights -s e -l each -d 'tell of each file'
complete -c nn-weights -x -l memory -d 'most that one layer may take'
complete -c nn-weights -l json -d 'an object a line'

# nn-mail
complete -c nn-mail -x -s s -l subject -d 'what it is about'
complete -c nn-mail -r -s a -l attach -d 'attach this file'
complete -c nn-mail -x -s r -l run -a '(__nn_runs)' -d 'with the curve of this run'
complete -c nn-mail -l later -d 'only keep it'
complete -c nn-mail -l events -d 'tell of the events that come in'
complete -c nn-mail -l flush -d 'send what is kept'
complete -c nn-mail -l all -d 'also what is not due, or was sent'
complete -c nn-mail -l list -d 'what is kept or failed'
complete -c nn-mail -l json -d 'an object a line'
complete -c nn-mail -l print -d 'show a message'
complete -c nn-mail -l raw -d 'as it goes out'
complete -c nn-mail -l test -d 'show the dialogue with the server'
complete -c nn-mail -l setup -d 'ask for what is needed'

# nn-watch
complete -c nn-watch -a '(__nn_runs)'
complete -c nn-watch -n '__fish_is_first_arg' -a why -d 'what the time of a run goes into'
complete -c nn-watch -s a -l all -d 'also runs that have ended'
complete -c nn-watch -l once -d 'print it once'
complete -c nn-watch -l json -d 'one object a run'
complete -c nn-watch -l events -d 'what happened to runs'
complete -c nn-watch -s f -l follow -d 'and what happens from now on'
complete -c nn-watch -s p -l pattern -x -d 'how values stand in a line of a log'
complete -c nn-watch -l rule -x -d 'also look for this in a log'
